import numpy as np
import pytest

from adu_depth_core.evaluation.error_by_sigma import ErrorHistogram
from adu_depth_core.evaluation.pixels import Pixels
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.uncertainty import QUANTILE

PROTOCOL = Protocol(cap=500.0)


def test_an_honest_sigma_equals_the_quantile_of_the_error_in_every_bin():
    rng = np.random.default_rng(0)
    histogram = ErrorHistogram()
    for _ in range(20):
        depth = rng.uniform(5, 50, (150, 150))
        sigma = depth * np.exp(rng.uniform(np.log(0.02), np.log(0.3), depth.shape))
        truth = depth + rng.laplace(0, sigma / QUANTILE)
        histogram.add(*histogram.count(Pixels.of(PROTOCOL, truth, depth, sigma)))
    relative, error, pixels = histogram.summary()
    many = pixels > 5000
    assert many.sum() >= 6
    np.testing.assert_allclose(error[many], relative[many], rtol=0.08)


def test_only_pixels_with_truth_count():
    histogram = ErrorHistogram()
    depth = np.full((4, 5), 10.0)
    truth = np.zeros((4, 5))
    truth[0] = 11.0
    histogram.add(*histogram.count(Pixels.of(PROTOCOL, truth, depth, 0.1 * depth)))
    relative, error, pixels = histogram.summary()
    assert pixels.tolist() == [5]
    assert relative == pytest.approx([0.1])
    assert error == pytest.approx([0.1], rel=0.03)


def test_a_frame_without_sigma_is_refused():
    truth = np.full((4, 5), 10.0)
    with pytest.raises(ValueError, match="no sigma"):
        ErrorHistogram.count(Pixels.of(Protocol(), truth, truth, None))
