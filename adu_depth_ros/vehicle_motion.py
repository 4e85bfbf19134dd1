"""Motion of the cameras between two images, from ``/tf`` or odometry."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription

from adu_depth_core.errors import UserError
from adu_depth_core.transforms import ODOMETRY, TRANSFORMS, TransformTree
from adu_depth_ros.message_types import message_class

TF, ODOM, NONE = "tf", "odometry", "none"
SOURCES = (TF, ODOM, NONE)
"""Sources of motion."""

LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Of ``/tf_static``, as tf2's listener has it."""

NEEDED = {TF: TRANSFORMS, ODOM: ODOMETRY}
"""Message type without which a source cannot be used."""


def check_source(source: str) -> None:
    """:raises UserError: if the messages of a source are not installed"""
    if source in NEEDED:
        try:
            message_class(NEEDED[source])
        except ImportError as error:
            package = NEEDED[source].partition("/")[0]
            raise UserError(
                f"stabilise with stabilise_motion {source} needs the package {package} (ROS: "
                f"ros-DISTRO-{package.replace('_', '-')}): install it, choose another of "
                f"{', '.join(SOURCES)}, or set stabilise to false: {error}"
            ) from error


class VehicleMotion:
    """Collects poses once they are needed; ``between`` may be called from any thread.

    :param node: for subscriptions
    :param source: one of ``SOURCES``
    :param fixed_frame: frame in which the vehicle's poses are continuous; with odometry that of its messages
    """

    def __init__(self, node: Node, source: str, fixed_frame: str) -> None:
        self._node = node
        self._source = source
        self._fixed_frame = fixed_frame
        self._tree = TransformTree()
        self._lock = threading.Lock()
        self._cameras: set[str] = set()
        self._subscriptions: list[Subscription] = []

    def need(self, camera: str, needed: bool) -> None:
        """Collect poses from now on, or no longer if no camera needs them. For the executor's thread."""
        if needed:
            self._cameras.add(camera)
            self._subscribe()
        else:
            self._cameras.discard(camera)
            if not self._cameras:
                self.close()

    def _subscribe(self) -> None:
        if self._subscriptions or self._source == NONE:
            return
        if self._source == TF:
            self._listen("/tf", TRANSFORMS, QoSProfile(depth=100))
        else:
            self._listen("odometry", ODOMETRY, QoSProfile(depth=100))
        try:
            self._listen("/tf_static", TRANSFORMS, LATCHED, static=True)
        except ImportError:
            # Odometry of the camera itself, as visual odometry is, needs no transform.
            self._node.get_logger().warning(
                "tf2_msgs is not installed: the odometry must be that of the camera's own frame"
            )

    def close(self) -> None:
        """Stop collecting, and forget what was collected."""
        if self._subscriptions:
            while self._subscriptions:
                self._node.destroy_subscription(self._subscriptions.pop())
            with self._lock:
                self._tree = TransformTree()

    def between(self, frame_id: str, before_ns: int, now_ns: int) -> np.ndarray:
        """``before_from_now`` 4x4 of a camera's optical frame.

        :raises LookupError: if it is not known, with the reason
        """
        if self._source == NONE:
            raise LookupError("stabilise_motion is none")
        with self._lock:
            return self._tree.motion(frame_id, before_ns, now_ns, self._fixed_frame)

    def _listen(self, topic: str, kind: str, qos: QoSProfile, static: bool = False) -> None:
        def take(message: Any) -> None:
            with self._lock:
                if kind == ODOMETRY:
                    self._fixed_frame = message.header.frame_id
                self._tree.add(kind, message, static)

        self._subscriptions.append(self._node.create_subscription(message_class(kind), topic, take, qos))
