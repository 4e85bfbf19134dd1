import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sensor_msgs")
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import Window, camera_from_info
from adu_depth_ros.derived_camera_info import cropped_info, resized_info

K = [700.0, 0.0, 600.0, 0.0, 710.0, 180.0, 0.0, 0.0, 1.0]
P = [720.0, 0.0, 610.0, -388.8, 0.0, 725.0, 172.0, 7.0, 0.0, 0.0, 1.0, 0.0]


def info(**fields):
    return CameraInfo(**{"width": 1242, "height": 375, "k": K, "p": P} | fields)


def test_a_rectified_image_has_the_focal_of_p_and_a_raw_one_that_of_k():
    assert camera_from_info(info(), 1242, 375).fx == 720.0
    assert camera_from_info(info(), 1242, 375, rectified=False).fx == 700.0


def test_k_serves_where_p_is_not_filled_in():
    assert camera_from_info(info(p=[0.0] * 12), 1242, 375).fy == 710.0


def test_a_region_of_interest_moves_the_principal_point():
    roi = RegionOfInterest(x_offset=100, y_offset=50, width=640, height=192)
    camera = camera_from_info(info(roi=roi), 640, 192)
    assert (camera.fx, camera.cx, camera.cy) == (720.0, 510.0, 122.0)


def test_binning_divides_the_focal():
    camera = camera_from_info(info(binning_x=2, binning_y=3), 621, 125)
    assert (camera.fx, camera.fy) == (360.0, pytest.approx(725 / 3))
    # Sensor pixels 0 and 1 become image pixel 0, whose centre is at 0.5 in sensor pixels.
    assert camera.cx == pytest.approx((610.0 - 0.5) / 2)


def test_an_uncalibrated_camera_is_an_error():
    with pytest.raises(ValueError, match=r"not calibrated \(K\[0\] is 0\)"):
        camera_from_info(CameraInfo(width=1242, height=375), 1242, 375)


def test_a_calibration_of_another_size_is_an_error():
    with pytest.raises(ValueError, match=r"is of a 375x1242 image .*, the image is 480x640"):
        camera_from_info(info(), 640, 480)


def test_a_region_outside_the_sensor_is_an_error():
    roi = RegionOfInterest(x_offset=1000, width=640, height=375)
    with pytest.raises(ValueError, match="outside"):
        camera_from_info(info(roi=roi), 640, 375)


def test_resizing_scales_k_p_and_the_baseline_terms():
    half = resized_info(info(d=[0.1], distortion_model="plumb_bob"), 621, 125)
    assert (half.width, half.height) == (621, 125)
    assert half.p[0] == 360.0
    assert half.p[3] == pytest.approx(-388.8 / 2)
    assert half.p[7] == pytest.approx(7.0 / 3)
    assert half.k[4] == pytest.approx(710.0 / 3)
    assert (list(half.d), half.distortion_model) == ([0.1], "plumb_bob")


@given(
    x_offset=st.integers(0, 300),
    y_offset=st.integers(0, 100),
    width=st.integers(32, 400),
    height=st.integers(32, 200),
    binning=st.integers(0, 2),
    new_width=st.integers(16, 400),
    new_height=st.integers(16, 200),
    rectified=st.booleans(),
)
def test_resizing_the_calibration_is_resizing_the_camera(
    x_offset, y_offset, width, height, binning, new_width, new_height, rectified
):
    bin_by = max(1, binning)
    width, height = width * bin_by, height * bin_by
    roi = RegionOfInterest(
        x_offset=x_offset, y_offset=y_offset, width=min(width, 900), height=min(height, 250)
    )
    roi.width -= roi.width % bin_by
    roi.height -= roi.height % bin_by
    source = info(roi=roi, binning_x=binning, binning_y=binning)
    camera = camera_from_info(source, roi.width // bin_by, roi.height // bin_by, rectified)
    expected = camera.resize(new_width, new_height)
    message = resized_info(source, new_width, new_height)
    matrix = message.p.reshape(3, 4) if rectified else message.k.reshape(3, 3)
    resized = Camera.from_matrix(matrix, message.width, message.height)
    for name in ("fx", "fy", "cx", "cy"):
        assert getattr(resized, name) == pytest.approx(getattr(expected, name), abs=1e-9)
    assert resized.size == expected.size
    assert np.reshape(source.p, (3, 4))[0, 0] == 720.0  # the source is unchanged


@pytest.mark.parametrize(
    ("fields", "width", "height"),
    [
        ({}, 1242, 375),
        ({"binning_x": 2, "binning_y": 3}, 621, 125),
        ({"roi": RegionOfInterest(x_offset=100, y_offset=50, width=640, height=192)}, 640, 192),
        (
            {
                "roi": RegionOfInterest(x_offset=100, y_offset=50, width=640, height=192),
                "binning_x": 2,
                "binning_y": 2,
            },
            320,
            96,
        ),
    ],
    ids=["whole", "binned", "part", "part, binned"],
)
def test_the_calibration_of_a_part_is_that_of_the_cropped_camera(fields, width, height):
    region = Window(30, 20, 200, 70)
    whole = camera_from_info(info(**fields), width, height)
    part = camera_from_info(cropped_info(info(**fields), region), 200, 70)
    expected = whole.crop(*region)
    assert (part.width, part.height) == (200, 70)
    for name in ("fx", "fy", "cx", "cy"):
        assert getattr(part, name) == pytest.approx(getattr(expected, name))
