import numpy as np
import pytest

from adu_depth_core.inference.depth_output import confidence, encode_depth, mark_depth

NAN, INF = np.nan, np.inf


def test_uncertain_pixels_are_nan_and_far_ones_infinite():
    depth = np.array([[10.0, 10.0, 50.0, 60.0]], np.float32)
    sigma = np.array([[1.9, 2.1, 1.0, 13.0]], np.float32)
    marked = mark_depth(depth, sigma, max_depth=50.0, max_relative_sigma=0.2)
    np.testing.assert_array_equal(marked, np.array([[10.0, NAN, INF, NAN]], np.float32))
    assert depth[0, 1] == 10.0


def test_metres_stay_as_they_are():
    depth = np.array([[1.5, NAN, INF]], np.float32)
    np.testing.assert_array_equal(encode_depth(depth, "32FC1"), depth)


def test_millimetres_are_rounded_and_zero_where_invalid_or_too_far():
    depth = np.array([[1.2344, 1.2346, NAN, INF, 65.535, 65.54, 200.0]], np.float32)
    pixels = encode_depth(depth, "16UC1")
    assert pixels.dtype == np.uint16
    assert pixels.tolist() == [[1234, 1235, 0, 0, 65535, 0, 0]]


def test_other_encodings_are_refused():
    with pytest.raises(ValueError, match="64FC1"):
        encode_depth(np.zeros((1, 1), np.float32), "64FC1")


def test_confidence_is_the_share_of_errors_within_the_tolerance():
    """Checked on sampled Laplace errors whose 68.3 % quantile is sigma."""
    depth, sigma, tolerance = 20.0, 3.0, 0.1
    errors = np.random.default_rng(0).laplace(scale=sigma / -np.log(1 - 0.683), size=200_000)
    assert np.mean(np.abs(errors) <= sigma) == pytest.approx(0.683, abs=0.005)
    expected = np.mean(np.abs(errors) <= tolerance * depth)
    maps = (np.full((1, 1), value, np.float32) for value in (depth, sigma))
    assert confidence(*maps, tolerance)[0, 0] / 255 == pytest.approx(expected, abs=0.005)


def test_confidence_of_the_unknown_is_none_and_of_the_far_is_full():
    depth = np.array([[np.nan, np.inf, 10.0, 10.0]], np.float32)
    sigma = np.array([[1.0, 1.0, np.nan, 1e-6]], np.float32)
    assert confidence(depth, sigma, 0.1).tolist() == [[0, 255, 0, 255]]
