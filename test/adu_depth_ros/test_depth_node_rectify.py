"""Distorted images rectified by the node: depth matches that of the image undistorted with OpenCV."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
import cv2
from sensor_msgs.msg import CameraInfo, Image

from adu_depth_core.camera import Camera
from adu_depth_core.inference.predictor import Predictor

WIDTH, HEIGHT = 160, 48
K = np.array([[100.0, 0, 80.0], [0, 100.0, 24.0], [0, 0, 1]])
P = np.array([[90.0, 0, 78.0, 0], [0, 90.0, 25.0, 0], [0, 0, 1, 0]])
TURN = cv2.Rodrigues(np.array([0.01, -0.02, 0.005]))[0]

LENSES = {
    "plumb_bob": ([-0.3, 0.1, 0.001, -0.002, 0.0], cv2.initUndistortRectifyMap),
    "rational_polynomial": ([0.1, -0.2, 0.001, 0.001, 0.01, 0.4, -0.1, 0.02], cv2.initUndistortRectifyMap),
    "equidistant": ([-0.05, 0.01, -0.002, 0.0], cv2.fisheye.initUndistortRectifyMap),
}


@pytest.fixture(scope="module")
def picture():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    channels = [120 + 100 * np.sin(columns / a + rows / b) for a, b in ((9, 31), (14, 11), (40, 8))]
    return np.stack(channels, axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def node(start_node, camera, shipped_model):
    process = start_node(
        "-p", f"model:={shipped_model}", "-p", "rectify:=true", "-p", "max_relative_sigma:=100.0"
    )
    camera.wait_for_subscriber()
    return process


@pytest.fixture(scope="module")
def outputs(client, node):
    return {
        "depth": client.listen(Image, "depth/image"),
        "info": client.listen(CameraInfo, "depth/camera_info"),
    }


@pytest.fixture
def depth_of(camera, outputs, picture, wait_for):
    def send(**calibration):
        for messages in outputs.values():
            messages.clear()

        def sent():
            header = camera.header()
            camera.send_info(header, k=K.ravel(), **calibration)
            camera.send_image(header, data=picture.tobytes())
            time.sleep(0.1)
            # The first result may still use the previous calibration.
            return min(map(len, outputs.values())) >= 2

        wait_for(sent, "depth")
        message = outputs["depth"][-1]
        return np.frombuffer(message.data, np.float32).reshape(HEIGHT, WIDTH), outputs["info"][-1]

    return send


def expected(picture, shipped_model, model, distortion, view, turn):
    undistort = LENSES[model][1]
    maps = undistort(K, np.array(distortion), turn, view, (WIDTH, HEIGHT), cv2.CV_16SC2)
    image = cv2.remap(picture, *maps, cv2.INTER_LINEAR)
    seen = cv2.remap(np.full((HEIGHT, WIDTH), 255, np.uint8), *maps, cv2.INTER_LINEAR) == 255
    camera = Camera.from_matrix(view, WIDTH, HEIGHT)
    return Predictor(shipped_model, network_size=(64, 192), threads=1).predict(image, camera).depth, seen


@pytest.mark.parametrize("model", LENSES)
def test_depth_is_that_of_the_undistorted_image(depth_of, picture, shipped_model, model):
    distortion = LENSES[model][0]
    depth, info = depth_of(distortion_model=model, d=distortion, r=TURN.ravel(), p=P.ravel())
    reference, seen = expected(picture, shipped_model, model, distortion, P[:, :3], TURN)
    assert 0.5 < seen.mean() < 1.0
    assert np.isnan(depth[~seen]).all()
    near = seen & np.isfinite(depth)
    assert near.mean() > 0.4
    assert np.abs(depth[near] - reference[near]).max() < 1e-3 * reference.max()
    assert (info.p[0], info.p[2]) == (90.0, 78.0)


def test_without_p_the_view_is_that_of_k(depth_of, picture, shipped_model):
    distortion = LENSES["plumb_bob"][0]
    depth, info = depth_of(distortion_model="plumb_bob", d=distortion, p=[0.0] * 12)
    reference, seen = expected(picture, shipped_model, "plumb_bob", distortion, K, np.eye(3))
    near = seen & np.isfinite(depth)
    assert np.abs(depth[near] - reference[near]).max() < 1e-3 * reference.max()
    assert list(info.p.reshape(3, 4)[:, :3].ravel()) == list(K.ravel())


def test_a_lens_that_is_not_described_is_a_bad_frame(node, camera):
    header = camera.header()
    camera.send_info(header, distortion_model="thin_prism", d=[0.1] * 5)
    camera.send_image(header)
    node.wait_for_error("camera_info has the distortion model 'thin_prism', which is unknown")
