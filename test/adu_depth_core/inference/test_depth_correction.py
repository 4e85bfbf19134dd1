"""Effect of a correction on depth, computed by hand."""

import math

import numpy as np
import pytest

from adu_depth_core.inference.depth_correction import DepthCorrection


def factor(correction, depth, slope=0.0):
    return float(np.exp(correction.log_factor(np.array([depth]), np.array([slope])))[0])


def test_nothing_is_changed_without_a_reason():
    assert factor(DepthCorrection(), 37.0, 0.2) == 1.0


def test_scale_holds_everywhere_and_the_exponent_turns_around_ten_metres():
    correction = DepthCorrection(math.log(1.25), 0.5)
    assert correction.scale == pytest.approx(1.25)
    assert factor(correction, 10.0) == pytest.approx(1.25)
    assert factor(correction, 40.0) == pytest.approx(1.25 * 2.0)


@pytest.mark.parametrize(
    ("slope", "expected"), [(-1.0, 0.8), (0.0, 0.8), (0.1, 1.0), (0.2, 1.25), (3.0, 1.25)]
)
def test_rows_are_interpolated_and_constant_beyond(slope, expected):
    correction = DepthCorrection(row_slopes=(0.0, 0.2), row_logs=(math.log(0.8), math.log(1.25)))
    assert factor(correction, 5.0, slope) == pytest.approx(expected)


def test_slopes_of_rows_go_with_a_whole_map():
    correction = DepthCorrection(row_slopes=(-0.5, 0.5), row_logs=(0.0, 1.0))
    depth = np.full((3, 4), 8.0, np.float32)
    change = correction.log_factor(depth, np.array([[-0.5], [0.0], [0.5]], np.float32))
    assert change.dtype == np.float32
    np.testing.assert_allclose(change, np.repeat([[0.0], [0.5], [1.0]], 4, axis=1), atol=1e-6)


def test_it_says_what_it_does():
    assert str(DepthCorrection(math.log(1.234), -0.1)) == "depth x 1.234 x (depth / 10 m)^-0.100"
