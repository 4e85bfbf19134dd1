"""LiDAR as ground truth against the exact depth of the same synthetic drive."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("trimesh")
pytest.importorskip("embreex")
from adu_depth_core.bags.frames import FrameReader, ReadingOptions, SkippedFrames
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics
from adu_depth_core.cli import main
from adu_depth_core.inference.predictor import Predictor


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drives") / "drive"
    assert main(["synth-drive", "--bag", str(path), "--frames", "2", "--seed", "0"]) == 0
    return path


def frames_of(drive, truth):
    with BagReader(drive) as reader:
        topics = choose_topics(reader.topics, drive.name, TopicOptions(truth=truth))
    skipped = SkippedFrames()
    frames = list(FrameReader(drive, topics, ReadingOptions(), skipped))
    assert len(frames) == 2
    assert skipped.summary() == ()
    return frames


def counted_pixels(exact, lidar):
    return (lidar.truth > 0) & (lidar.truth < 80) & np.isfinite(exact.truth)


def test_lidar_depth_is_that_of_the_pixel_or_of_the_one_beside_it(drive):
    """At the edge of things a point may fall on either side; elsewhere it must be on the pixel's surface."""
    for exact, lidar in zip(frames_of(drive, "depth"), frames_of(drive, "lidar"), strict=True):
        counted = counted_pixels(exact, lidar)
        assert np.count_nonzero(counted) > 10_000
        near, far = (change(exact.truth, np.ones((3, 3), np.uint8)) for change in (cv2.erode, cv2.dilate))
        fits = (lidar.truth > 0.97 * near) & (lidar.truth < 1.03 * far)
        assert np.mean(~fits[counted]) < 0.004


def test_the_error_of_the_student_is_the_same_by_lidar_and_by_exact_depth(drive, shipped_model):
    pytest.importorskip("openvino")
    predictor = Predictor(shipped_model)
    by_exact, by_lidar = [], []
    for exact, lidar in zip(frames_of(drive, "depth"), frames_of(drive, "lidar"), strict=True):
        counted = counted_pixels(exact, lidar)
        predicted = predictor.predict(exact.image, exact.camera).depth[counted]
        for errors, frame in ((by_exact, exact), (by_lidar, lidar)):
            errors.append(np.mean(np.abs(predicted - frame.truth[counted]) / frame.truth[counted]))
    assert np.mean(by_lidar) == pytest.approx(np.mean(by_exact), rel=0.03)


def test_poses_are_those_of_the_camera(drive):
    first, second = frames_of(drive, "none")
    motion = np.linalg.inv(first.world_from_camera) @ second.world_from_camera
    assert motion[2, 3] > 5 * abs(motion[0, 3])  # forward is z of the optical frame
