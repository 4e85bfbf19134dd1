"""Baseline nodes for ``node_latency.py``: two bare relays, and a conventional depth node."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, Image

from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.image_conversion import image_to_message

QUEUE = 10
"""Queue size common in tutorials."""


def relay(node: Node) -> Callable[[], list[float]]:
    """Republish each image unchanged."""
    publisher = node.create_publisher(Image, "depth/image", QUEUE)
    node.create_subscription(Image, "image", publisher.publish, QUEUE)
    node.create_subscription(CameraInfo, "camera_info", lambda info: None, QUEUE)
    return lambda: []


def relay_of_depth_size(node: Node) -> Callable[[], list[float]]:
    """Publish for each image a constant message with as many bytes as its depth as 32FC1."""
    publisher = node.create_publisher(Image, "depth/image", QUEUE)
    answers: list[Image] = []

    def on_image(message: Image) -> None:
        if not answers:
            pixels = np.ones((message.height, message.width), np.float32)
            answers.append(image_to_message(pixels, "32FC1", message.header))
        answers[0].header = message.header
        publisher.publish(answers[0])

    node.create_subscription(Image, "image", on_image, QUEUE)
    node.create_subscription(CameraInfo, "camera_info", lambda info: None, QUEUE)
    return lambda: []


def usual(node: Node) -> Callable[[], list[float]]:
    """Predict in the image callback, with cv_bridge's copies and the same model as ``depth_node``.

    :return: function that returns the predictor's time for each frame in milliseconds
    """
    predictor = Predictor()
    predictor.warm_up()
    publisher = node.create_publisher(Image, "depth/image", QUEUE)
    infos: list[CameraInfo] = []
    times: list[float] = []

    def on_image(message: Image) -> None:
        if not infos:
            return
        # cv_bridge: imgmsg_to_cv2(message, "bgr8"), whose conversion copies, and cv2_to_imgmsg below.
        image = np.ndarray((message.height, message.width, 3), np.uint8, message.data)
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        camera = camera_from_info(infos[-1], message.width, message.height, rectified=True)
        start = time.monotonic()
        depth = predictor.predict(image, camera, "bgr").depth
        times.append(1e3 * (time.monotonic() - start))
        answer = Image(header=message.header, height=depth.shape[0], width=depth.shape[1], encoding="32FC1")
        answer.step = 4 * depth.shape[1]
        answer.data.frombytes(depth.tobytes())
        publisher.publish(answer)

    node.create_subscription(CameraInfo, "camera_info", infos.append, QUEUE)
    node.create_subscription(Image, "image", on_image, QUEUE)
    return lambda: times


SUBJECTS: dict[str, Callable[[Node], Callable[[], list[float]]]] = {
    "relay": relay,
    "relay 32FC1": relay_of_depth_size,
    "usual": usual,
}


def main() -> None:
    stopped: list[Any] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("subject")
    times = SUBJECTS[sys.argv[1]](node)
    while not stopped:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps(times()), flush=True)


if __name__ == "__main__":
    main()
