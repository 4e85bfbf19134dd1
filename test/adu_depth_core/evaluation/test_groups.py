import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.groups import (
    BAND_NAMES,
    REGION_NAMES,
    GroupMeans,
    group_metrics,
    pixels_by_cell,
)
from adu_depth_core.evaluation.metrics import depth_sums
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.road_plane import Road
from adu_depth_core.evaluation.surfaces import Surfaces
from adu_depth_core.evaluation.uncertainty import uncertainty_sums


def scene(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 100, (30, 60)).astype(np.float32)
    truth[rng.random(truth.shape) < 0.3] = 0
    depth = rng.uniform(1, 90, truth.shape).astype(np.float32)
    return truth, depth, (0.1 * depth).astype(np.float32)


def groups_of(truth, depth, sigma, cap=80.0, surfaces=None):
    pixels, parts = pixels_by_cell(Protocol(cap), truth, depth, sigma, surfaces)
    p, s, g = pixels.prediction, pixels.sigma, pixels.truth
    uncertainty = None if s is None else uncertainty_sums(p, s, g, parts)
    return group_metrics(depth_sums(p, g, parts), uncertainty)


@pytest.mark.parametrize(
    ("name", "near", "far"), [("0-10 m", 0, 10), ("10-20 m", 10, 20), ("40-80 m", 40, 80)]
)
def test_a_band_has_the_metrics_of_an_evaluation_of_its_pixels(name, near, far):
    truth, depth, sigma = scene()
    inside = np.where((truth > near) & (truth <= far), truth, 0)
    expected = Evaluator(Protocol()).add("frame", inside, depth, sigma)
    pixels, metrics = groups_of(truth, depth, sigma)[0][name]
    assert pixels == expected.pixels
    assert metrics == {metric: pytest.approx(expected.metrics[metric]) for metric in metrics}
    assert {"abs_rel", "rmse", "coverage_1sigma", "nll"} <= metrics.keys()


def test_a_region_has_the_metrics_of_an_evaluation_of_its_pixels():
    truth, depth, sigma = scene()
    inside = np.zeros_like(truth)
    inside[20:, 20:40] = truth[20:, 20:40]
    expected = Evaluator(Protocol()).add("frame", inside, depth, sigma)
    pixels, metrics = groups_of(truth, depth, sigma)[1]["bottom centre"]
    assert pixels == expected.pixels
    assert metrics == {metric: pytest.approx(expected.metrics[metric]) for metric in metrics}


@pytest.mark.parametrize("with_sigma", [True, False])
def test_a_surface_has_the_metrics_of_an_evaluation_of_its_pixels(with_sigma):
    truth, depth, sigma = scene()
    sigma = sigma if with_sigma else None
    camera = Camera(30.0, 30.0, 29.5, 14.5, 60, 30)
    surfaces = Surfaces(Road.level(1.65), camera)
    height = 1.65 - camera.unproject(truth)[..., 1]
    kinds = {"obstacle": (height >= 0.4) & (height <= 2.65), "ground": height <= 0.2}
    found = groups_of(truth, depth, sigma, surfaces=surfaces).surfaces
    for name, kind in kinds.items():
        expected = Evaluator(Protocol()).add("frame", np.where(kind & (truth <= 40), truth, 0), depth, sigma)
        pixels, metrics = found[name]
        assert pixels == expected.pixels
        assert metrics == {metric: pytest.approx(expected.metrics[metric]) for metric in metrics}
        assert {"abs_rel", "rmse"} <= metrics.keys()
        assert ("coverage_1sigma" in metrics) == with_sigma


def test_every_pixel_is_in_one_band_and_one_region():
    truth, depth, sigma = scene()
    count = np.count_nonzero(Protocol().mask(truth))
    groups = groups_of(truth, depth, sigma)
    for group in (groups.bands, groups.regions):
        assert sum(pixels for pixels, _ in group.values()) == count
    assert groups.surfaces == {}  # no camera, no road


def test_what_is_beyond_the_bands_is_in_a_region_only():
    truth, depth, sigma = scene()
    bands, regions, _ = groups_of(truth, depth, sigma, cap=95.0)
    beyond = np.count_nonzero((truth > 80) & (truth < 95))
    assert beyond > 0
    total = sum(pixels for pixels, _ in regions.values())
    assert sum(pixels for pixels, _ in bands.values()) + beyond == total


def test_means_are_over_the_frames_that_have_the_group():
    means = GroupMeans(BAND_NAMES)
    means.add({"0-10 m": (5, {"abs_rel": 0.1})})
    means.add({"0-10 m": (7, {"abs_rel": 0.3}), "10-20 m": (2, {"abs_rel": 0.5})})
    by_name = {name: rest for name, *rest in means.means()}
    assert by_name["0-10 m"] == [12, 2, {"abs_rel": pytest.approx(0.2)}]
    assert by_name["10-20 m"] == [2, 1, {"abs_rel": 0.5}]
    assert by_name["40-80 m"] == [0, 0, {}]


def test_there_are_nine_regions():
    assert len(REGION_NAMES) == len(set(REGION_NAMES)) == 9
