"""The live part: node, player and recorder as separate processes, connected only by DDS."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from adu_depth_core.bags.playback import Playback
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.topics import LEFT_IMAGE, LEFT_INFO
from adu_depth_core.errors import UserError
from adu_depth_ros.demo.processes import Child, running

NODE = "/depth_node"
DEPTH = "/depth/image"
SIGMA = "/uncertainty/image"
DIAGNOSTICS = "/diagnostics"
RECORDED = (DEPTH, "/depth/camera_info", SIGMA, DIAGNOSTICS)

START_SECONDS = 60.0
"""Time for the model to load and compile."""

DRAIN_SECONDS = 2.0
"""Time for the last frames to pass through the node and reach the recorder."""


@dataclass(frozen=True)
class LiveRun:
    """Summary of the bag played and the bag recorded.

    :param source: bag that was played
    :param recorded: bag of the node's topics
    :param playback: times of the source as times of the recording
    :param frames_played: number of images published
    :param frames_answered: number of depth images recorded
    :param rate: images per second
    """

    source: Path
    recorded: Path
    playback: Playback
    frames_played: int
    frames_answered: int
    rate: float


def run_live(source: Path, work: Path, model: Path | None = None) -> LiveRun:
    """Play a bag to the node at its recorded rate and record what the node publishes.

    :param source: bag with ``LEFT_IMAGE`` and ``LEFT_INFO``
    :param work: folder for logs and the recorded bag ``depth``
    :param model: ONNX file; None for the installed student
    :raises UserError: with a log, if a process fails, the node does not become active, or no depth arrived
    """
    rate = _image_rate(source)
    recorded, report = work / "depth", work / "played.json"
    node_command = [_node_executable(), "--ros-args"]
    node_command += ["-r", f"image:={LEFT_IMAGE}", "-r", f"camera_info:={LEFT_INFO}"]
    if model is not None:
        node_command += ["-p", f"model:={model.resolve()}"]
    record_command = [*_module("bag_recorder"), "--out", str(recorded), *RECORDED]
    play_command = [*_module("bag_player"), str(source), "--restamp", "--report", str(report)]
    play_command += ["--topics", LEFT_IMAGE, LEFT_INFO, "--wait-for", LEFT_IMAGE, LEFT_INFO]

    with (
        _observer() as observer,
        running("depth_node", node_command, work / "depth_node.log") as node,
        running("bag_recorder", record_command, work / "bag_recorder.log") as recorder,
    ):
        _wait_until_active(observer, node)
        _wait_until_recording(observer, recorder)
        if subprocess.run(play_command, check=False).returncode:
            raise node.failure("received no bag: the player failed, see above")
        time.sleep(DRAIN_SECONDS)
        recorder.stop()
        node.stop()
    played = json.loads(report.read_text(encoding="utf-8"))
    frames = played.pop("published")[LEFT_IMAGE]
    with BagReader(recorded) as reader:
        answered = reader.message_counts.get(DEPTH, 0)
    if not answered:
        raise node.failure(f"published no depth for {frames} images")
    return LiveRun(source, recorded, Playback(**played), frames, answered, rate)


def _image_rate(bag: Path) -> float:
    """Images per second of a bag."""
    with BagReader(bag) as reader:
        reader.require_topics([LEFT_IMAGE, LEFT_INFO])
        times = [message.time_ns for message in reader.messages([LEFT_IMAGE])]
    if len(times) < 2:
        raise UserError(f"{bag} has {len(times)} image(s) on {LEFT_IMAGE}: a drive needs two or more")
    return (len(times) - 1) * 1e9 / (times[-1] - times[0])


def _node_executable() -> str:
    """The ``depth_node`` that was installed with this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("depth_node")
    found = str(beside) if beside.is_file() else shutil.which("depth_node")
    if found is None:
        raise UserError(f"depth_node is not installed for {sys.executable}; pip install 'adu_depth[demo]'")
    return found


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"adu_depth_ros.{name}"]


@contextlib.contextmanager
def _observer() -> Iterator[Node]:
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        yield rclpy.create_node("demo", context=context)
    finally:
        rclpy.shutdown(context=context)


def _wait_until_active(observer: Node, node: Child) -> None:
    """Ask the node's lifecycle service until it says active."""
    client = observer.create_client(GetState, f"{NODE}/get_state")
    executor = rclpy.executors.SingleThreadedExecutor(context=observer.context)
    label, deadline = "no answer", time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        node.check_running()
        if not client.wait_for_service(timeout_sec=0.2):
            continue
        answer = client.call_async(GetState.Request())
        rclpy.spin_until_future_complete(observer, answer, executor, timeout_sec=1.0)
        if answer.done():
            state = answer.result().current_state
            if state.id == State.PRIMARY_STATE_ACTIVE:
                return
            label = state.label
        time.sleep(0.1)
    raise node.failure(f"is not active after {START_SECONDS:g} s (state: {label})")


def _wait_until_recording(observer: Node, recorder: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while missing := [topic for topic in RECORDED if observer.count_subscribers(topic) == 0]:
        recorder.check_running()
        if time.monotonic() > deadline:
            raise recorder.failure(f"does not record {', '.join(missing)} after {START_SECONDS:g} s")
        time.sleep(0.1)
