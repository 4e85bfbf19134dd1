"""Player and recorder as users run them: two processes, real DDS between them."""

import json
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo

from adu_depth_core.bags.messages import camera_info_message, image_message, stamp_of, transforms_message
from adu_depth_core.bags.playback import Playback
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_ros.bag_player import BagPlayer
from adu_depth_ros.isolation import private_domain

IMAGE, INFO = "/camera/image", "/camera/info"
PERIOD_NS = 50_000_000
FRAMES = 6


@pytest.fixture
def bag(tmp_path):
    """Images and camera infos at 20 Hz, stamped at 1 s and later."""
    rng = np.random.default_rng(0)
    with BagWriter(tmp_path / "source") as writer:
        # Latched, and of a type available both in ROS installations and in the test wheels.
        writer.write("/tf_static", camera_info_message(Camera(1, 1, 0, 0, 1, 1), 10**9, "static"), 10**9)
        for i in range(FRAMES):
            stamp = 10**9 + i * PERIOD_NS
            writer.write(INFO, camera_info_message(Camera(50, 50, 3.5, 1.5, 8, 4), stamp, "camera"), stamp)
            pixels = rng.integers(0, 256, (4, 8, 3), dtype=np.uint8)
            writer.write(IMAGE, image_message(pixels, "rgb8", stamp, "camera"), stamp)
    return tmp_path / "source"


@pytest.fixture(autouse=True)
def domain(monkeypatch):
    with private_domain() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.fixture
def node(domain):
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("player_test", context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def spin_until(node, condition, seconds=10.0):
    executor = rclpy.executors.SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing came"
        executor.spin_once(timeout_sec=0.05)
    executor.remove_node(node)


def command(module, *arguments):
    return [sys.executable, "-m", f"adu_depth_ros.{module}", *map(str, arguments)]


def test_what_is_played_is_recorded_in_the_present(bag, tmp_path):
    recorder = subprocess.Popen(
        command("bag_recorder", "--out", tmp_path / "recorded", IMAGE, INFO),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    before = time.time_ns()
    try:
        arguments = ("--topics", IMAGE, INFO, "--restamp", "--wait-for", IMAGE, f"{INFO}=1")
        play = command("bag_player", bag, *arguments, "--report", tmp_path / "report.json")
        played = subprocess.run(play, capture_output=True, text=True, timeout=60)
        assert played.returncode == 0, played.stderr
        after = time.time_ns()
    finally:
        recorder.send_signal(signal.SIGINT)
        output = recorder.communicate(timeout=30)[0]
    assert recorder.returncode == 0, output

    report = json.loads((tmp_path / "report.json").read_text())
    assert report.pop("published") == {IMAGE: FRAMES, INFO: FRAMES}
    playback = Playback(**report)
    with BagReader(bag) as source, BagReader(tmp_path / "recorded") as recorded:
        assert recorded.message_counts == {IMAGE: FRAMES, INFO: FRAMES}
        for topic in (IMAGE, INFO):
            for sent, received in zip(source.messages([topic]), recorded.messages([topic]), strict=True):
                assert stamp_of(received.content) == playback.wall_ns(stamp_of(sent.content))
                # The middleware pads to a multiple of four bytes.
                assert received.data[12 : len(sent.data)] == sent.data[12:]
                assert len(received.data) - len(sent.data) < 4
                assert before < stamp_of(received.content) <= received.time_ns < after
                # At the recorded rate: never early.
                assert received.time_ns >= playback.wall_ns(sent.time_ns)


def test_a_place_that_cannot_be_written_is_told_before_the_work(bag, tmp_path):
    (tmp_path / "file").touch()
    for arguments in (
        ("bag_player", bag, "--report", tmp_path / "file" / "report.json"),
        ("bag_recorder", IMAGE, "--out", tmp_path / "file" / "bag"),
    ):
        ended = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60)
        assert ended.returncode == 1
        assert "file cannot be written" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_nobody_listening_is_an_error_that_names_the_topic(bag):
    play = command("bag_player", bag, "--wait-for", IMAGE, "--timeout", 0.2)
    played = subprocess.run(play, capture_output=True, text=True, timeout=60)
    assert played.returncode == 1
    assert f"no subscribers within 0.2 s: {IMAGE} (wants 1)" in played.stderr


def test_recording_nothing_is_an_error_and_leaves_no_bag(tmp_path):
    recorder = subprocess.Popen(
        command("bag_recorder", "--out", tmp_path / "recorded", "/silence"),
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.iterdir()):  # it has started
        time.sleep(0.05)
    recorder.send_signal(signal.SIGTERM)
    assert "no message came on /silence" in recorder.communicate(timeout=30)[1]
    assert recorder.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_latched_topic_reaches_a_later_subscriber(bag, node):
    with BagReader(bag) as reader:
        player = BagPlayer(node, reader)
        player.play(rate=50.0)
        received = []
        qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(CameraInfo, "/tf_static", received.append, qos)
        spin_until(node, lambda: received)
    assert received[0].header.frame_id == "static"
    assert received[0].header.stamp.sec == 1  # without restamp, stamps are kept


def test_the_clock_tells_the_time_of_the_bag(bag, node):
    seconds = []
    node.create_subscription(
        Clock, "/clock", lambda m: seconds.append(m.clock.sec + m.clock.nanosec / 1e9), 100
    )
    with BagReader(bag) as reader:
        player = BagPlayer(node, reader, [IMAGE])
        thread = threading.Thread(target=player.play, kwargs={"clock_rate": 100.0})
        thread.start()
        spin_until(node, lambda: seconds and seconds[-1] > 1.1)
        thread.join()
    assert seconds == sorted(seconds)
    assert 1.0 <= seconds[0] < seconds[-1] <= 1.0 + FRAMES * PERIOD_NS / 1e9


def test_a_type_that_is_not_installed_is_left_out(node, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2_msgs", None)
    monkeypatch.setitem(sys.modules, "tf2_msgs.msg", None)
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/info", camera_info_message(Camera(1, 1, 0, 0, 1, 1), 0, "camera"), 0)
        writer.write("/tf", transforms_message([("a", "b", np.eye(4))], 0), 0)
    with BagReader(tmp_path / "bag") as reader:
        player = BagPlayer(node, reader)
        player.play()
    assert player.published == {"/info": 1}


def test_a_topic_that_the_bag_lacks_is_named(bag, node):
    with BagReader(bag) as reader, pytest.raises(UserError, match=r"no topic /nowhere.*/camera/image"):
        BagPlayer(node, reader, ["/nowhere"])
