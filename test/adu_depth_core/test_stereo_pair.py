from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.stereo_pair import check_pair, disparity_to_depth, right_with_left_camera

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)


@given(st.floats(-40, 40), st.floats(2.0, 80.0), st.floats(30, 50))
def test_a_point_is_where_the_baseline_alone_puts_it(offset, depth, column):
    """The image is a ramp whose grey is the right camera's column."""
    right_camera = replace(CAMERA, cx=CAMERA.cx + offset)
    ramp = np.broadcast_to(np.arange(160, dtype=np.uint8)[:, None], (64, 160, 3))
    moved = right_with_left_camera(ramp.copy(), CAMERA, right_camera)
    baseline = 0.5
    x = (column - CAMERA.cx) / CAMERA.fx * depth - baseline  # in the right camera frame
    sees = right_camera.project(np.array([[x, 0.0, depth]]))[0][0, 0]
    expected = column - CAMERA.fx * baseline / depth  # with one camera for both views
    if 1 <= sees <= 158 and 1 <= expected <= 158:
        there = np.interp(expected, np.arange(160), moved[32, :, 0])
        assert there == pytest.approx(sees, abs=1.1)  # grey is rounded


def test_nothing_is_interpolated_where_the_views_have_one_camera():
    image = np.random.default_rng(0).integers(0, 256, (64, 160, 3), np.uint8)
    assert right_with_left_camera(image, CAMERA, CAMERA) is image


@pytest.mark.parametrize(
    "change", [{"fx": 101.0}, {"fy": 99.0}, {"cy": 32.0}, {"width": 161}, {"height": 63}], ids=str
)
def test_views_of_different_cameras_are_no_pair(change):
    other = replace(CAMERA, **change)
    image = np.zeros((*other.size, 3), np.uint8)
    with pytest.raises(ValueError, match="not a rectified pair"):
        right_with_left_camera(image, CAMERA, other)
    with pytest.raises(ValueError, match="not a rectified pair"):
        check_pair(CAMERA, other)


def test_files_that_give_a_pair_one_camera_cannot_hold_two_columns():
    with pytest.raises(ValueError, match=r"cx 89.5,.*CALIB_ZERO_DISPARITY"):
        check_pair(CAMERA, replace(CAMERA, cx=89.5))


def test_depth_is_focal_times_baseline_over_disparity():
    disparity = np.array([[0.0, 38.44, 384.4]], np.float32)
    np.testing.assert_allclose(disparity_to_depth(disparity, 384.4), [[0.0, 10.0, 1.0]], rtol=1e-6)
