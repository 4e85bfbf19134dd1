"""One picture and the camera's height, on three cameras that the shipped model was not trained on."""

import numpy as np
import pytest

pytest.importorskip("openvino")
from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.evaluation.road_plane import fit_road
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.own_vehicle.decision import decide
from adu_depth_core.own_vehicle.held_out import hold_out
from adu_depth_core.own_vehicle.road_truth import road_observation


@pytest.fixture(scope="module")
def errors(real_data, shipped_model):
    """Errors of scale in the other pictures of each camera, before and after, by the first one's height."""
    predictor = Predictor(shipped_model, profile="none")
    samples = open_benchmark(
        "kitti_folder", real_data / "other_cameras" / "dev" / "sustechpoints", "all"
    ).samples
    found = {}
    for camera in ("front", "left", "right"):
        first, *others = [s for s in map(samples.__getitem__, range(len(samples))) if camera in str(s.name)]
        height = fit_road(first.depth, first.camera).camera_height
        prediction = predictor.predict(first.left, first.camera)
        road = road_observation(
            prediction, first.left, height, predictor.card, 0.0, 0, 0, lines_required=True
        )
        correction = decide(hold_out([road]), predictor.card, ["scale"]).correction
        factor = 1.0 if correction is None else correction.scale
        ratios = []
        for sample in others:
            known = (sample.depth > 1) & (sample.depth < 80)
            predicted = predictor.predict(sample.left, sample.camera).depth
            ratios.append(np.median(predicted[known] / sample.depth[known]))
        found[camera] = [np.abs(scale * np.array(ratios) - 1) for scale in (1.0, factor)]
    return found


def test_no_camera_gets_worse(errors):
    for before, after in errors.values():
        assert after.mean() <= before.mean()


def test_the_median_error_of_scale_is_below_a_fifth(errors):
    before, after = (np.concatenate(pair) for pair in zip(*errors.values(), strict=True))
    assert np.median(after) < 0.2 < np.median(before)
