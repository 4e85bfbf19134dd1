"""Frames for calibration and comparison carry their cameras where known."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")

from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.deploy.input_frames import (
    Frame,
    describe_cameras,
    network_inputs,
    read_frames,
    typical_camera,
)
from adu_depth_core.model_card import ModelCard

CARD = ModelCard(
    "m", "student", "none", 192, 640, f_ref=370.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.0
)
CAMERA = Camera(90.0, 95.0, 50.0, 20.0, 96, 48)


def write_bag(path, camera=CAMERA, frames=5, info=True):
    with BagWriter(path) as bag:
        for index in range(frames):
            image = np.full((*CAMERA.size, 3), 40 * index, np.uint8)
            bag.write(topics.LEFT_IMAGE, image_message(image, "rgb8", index, topics.LEFT_FRAME), index)
            if info:
                message = camera_info_message(camera, index, topics.LEFT_FRAME)
                bag.write(topics.LEFT_INFO, message, index)
    return path


def test_a_bags_frames_have_its_camera(tmp_path):
    frames = read_frames(write_bag(tmp_path / "bag"), 3)
    assert [frame.image[0, 0, 0] for frame in frames] == [0, 80, 160]
    assert [frame.camera for frame in frames] == 3 * [CAMERA]
    assert describe_cameras(frames) == "as calibrated"
    seen = network_inputs(frames, CARD, (96, 192))[1]
    assert seen.image.shape == (1, 3, 96, 192)
    np.testing.assert_allclose(seen.camera, [[180.0, 190.0, 100.5, 40.5]])


def test_a_camera_that_is_told_goes_before_the_bags(tmp_path):
    told = Camera(80.0, 80.0, 47.5, 23.5, 96, 48)
    frames = read_frames(write_bag(tmp_path / "bag"), 2, lambda width, height: told)
    assert [frame.camera for frame in frames] == [told, told]


def test_a_calibration_of_another_image_is_told_and_not_used(tmp_path, caplog):
    bag = write_bag(tmp_path / "bag", Camera(90.0, 90.0, 50.0, 20.0, 640, 480))
    (frame,) = read_frames(bag, 1)
    assert frame.camera is None
    assert "a camera is assumed" in caplog.text
    assert "480x640" in caplog.text


def test_without_calibration_a_typical_camera_is_assumed(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((375, 1242, 3), np.uint8))
    for frames in (read_frames(tmp_path / "1.png", 4), read_frames(write_bag(tmp_path / "b", info=False), 4)):
        assert all(frame.camera is None for frame in frames)
        assert describe_cameras(frames) == "assumed, 82 degrees across"
    assert typical_camera(1242, 375).fx == pytest.approx(721, rel=0.01)  # KITTI's is 721.5
    seen = network_inputs([Frame(np.zeros((375, 1242, 3), np.uint8))], CARD, (192, 640))
    assert seen[0].camera[0, 0] == pytest.approx(CARD.f_ref, rel=0.02)
