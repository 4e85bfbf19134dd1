import numpy as np
import pytest

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.evaluation.class_metrics import CLASS_NAMES, class_metrics
from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.pixels import Pixels
from adu_depth_core.evaluation.protocol import Protocol


@pytest.mark.parametrize("with_sigma", [True, False])
def test_a_class_has_the_metrics_of_an_evaluation_of_its_pixels(with_sigma):
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 100, (30, 60)).astype(np.float32)
    truth[rng.random(truth.shape) < 0.3] = 0
    depth = rng.uniform(1, 90, truth.shape).astype(np.float32)
    sigma = 0.1 * depth if with_sigma else None
    classes = rng.choice([c for c in PixelClass if c != PixelClass.SIGN], truth.shape).astype(np.uint8)
    found = class_metrics(Pixels.of(Protocol(), truth, depth, sigma), classes)
    assert set(found) == set(CLASS_NAMES) - {"sign"}
    for name, (pixels, metrics) in found.items():
        inside = (classes == PixelClass[name.upper()]) & (truth <= 40)
        expected = Evaluator(Protocol()).add("frame", np.where(inside, truth, 0), depth, sigma)
        assert pixels == expected.pixels
        assert metrics == {metric: pytest.approx(expected.metrics[metric]) for metric in metrics}
        assert ("coverage_1sigma" in metrics) == with_sigma


def test_without_such_pixels_there_is_nothing():
    truth = np.full((4, 5), 10.0)
    pixels = Pixels.of(Protocol(), truth, truth, None)
    assert class_metrics(pixels, np.full((4, 5), PixelClass.GROUND, np.uint8)) == {}
    assert class_metrics(Pixels.of(Protocol(), truth * 5, truth, None), np.full((4, 5), 5, np.uint8)) == {}
