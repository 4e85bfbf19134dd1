"""Cameras of rectified images, from KITTI text files and ROS camera_info YAML."""

import numpy as np
import pytest

from adu_depth_core.datasets.calibration_file import read_calibration
from adu_depth_core.errors import UserError

KITTI = "P0: 7e2 0 6e2 0 0 7e2 2e2 0 0 0 1 0\nP2: 718.8 0 607.2 45.4 0 718.9 185.2 -1.1 0 0 1 0.004\n"

CAMERA_CALIBRATION = """\
image_width: 640
image_height: 480
camera_name: front
camera_matrix: {rows: 3, cols: 3, data: [500.0, 0, 320.0, 0, 501.0, 240.0, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
projection_matrix: {rows: 3, cols: 4, data: [480.0, 0, 318.0, 0, 0, 481.0, 241.0, 0, 0, 0, 1, 0]}
"""

TOPIC_ECHO = """\
header:
  frame_id: camera
height: 480
width: 640
distortion_model: plumb_bob
d:
- 0.1
- -0.2
k: [500.0, 0.0, 320.0, 0.0, 501.0, 240.0, 0.0, 0.0, 1.0]
p: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
---
"""


def write(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_kitti_is_its_left_colour_camera(tmp_path):
    camera = read_calibration(write(tmp_path, "calib.txt", KITTI), 1241, 376)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (718.8, 718.9, 607.2, 185.2)
    assert camera.size == (376, 1241)


def test_ros_projection_matrix_is_that_of_the_rectified_image(tmp_path):
    camera = read_calibration(write(tmp_path, "front.yaml", CAMERA_CALIBRATION), 640, 480)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (480.0, 481.0, 318.0, 241.0)


def test_ros_camera_matrix_serves_where_p_is_empty_and_distortion_is_told(tmp_path, caplog):
    camera = read_calibration(write(tmp_path, "echo.yml", TOPIC_ECHO), 640, 480)
    assert np.allclose(camera.matrix, [[500, 0, 320], [0, 501, 240], [0, 0, 1]])
    assert "must be rectified" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.yaml",
            CAMERA_CALIBRATION.replace("640", "320"),
            "images of 480x320 pixels, this one has 480x640",
        ),
        ("a.yaml", TOPIC_ECHO.replace("500.0", "0.0"), "has no calibrated matrix"),
        ("a.yaml", TOPIC_ECHO.replace("501.0", "-1.0"), r"a\.yaml: camera fy is -1.0"),
        ("a.yaml", "k: [1, 2", "cannot be read"),
        ("a.yaml", "- 1", "is not a camera_info"),
        ("a.yaml", TOPIC_ECHO.replace("[500.0,", "[far,"), "must be numbers"),
        ("a.txt", "P0: 1 2 3", "no P2"),
    ],
)
def test_an_unusable_calibration_is_named(tmp_path, name, text, message):
    with pytest.raises(UserError, match=message):
        read_calibration(write(tmp_path, name, text), 640, 480)
