import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adu_depth_core.camera import Camera
from adu_depth_core.inference.depth_output import encode_depth, mark_depth
from adu_depth_core.inference.prediction import Prediction

pytest.importorskip("rosbags")
from adu_depth_core.replay.depth_comparison import Expectation, compare_depth, compare_sigma

EXPECTATION = Expectation(max_depth=50.0, max_relative_sigma=0.2, tolerance=0.01)


def prediction(depth, sigma):
    depth, sigma = np.array([depth], np.float32), np.array([sigma], np.float32)
    return Prediction(depth, sigma, Camera(100, 100, 0, 0, depth.shape[1], 1))


def compare(published, depth, sigma):
    return compare_depth(np.array([published], np.float32), prediction(depth, sigma), EXPECTATION)


@given(
    depth=arrays(np.float32, (3, 4), elements=st.floats(0.5, 79.5, width=32)),
    relative_sigma=arrays(np.float32, (3, 4), elements=st.floats(0.0625, 0.75, width=32)),
    noise=st.floats(-0.0009, 0.0009),
    encoding=st.sampled_from(["32FC1", "16UC1"]),
)
def test_what_the_node_publishes_is_equal_whatever_the_runtime_rounds(depth, relative_sigma, noise, encoding):
    sigma = relative_sigma * depth
    expectation = Expectation()
    limits = (expectation.max_depth, expectation.max_relative_sigma)
    published = encode_depth(mark_depth(depth * np.float32(1 + noise), sigma, *limits), encoding)
    difference = compare_depth(published, Prediction(depth, sigma, Camera(9, 9, 1, 1, 4, 3)), expectation)
    assert difference.none, difference


def test_differences_are_relative_and_counted():
    difference = compare([10.0, 10.05, 20.4, 18.0], [10, 10, 20, 20], [1, 1, 1, 1])
    assert difference.largest == pytest.approx(0.1)
    assert (difference.beyond, difference.marked) == (2, 0)


@pytest.mark.parametrize(
    ("published", "depth", "sigma"),
    [
        (np.nan, 10.0, 1.0),  # certain, but marked as uncertain
        (10.0, 10.0, 3.0),  # uncertain, but not marked
        (np.inf, 40.0, 1.0),  # near, but marked as far
        (60.0, 60.0, 1.0),  # far, but not marked
        (np.inf, 60.0, 30.0),  # uncertain takes precedence over far
        (-np.inf, 60.0, 1.0),  # the node never marks pixels so
    ],
)
def test_a_wrong_mark_is_a_difference(published, depth, sigma):
    assert compare([published], [depth], [sigma]).marked == 1


@pytest.mark.parametrize(
    ("published", "depth", "sigma"),
    [(np.nan, 10.0, 1.999), (10.0, 10.0, 2.001), (np.inf, 49.9, 1.0), (50.1, 50.1, 1.0)],
)
def test_pixels_at_a_limit_may_fall_on_either_side(published, depth, sigma):
    assert compare([published], [depth], [sigma]).none


def test_millimetres_that_should_be_there_are_missed():
    published = np.array([[0, 0, 10_000, 10_300]], np.uint16)
    difference = compare_depth(published, prediction([10, 30, 10, 10], [1, 9, 1, 1]), EXPECTATION)
    assert (difference.marked, difference.beyond) == (1, 1)


def test_sigma_is_never_marked():
    published = np.array([[1.0, 1.1, np.nan]], np.float32)
    difference = compare_sigma(published, prediction([10, 10, 10], [1, 1, 1]), EXPECTATION)
    assert (difference.beyond, difference.marked) == (1, 1)
    assert difference.largest == pytest.approx(0.1)


def test_another_size_is_an_error():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(1, 1\)"):
        compare_depth(np.ones((2, 2), np.float32), prediction([1], [1]), EXPECTATION)
