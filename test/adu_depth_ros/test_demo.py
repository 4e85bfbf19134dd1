"""The demo as users run it: a bag, the real node with the real model, real DDS between processes."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytest.importorskip("openvino")
pytest.importorskip("embreex")
pytest.importorskip("PIL")
from adu_depth_core.bags import topics
from adu_depth_core.bags.drive_bag import DriveBagWriter
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.cli import main
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive

CAMERA = Camera(180.0, 180.0, 159.5, 47.5, 320, 96)
FRAMES = 5


def picture(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (*CAMERA.size, 3), dtype=np.uint8)


@pytest.fixture
def drive(tmp_path):
    """A small street: on noise the student would publish nothing."""
    rig, frames = generate_drive(DriveConfig(seed=5, frames=FRAMES, width=320, height=96))
    with DriveBagWriter(tmp_path / "drive", rig) as bag:
        for frame in frames:
            bag.write(frame)
    return tmp_path / "drive"


def run_demo(*arguments):
    command = [sys.executable, "-m", "adu_depth_ros.demo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150)


def test_every_frame_is_answered_judged_and_drawn(drive, shipped_model, tmp_path):
    out = tmp_path / "out"
    finished = run_demo("--bag", drive, "--out", out, "--model", shipped_model)
    assert finished.returncode == 0, finished.stderr

    summary = json.loads((out / "summary.json").read_text())
    assert summary["frames_in"] == FRAMES
    assert summary["frames_out"] + summary["frames_dropped"] == FRAMES
    assert summary["frames_out"] >= 1
    assert 0 < summary["latency_p50_ms"] <= summary["latency_p99_ms"]
    assert summary["abs_rel"] > 0
    assert 0 <= summary["coverage_1sigma"] <= 1
    assert 0 < summary["answered_share"] <= 1
    assert summary["rate_hz"] == pytest.approx(10)
    assert summary["node"]["state"] == "active"
    for words in ("fraction of pixels published", "abs_rel of published pixels", "abs_rel of all pixels"):
        assert words in finished.stdout
    if not summary["frames_dropped"]:  # the release gate measures the same thing
        report = tmp_path / "report"
        judge = ["evaluate-bag", str(drive), "--model", str(shipped_model), "--out", str(report)]
        assert main(judge) == 0
        (model,) = json.loads((report / "metrics.json").read_text(encoding="utf-8"))["models"]
        for name in ("abs_rel", "coverage_1sigma"):
            assert summary["all_pixels"][name] == pytest.approx(model["metrics"][name]["mean"], rel=1e-3)

    # The recorded depth is what was evaluated.
    with BagReader(out / "depth") as recorded:
        counts = recorded.message_counts
    assert counts["/depth/image"] == counts["/uncertainty/image"] == summary["frames_out"]
    assert counts["/depth/camera_info"] == summary["frames_out"]
    video = cv2.VideoCapture(str(out / "demo.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == summary["frames_out"]
    assert cv2.imread(str(out / "frame.png")) is not None
    assert (out / "demo.gif").read_bytes().startswith(b"GIF89a")


def test_no_depth_is_a_failure_that_shows_the_nodes_log_and_leaves_nothing(tmp_path, shipped_model):
    source, out = tmp_path / "uncalibrated", tmp_path / "out"
    with BagWriter(source) as bag:
        for i in range(3):
            stamp = 10**9 + i * 10**8
            info = camera_info_message(CAMERA, stamp, "camera")
            info.k[:], info.p[:] = 0, 0
            bag.write(topics.LEFT_INFO, info, stamp)
            bag.write(topics.LEFT_IMAGE, image_message(picture(i), "rgb8", stamp, "camera"), stamp)
    out.mkdir()
    (out / "summary.json").write_text("{}")  # of a successful demo
    finished = run_demo("--bag", source, "--out", out, "--model", shipped_model)
    assert finished.returncode == 1
    assert "published no depth for 3 images" in finished.stderr
    assert "not calibrated" in finished.stderr  # from the node's log
    assert {path.name for path in tmp_path.iterdir()} == {"uncalibrated"}


def test_a_bag_without_camera_topics_is_refused_before_anything_starts(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/other", camera_info_message(CAMERA, 0, "camera"), 0)
    finished = run_demo("--bag", tmp_path / "bag", "--out", tmp_path / "out")
    assert finished.returncode == 1
    assert f"has no topic {topics.LEFT_IMAGE}, {topics.LEFT_INFO}; it has: /other" in finished.stderr


def test_a_folder_that_is_not_a_demos_is_kept(tmp_path):
    (tmp_path / "thesis.tex").touch()
    finished = run_demo("--out", tmp_path)
    assert finished.returncode == 1
    assert "was not written by this demo" in finished.stderr
    assert (tmp_path / "thesis.tex").exists()
