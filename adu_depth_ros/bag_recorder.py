"""``python -m adu_depth_ros.bag_recorder``: record topics where ``ros2 bag record`` is not installed."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.errors import UserError
from adu_depth_ros.message_types import message_class

QUEUE_DEPTH = 100
DISCOVERY_PERIOD = 0.2


class BagRecorder:
    """Writes serialised messages as they arrive; bag time is when they were received.

    A topic is subscribed once it has a publisher, with that publisher's reliability and durability.

    :param node: owner of the subscriptions; the caller spins it
    :param bag: an open bag
    :param names: topics to record
    """

    def __init__(self, node: Node, bag: BagWriter, names: Sequence[str]) -> None:
        self._node = node
        self._bag = bag
        self._awaited = {node.resolve_topic_name(name) for name in names}
        self.error: UserError | None = None
        self._timer = node.create_timer(DISCOVERY_PERIOD, self._discover)
        self._discover()

    def _discover(self) -> None:
        for topic, types in self._node.get_topic_names_and_types():
            if topic in self._awaited and (publishers := self._node.get_publishers_info_by_topic(topic)):
                self._awaited.remove(topic)
                self._subscribe(topic, types[0], [publisher.qos_profile for publisher in publishers])
        if not self._awaited:
            self._timer.cancel()

    def _subscribe(self, topic: str, message_type: str, offered: list[QoSProfile]) -> None:
        try:
            kind = message_class(message_type)
        except ImportError as error:
            self.error = UserError(f"{topic}: {message_type} is not installed ({error}), cannot record it")
            return
        reliable = all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
        latched = all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
        qos = QoSProfile(
            depth=QUEUE_DEPTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )

        def record(data: bytes, info: dict[str, Any]) -> None:
            # Zero if the middleware does not report it.
            received_ns = info["received_timestamp"] or time.time_ns()
            try:
                self._bag.write_raw(topic, message_type, data, received_ns)
            except UserError as error:
                self.error = error

        # rclpy hands the message's times to a callback of two parameters; its annotation allows only one.
        self._node.create_subscription(kind, topic, record, qos, raw=True)  # type: ignore[arg-type]
        self._node.get_logger().info(f"recording {topic} ({message_type})")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adu_depth_ros.bag_recorder",
        description="Record topics into a rosbag2 (MCAP) without rosbag2, until Ctrl-C or SIGTERM. Where "
        "rosbag2 is installed, use `ros2 bag record`.",
        epilog="example:\n"
        "  python -m adu_depth_ros.bag_recorder --out judged /depth/image /uncertainty/image",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("topics", nargs="+", metavar="TOPIC")
    parser.add_argument("--out", type=Path, required=True, metavar="BAG", help="folder of the new bag")
    parser.add_argument("--overwrite", action="store_true", help="replace the bag if it exists")
    return parser


def main(args: list[str] | None = None) -> int:
    """Record until stopped; return the exit status (0 success, 1 user error or nothing recorded)."""
    arguments = _parser().parse_args(remove_ros_args(args)[1:])
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stopped.append(number))
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        with BagWriter(arguments.out, arguments.overwrite) as bag:
            node = rclpy.create_node("bag_recorder")
            recorder = BagRecorder(node, bag, arguments.topics)
            while not stopped and recorder.error is None:
                rclpy.spin_once(node, timeout_sec=0.1)
            if recorder.error is not None:
                raise recorder.error
            if not bag.message_counts:
                raise UserError(
                    f"no message came on {', '.join(arguments.topics)}; {arguments.out} was not written"
                )
    except UserError as error:
        print(f"bag_recorder: error: {error}", file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    for topic, count in bag.message_counts.items():
        print(f"{count:6d}  {topic}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
