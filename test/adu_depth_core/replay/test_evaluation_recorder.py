"""The recorded bag, read by independent libraries, and the layouts that display it."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction

pytest.importorskip("rosbags")
from adu_depth_core.bags import topics
from adu_depth_core.replay.evaluation_recorder import EvaluationRecorder

CONFIG = Path(__file__).resolve().parents[3] / "config"
CAMERA = Camera(50.0, 51.0, 3.5, 1.5, 8, 4)
RECORDED = {
    topics.LEFT_IMAGE,
    topics.LEFT_INFO,
    topics.DEPTH,
    topics.DEPTH_INFO,
    topics.SIGMA,
    topics.ERROR,
}


def frame(index):
    rng = np.random.default_rng(index)
    image = rng.integers(0, 256, (4, 8, 3), dtype=np.uint8)
    depth, sigma, truth = rng.uniform(1, 80, (3, 4, 8)).astype(np.float32)
    truth[0], truth[1, 0], truth[1, 1] = 0, np.nan, np.inf
    return image, Prediction(depth, sigma, CAMERA), truth


@pytest.fixture
def bag(tmp_path):
    with EvaluationRecorder(tmp_path / "record") as recorder:
        for i in range(3):
            recorder.write(10**9 + i * 10**8, "front_optical", *frame(i))
    return tmp_path / "record"


def test_independent_readers_decode_every_message(bag):
    pytest.importorskip("mcap")
    pytest.importorskip("mcap_ros2")
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    seen = {}
    with open(bag / "record.mcap", "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        announced = reader.get_summary().statistics.message_count
        for _, channel, message, decoded in reader.iter_decoded_messages():
            assert decoded.header.frame_id == "front_optical"
            stamp = decoded.header.stamp.sec * 10**9 + decoded.header.stamp.nanosec
            assert stamp == message.log_time
            seen[channel.topic, stamp] = decoded
    assert len(seen) == announced == 3 * len(RECORDED)
    for i in range(3):
        stamp = 10**9 + i * 10**8
        image, prediction, truth = frame(i)
        picture = seen[topics.LEFT_IMAGE, stamp]
        assert (picture.encoding, picture.width, picture.height, picture.step) == ("rgb8", 8, 4, 24)
        assert bytes(picture.data) == image.tobytes()
        depth, sigma, error = (
            np.frombuffer(bytes(seen[topic, stamp].data), np.float32).reshape(4, 8)
            for topic in (topics.DEPTH, topics.SIGMA, topics.ERROR)
        )
        np.testing.assert_array_equal(depth, prediction.depth)
        np.testing.assert_array_equal(sigma, prediction.sigma)
        assert np.isnan(error).sum() == 8 + 2
        np.testing.assert_allclose(error[2:], (prediction.depth - truth)[2:])
        for topic in (topics.LEFT_INFO, topics.DEPTH_INFO):
            info = seen[topic, stamp]
            assert (info.width, info.height, list(info.k)) == (8, 4, CAMERA.matrix.ravel().tolist())


def test_without_truth_there_is_no_error(tmp_path):
    from adu_depth_core.bags.reader import BagReader

    image, prediction, _ = frame(0)
    with EvaluationRecorder(tmp_path / "record") as recorder:
        recorder.write(5, "camera", image, prediction)
    with BagReader(tmp_path / "record") as reader:
        assert set(reader.topics) == RECORDED - {topics.ERROR}


def test_a_failed_evaluation_leaves_no_bag(tmp_path):
    def fail():
        with EvaluationRecorder(tmp_path / "record") as recorder:
            recorder.write(5, "camera", *frame(0))
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_foxglove_layout_shows_what_is_recorded():
    layout = json.loads((CONFIG / "foxglove_layout.json").read_text(encoding="utf-8"))
    panels = layout["configById"]
    assert {panel["imageMode"]["imageTopic"] for panel in panels.values()} == {
        topics.LEFT_IMAGE,
        topics.DEPTH,
        topics.SIGMA,
        topics.ERROR,
    }
    assert {panel["imageMode"]["calibrationTopic"] for panel in panels.values()} <= RECORDED

    def leaves(node):
        return [node] if isinstance(node, str) else leaves(node["first"]) + leaves(node["second"])

    assert sorted(leaves(layout["layout"])) == sorted(panels)


def test_the_rviz_layout_shows_what_is_recorded():
    manager = yaml.safe_load((CONFIG / "replay.rviz").read_text(encoding="utf-8"))["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == topics.LEFT_FRAME
    displays = manager["Displays"]
    images = {d["Topic"]["Value"] for d in displays if d["Class"] == "rviz_default_plugins/Image"}
    assert images == {topics.LEFT_IMAGE, topics.DEPTH, topics.SIGMA, topics.ERROR}
    cloud = next(d for d in displays if d["Class"] == "rviz_default_plugins/DepthCloud")
    assert (cloud["Depth Map Topic"], cloud["Color Image Topic"]) == (topics.DEPTH, topics.LEFT_IMAGE)
