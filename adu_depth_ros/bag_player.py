"""``python -m adu_depth_ros.bag_player``: play a bag over DDS where ``ros2 bag play`` is not installed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from rich.progress import Progress
from rosgraph_msgs.msg import Clock

from adu_depth_core.bags.playback import Playback
from adu_depth_core.bags.reader import BagMessage, BagReader
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_writable, write_atomically
from adu_depth_core.progress import progress_bar
from adu_depth_ros.message_types import message_class

QUEUE_DEPTH = 10
LEAD_NS = 200_000_000
"""Delay from the start of reading to the first message, so that it is read in time."""

DELIVERY_SECONDS = 2.0
"""Time for the last messages to reach their subscribers before the publishers are destroyed."""


class BagPlayer:
    """Publishes a bag's serialised messages at the times at which they were recorded.

    A topic whose message package is not installed is skipped with a warning.

    :param node: owner of the publishers
    :param bag: an open bag
    :param names: topics to play; None for all
    :raises UserError: if the bag lacks a topic, or no topic can be published
    """

    def __init__(self, node: Node, bag: BagReader, names: Sequence[str] | None = None) -> None:
        self._node = node
        self._bag = bag
        if names is not None:
            bag.require_topics(names)
        self.published: dict[str, int] = {}
        self._publishers: dict[str, Publisher] = {}
        for topic in bag.topics if names is None else names:
            self._advertise(topic)
        if not self._publishers:
            raise UserError(f"bag {bag.path} has no topic to play")

    def _advertise(self, topic: str) -> None:
        message_type = self._bag.topics[topic]
        try:
            kind = message_class(message_type)
        except ImportError as error:
            self._node.get_logger().warning(
                f"{topic} is not played: {message_type} is not installed ({error})"
            )
            return
        qos = QoSProfile(depth=QUEUE_DEPTH)
        if topic in self._bag.latched_topics:
            qos = QoSProfile(
                depth=self._bag.message_counts[topic], durability=DurabilityPolicy.TRANSIENT_LOCAL
            )
        self._publishers[topic] = self._node.create_publisher(kind, topic, qos)
        self.published[topic] = 0

    def wait_for_subscribers(self, expected: dict[str, int], timeout: float) -> None:
        """Wait until each topic has its expected number of subscribers.

        :raises UserError: if a topic is not played, or ``timeout`` seconds were not enough
        """
        if missing := set(expected) - set(self._publishers):
            raise UserError(f"{', '.join(sorted(missing))} cannot be waited for: not played")
        deadline = time.monotonic() + timeout
        while lacking := {
            topic: count
            for topic, count in expected.items()
            if self._publishers[topic].get_subscription_count() < count
        }:
            if time.monotonic() > deadline:
                names = ", ".join(f"{topic} (wants {count})" for topic, count in lacking.items())
                raise UserError(f"no subscribers within {timeout:g} s: {names}")
            time.sleep(0.05)

    def play(
        self,
        rate: float = 1.0,
        restamp: bool = False,
        clock_rate: float = 0.0,
        progress: Progress | None = None,
    ) -> Playback:
        """Publish everything, and return once it was delivered.

        :param rate: speed; 2 is twice as fast as recorded
        :param restamp: shift header stamps to the present
        :param clock_rate: rate of the bag's time on ``/clock`` in Hz; 0: none
        :param progress: progress bar
        :return: mapping from bag time to wall time
        """
        clock = _SimulatedClock(self._node, clock_rate) if clock_rate else None
        playback = Playback(self._bag.start_ns, time.time_ns() + LEAD_NS, rate)
        # Paced by the monotonic clock, because the system clock may be changed meanwhile.
        monotonic_to_wall = playback.wall_start_ns - LEAD_NS - time.monotonic_ns()
        messages: Iterable[BagMessage] = self._bag.messages(list(self._publishers))
        if progress is not None:
            total = sum(self._bag.message_counts[topic] for topic in self._publishers)
            messages = progress.track(messages, total=total, description=f"Playing {self._bag.path.name}")
        for message in messages:
            due = playback.wall_ns(message.time_ns)
            while (remaining := due - (now := time.monotonic_ns() + monotonic_to_wall)) > 0:
                wait = remaining if clock is None else min(remaining, clock.publish_when_due(playback, now))
                time.sleep(wait / 1e9)
            self._publishers[message.topic].publish(playback.restamped(message) if restamp else message.data)
            self.published[message.topic] += 1
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=DELIVERY_SECONDS))
        # Best-effort subscribers do not acknowledge; give the last messages time to arrive.
        time.sleep(0.2)
        return playback


class _SimulatedClock:
    """Publishes ``/clock`` for nodes with ``use_sim_time``."""

    def __init__(self, node: Node, rate: float) -> None:
        self._publisher = node.create_publisher(Clock, "/clock", QoSProfile(depth=1))
        self._period_ns = round(1e9 / rate)
        self._next_ns = 0

    def publish_when_due(self, playback: Playback, wall_ns: int) -> int:
        """Publish if due; return the nanoseconds until the next."""
        if wall_ns >= self._next_ns:
            bag_ns = max(playback.bag_start_ns, playback.bag_ns(wall_ns))
            self._publisher.publish(Clock(clock=Time(nanoseconds=bag_ns).to_msg()))
            self._next_ns = wall_ns + self._period_ns
        return self._next_ns - wall_ns


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _subscribers(text: str) -> tuple[str, int]:
    topic, _, count = text.partition("=")
    return topic, int(count or 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adu_depth_ros.bag_player",
        description="Play a rosbag2 over DDS without rosbag2. Where it is installed, use `ros2 bag play`.",
        epilog="example, for a running depth_node:\n"
        "  python -m adu_depth_ros.bag_player drive --restamp \\\n"
        "      --topics /camera/left/image_rect /camera/left/camera_info --wait-for /camera/left/image_rect\n"
        "ROS arguments (--ros-args -r OLD:=NEW) rename topics.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bag", type=Path, help="folder of the bag, or its .mcap or .db3 file")
    parser.add_argument("--rate", type=_positive, default=1.0, help="speed, 2 is twice as fast (default 1)")
    parser.add_argument("--topics", nargs="+", metavar="TOPIC", help="play only these (default: all)")
    stamps = parser.add_mutually_exclusive_group()
    stamps.add_argument("--restamp", action="store_true", help="shift header stamps to the present")
    stamps.add_argument(
        "--clock",
        type=_positive,
        nargs="?",
        const=40.0,
        default=0.0,
        metavar="HZ",
        help="publish the bag's time on /clock, for nodes with use_sim_time (default 40 Hz if given)",
    )
    parser.add_argument(
        "--wait-for",
        type=_subscribers,
        nargs="+",
        default=[],
        metavar="TOPIC[=COUNT]",
        help="start when the topic has this many subscribers (default 1)",
    )
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=30.0,
        metavar="SECONDS",
        help="give up waiting after (default 30)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the mapping from bag time to wall time as JSON",
    )
    return parser


def main(args: list[str] | None = None) -> int:
    """Play a bag; returns the exit status (0 success, 1 user error, 130 interrupted)."""
    arguments = _parser().parse_args(remove_ros_args(args)[1:])
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        if arguments.report:
            check_writable(arguments.report)
        with BagReader(arguments.bag) as bag:
            player = BagPlayer(rclpy.create_node("bag_player"), bag, arguments.topics)
            player.wait_for_subscribers(dict(arguments.wait_for), arguments.timeout)
            with progress_bar("messages") as progress:
                playback = player.play(arguments.rate, arguments.restamp, arguments.clock, progress)
        if arguments.report:
            with write_atomically(arguments.report) as temporary:
                temporary.write_text(json.dumps({**vars(playback), "published": player.published}, indent=2))
    except UserError as error:
        print(f"bag_player: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
