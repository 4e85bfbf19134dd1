import numpy as np
import pytest

from adu_depth_core.datasets.kitti_calibration import (
    read_camera,
    read_cameras,
    read_projections,
    read_stereo_calibration,
)
from adu_depth_core.errors import UserError

# The rectified projections of KITTI's recording day 2011_09_26, from its calibration file.
LEFT = "7.215377e+02 0 6.095593e+02 4.485728e+01 0 7.215377e+02 1.728540e+02 2.163791e-01 0 0 1 2.745884e-03"
RIGHT = (
    "7.215377e+02 0 6.095593e+02 -3.395242e+02 0 7.215377e+02 1.728540e+02 2.199936e+00 0 0 1 2.729905e-03"
)
ROTATION = "1 0 0 0 1 0 0 0 1"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("left", "right"), [("P2", "P3"), ("P_rect_02", "P_rect_03")])
def test_camera_and_baseline_of_the_colour_pair(tmp_path, left, right):
    path = write(
        tmp_path / "calib.txt", f"calib_time: 09-Jan-2012 13:57:47\n{left}: {LEFT}\n{right}: {RIGHT}\n"
    )
    camera, baseline = read_stereo_calibration(path, 1242, 375)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (721.5377, 721.5377, 609.5593, 172.854)
    assert camera.size == (375, 1242)
    assert baseline == pytest.approx((44.85728 + 339.5242) / 721.5377)
    assert camera.fx * baseline == pytest.approx(384.4, abs=0.05)


def test_matrices_have_their_shapes(tmp_path):
    path = write(
        tmp_path / "calib.txt", f"P2: {LEFT}\nR0_rect: {ROTATION}\nS_rect_02: 1242 375\n\nno colon\n"
    )
    matrices = read_projections(path)
    assert {name: matrix.shape for name, matrix in matrices.items()} == {
        "P2": (3, 4),
        "R0_rect": (3, 3),
        "S_rect_02": (2,),
    }
    np.testing.assert_array_equal(matrices["R0_rect"], np.eye(3))


def test_one_camera_is_enough_for_a_single_view(tmp_path):
    path = write(tmp_path / "calib.txt", f"P2: {LEFT}\n")
    camera, baseline = read_cameras(path, 1242, 375)
    assert camera.fx == 721.5377
    assert baseline is None
    with pytest.raises(UserError, match=r"calib.txt: no P3 or P_rect_03"):
        read_stereo_calibration(path, 1242, 375)


def test_swapped_cameras_are_refused(tmp_path):
    path = write(tmp_path / "calib.txt", f"P2: {RIGHT}\nP3: {LEFT}\n")
    with pytest.raises(UserError, match=r"calib.txt: the baseline to the right camera is -0.53"):
        read_stereo_calibration(path, 1242, 375)


@pytest.mark.parametrize(
    ("number", "changed", "shown"),
    [
        ("6.095593e+02", "6.195593e+02", "cx 619.559"),
        ("1.728540e+02", "1.738540e+02", "cy 173.854"),
        ("7.215377e+02", "7.225377e+02", "fx 722.538"),
    ],
)
def test_views_that_do_not_have_one_camera_are_refused(tmp_path, number, changed, shown):
    """Disparity of such a pair is not fx * baseline / z: an offset of 10 px turned 10 m into 6.67 m."""
    path = write(tmp_path / "calib.txt", f"P2: {LEFT}\nP3: {RIGHT.replace(number, changed, 1)}\n")
    with pytest.raises(UserError, match=rf"calib.txt: .*{shown}.* not a rectified pair"):
        read_stereo_calibration(path, 1242, 375)
    assert read_camera(path, 1242, 375).cx == 609.5593


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no P2 or P_rect_02 .*found: nothing"),
        (f"P0: {LEFT}\n", r"no P2 or P_rect_02 .*found: P0"),
        ("P2: 1 2 3\n", r"no P2 or P_rect_02 line with 12 numbers"),
        (f"P0: {LEFT}\nP2: 721.5 zero 609.6\n", r"calib.txt:2: .*'zero'"),
        ("P2: " + LEFT.replace("7.215377e+02", "0", 1), r"calib.txt: camera fx is 0.0: .*not calibrated"),
    ],
)
def test_a_file_without_a_usable_camera_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read_cameras(write(tmp_path / "calib.txt", text), 1242, 375)


def test_a_missing_or_binary_file_is_named(tmp_path):
    path = tmp_path / "calib.txt"
    with pytest.raises(UserError, match=r"calib.txt: calibration cannot be read"):
        read_cameras(path, 1242, 375)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UserError, match=r"calib.txt: calibration cannot be read"):
        read_cameras(path, 1242, 375)
