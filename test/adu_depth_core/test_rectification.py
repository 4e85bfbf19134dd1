"""Image and depth of a raw camera stay aligned when rectified."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rosbags")
from adu_depth_core.bags.messages import camera_info_message
from adu_depth_core.camera import Camera
from adu_depth_core.rectification import Rectifier

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)
POST, BACKGROUND = 5.0, 50.0

angles = st.floats(-0.15, 0.15)


def turned(about_x, about_y, about_z):
    cx, cy, cz = np.cos([about_x, about_y, about_z])
    sx, sy, sz = np.sin([about_x, about_y, about_z])
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return z @ y @ x


def calibration(distortion, model="plumb_bob", rotation=None):
    info = camera_info_message(CAMERA, 0, "camera")
    info.d, info.distortion_model = np.array(distortion, float), model
    if rotation is not None:
        info.r = rotation.ravel()
    return info


lenses = st.one_of(
    st.tuples(
        st.floats(-0.4, 0.2), st.floats(-0.05, 0.1), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01)
    ).map(lambda d: calibration([*d, 0.0])),
    st.tuples(st.floats(-0.1, 0.1), st.floats(-0.05, 0.05)).map(
        lambda d: calibration([*d, 0.0, 0.0], "equidistant")
    ),
)


@given(lenses, st.integers(0, 150), st.integers(2, 40))
@settings(max_examples=40)
def test_a_post_covers_the_same_pixels_of_image_and_depth(info, left, width):
    in_post = np.zeros(CAMERA.size, bool)
    in_post[:, left : left + width] = True
    rectifier = Rectifier(info)
    image = rectifier(np.where(in_post, np.uint8(250), np.uint8(50)))
    depth = rectifier.depth(np.where(in_post, np.float32(POST), np.float32(BACKGROUND)))
    # Interpolated grey tells which side the pixel centre is on, unless it is half of each or, at the
    # border, of neither.
    seen = rectifier(np.full(CAMERA.size, 255, np.uint8)) == 255
    np.testing.assert_array_equal(depth[seen & (image > 160)], np.float32(POST))
    np.testing.assert_array_equal(depth[seen & (image < 140)], np.float32(BACKGROUND))
    assert np.isin(depth, np.float32([0, POST, BACKGROUND])).all()


@given(st.tuples(angles, angles, angles))
@settings(max_examples=40)
def test_depth_is_that_along_the_axis_of_the_rectified_view(turn):
    """A wall parallel to the raw image plane is oblique in a rotated view."""
    rotation = turned(*turn)
    rectifier = Rectifier(calibration(np.zeros(5), rotation=rotation))
    depth = rectifier.depth(np.full(CAMERA.size, 10.0, np.float32))
    points = CAMERA.unproject(depth)[depth > 0] @ rotation  # back in the raw camera frame
    assert len(points) > 2000
    np.testing.assert_allclose(points[:, 2], 10.0, rtol=1e-5)


def test_depth_that_is_unknown_or_beyond_range_stays_so():
    raw = np.full(CAMERA.size, np.nan, np.float32)
    raw[:, 80:] = np.inf
    depth = Rectifier(calibration([-0.3, 0.1, 0, 0, 0], rotation=turned(0.0, 0.05, 0.0))).depth(raw)
    assert np.isnan(depth).any()
    assert np.isposinf(depth).any()
    assert not np.isfinite(depth[depth != 0]).any()


def test_a_part_of_the_sensor_is_rectified_as_the_whole_is():
    """Binned by two and cropped: the same scene on the same rays."""
    info = calibration([-0.3, 0.08, 0.001, -0.002, 0.0])
    rows, columns = np.mgrid[:64, :160].astype(np.float32)
    pattern = (60 * np.sin(columns / 9) + 60 * np.cos(rows / 7) + 128).astype(np.uint8)
    whole = Rectifier(info)(pattern).astype(int)
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 20, 10, 120, 44
    part = Rectifier(info, (120, 44))
    # At the edges the region of the rectified view extends beyond the sensor region.
    inner = ~part.unseen
    assert inner.mean() > 0.8
    assert np.abs(part(pattern[10:54, 20:140]).astype(int) - whole[10:54, 20:140])[inner].max() <= 1
    assert part.camera.cx == CAMERA.cx - 20


def test_masks_move_as_images_do():
    rectifier = Rectifier(calibration([-0.3, 0.08, 0.0, 0.0, 0.0]))
    mask = np.zeros(CAMERA.size, bool)
    mask[40:] = True
    image = rectifier(np.where(mask, np.uint8(250), np.uint8(50)))
    moved = rectifier.mask(mask)
    assert np.array_equal(moved[image > 160], np.ones((image > 160).sum(), bool))
    assert not moved[(image < 140) & ~rectifier.unseen].any()


@pytest.mark.parametrize(
    ("distortion", "model", "message"),
    [
        ([0.1] * 5, "thin_prism", "'thin_prism', which is unknown: known are plumb_bob"),
        ([0.1] * 3, "plumb_bob", "3 coefficients of plumb_bob: must be 0 or 4 or 5"),
        ([0.1] * 5, "rational_polynomial", "5 coefficients of rational_polynomial: must be 8 or 12 or 14"),
        ([], "equidistant", "0 coefficients of equidistant"),
    ],
)
def test_a_lens_that_is_not_described_is_an_error(distortion, model, message):
    with pytest.raises(ValueError, match=message):
        Rectifier(calibration(distortion, model))
