"""LiDAR as ground truth against the exact depth of the same synthetic drive."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("trimesh")
pytest.importorskip("embreex")
from adu_depth_core.bags.frames import FrameReader, ReadingOptions
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics
from adu_depth_core.cli import main


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
    """At object edges a point may fall on either side; elsewhere it must lie on the pixel's surface."""
    for exact, lidar in zip(frames_of(drive, "depth"), frames_of(drive, "lidar"), strict=True):
        counted = counted_pixels(exact, lidar)
        assert np.count_nonzero(counted) > 10_000
        near, far = (change(exact.truth, np.ones((3, 3), np.uint8)) for change in (cv2.erode, cv2.dilate))
        fits = (lidar.truth > 0.97 * near) & (lidar.truth < 1.03 * far)
        assert np.mean(~fits[counted]) < 0.005


def abs_rel(drive, out, model, truth, where):
    """Metrics of `evaluate-bag` over the pixels where both kinds of ground truth have a value."""
    command = ["evaluate-bag", str(drive), "--truth", truth, "--where", where, "--model", str(model)]
    assert main([*command, "--out", str(out)]) == 0
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return metrics["models"][0]["metrics"]["abs_rel"]["mean"]


def test_the_error_of_the_student_is_the_same_by_lidar_and_by_exact_depth(drive, shipped_model, tmp_path):
    pytest.importorskip("openvino")
    pytest.importorskip("jinja2")
    by_exact = abs_rel(drive, tmp_path / "exact", shipped_model, "depth", "lidar")
    by_lidar = abs_rel(drive, tmp_path / "lidar", shipped_model, "lidar", "depth")
    assert by_lidar == pytest.approx(by_exact, rel=0.03)


def far_wall(frame):
    return np.full(frame.camera.size, 15.0)


def flat_road(frame):
    camera = frame.camera
    below_horizon = np.maximum(np.arange(camera.height) - camera.cy, 0.5)
    return np.repeat(np.clip(1.65 * camera.fy / below_horizon, 1, 80)[:, None], camera.width, axis=1)


@pytest.mark.parametrize("prediction", [far_wall, flat_road])
def test_the_error_of_predictions_that_know_no_objects_is_the_same_too(drive, prediction):
    """The student is wrong where the LiDAR points are, at object edges; these errors lie elsewhere."""
    by_exact, by_lidar = [], []
    for exact, lidar in zip(frames_of(drive, "depth"), frames_of(drive, "lidar"), strict=True):
        counted = counted_pixels(exact, lidar)
        predicted = prediction(exact)[counted]
        for errors, frame in ((by_exact, exact), (by_lidar, lidar)):
            errors.append(np.mean(np.abs(predicted - frame.truth[counted]) / frame.truth[counted]))
    assert np.mean(by_lidar) == pytest.approx(np.mean(by_exact), rel=0.03)


def test_poses_are_those_of_the_camera(drive):
    first, second = frames_of(drive, "none")
    motion = np.linalg.inv(first.world_from_camera) @ second.world_from_camera
    assert motion[2, 3] > 5 * abs(motion[0, 3])  # forward is z of the optical frame
