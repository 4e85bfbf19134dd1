"""Cameras that publish frames over DDS, and resource usage of a process, for benchmarks of the node."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from adu_depth_ros.depth_publishers import below
from adu_depth_ros.image_conversion import image_to_message

IMAGES = 8
"""Number of distinct images that a camera cycles through."""


def images(height: int, width: int, seed: int = 0) -> list[np.ndarray]:
    """Smooth random images, rgb uint8 ``(H, W, 3)``."""
    noise = np.random.default_rng(seed).integers(
        0, 256, (IMAGES, height // 8 + 1, width // 8 + 1, 3), np.uint8
    )
    return [cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in noise]


class CameraRig:
    """Publishes frames of cameras of one size, each under its name.

    :param node: node that owns the publishers
    :param names: camera names; one empty name for a single camera
    :param size: ``(height, width)`` in pixels
    :ivar sent: number of frames sent by each camera so far
    """

    def __init__(self, node: Node, names: Sequence[str] = ("",), size: tuple[int, int] = (375, 1242)) -> None:
        height, width = size
        self.sent = dict.fromkeys(names, 0)
        self._frames = [image_to_message(image, "rgb8", Header()) for image in images(height, width)]
        focal = 0.58 * width
        matrix = [focal, 0.0, width / 2, 0.0, focal, height / 2, 0.0, 0.0, 1.0]
        self._info = CameraInfo(width=width, height=height, k=matrix)
        qos = QoSProfile(depth=10)
        self._images = {name: node.create_publisher(Image, below(name, "image"), qos) for name in names}
        self._infos = {
            name: node.create_publisher(CameraInfo, below(name, "camera_info"), qos) for name in names
        }

    def is_heard(self) -> bool:
        """True if images and calibration of every camera have a subscriber."""
        publishers = (*self._images.values(), *self._infos.values())
        return all(publisher.get_subscription_count() for publisher in publishers)

    def send(self, name: str) -> Header:
        """Publish a frame of a camera, stamped now; return its header."""
        message = self._frames[self.sent[name] % IMAGES]
        header = Header(frame_id=f"{name or 'camera'}_optical")
        header.stamp.sec, header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        self._info.header = message.header = header
        self._infos[name].publish(self._info)
        self._images[name].publish(message)
        self.sent[name] += 1
        return header

    def play(self, rate: float, stop: threading.Event) -> None:
        """Publish frames of all cameras at a rate until ``stop`` is set, without catching up after delays."""
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            for name in self.sent:
                self.send(name)
            due = max(due + 1 / rate, time.monotonic())


def memory_mb(pid: int) -> tuple[float, float]:
    """PSS and RSS of a process in MB; PSS counts shared pages proportionally."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    entries = {line.split()[0].rstrip(":"): int(line.split()[1]) for line in lines}
    return entries["Pss"] / 1024, entries["Rss"] / 1024


def open_files(pid: int) -> int:
    """Number of open file descriptors of a process: files, sockets, pipes."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    """Number of threads of a process."""
    return len(os.listdir(f"/proc/{pid}/task"))
