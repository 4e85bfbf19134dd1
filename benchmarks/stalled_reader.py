"""Effect of a stalled or killed subscriber on the others: received frames and latency.

    python benchmarks/stalled_reader.py [--profile FILE|none] [--fate stop|kill|none] [--seconds 30]

One process publishes depth images (375x1242, 32FC1: 1.9 MB) with the node's own QoS; two others subscribe
with reliable QoS: one with KEEP_LAST 10; the other with KEEP_ALL, and is stopped (SIGSTOP) or killed
(SIGKILL) after a third of the time. Prints the number of published images, the duration of ``publish`` calls,
and the images the healthy reader received. Latency is from just before ``publish`` to the reader's callback,
on one clock.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from adu_depth_core.files import share_directory
from adu_depth_ros.distribution import profiles_variable
from adu_depth_ros.isolation import private_domain

WIDTH, HEIGHT = 1242, 375
TOPIC = "depth/image"


def write(arguments: argparse.Namespace) -> dict:
    """Publish at the rate, and report the durations of ``publish``."""
    import rclpy
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

    from adu_depth_ros.depth_publishers import OUTPUT_QOS
    from adu_depth_ros.image_conversion import image_to_message

    rclpy.init()
    node = rclpy.create_node("writer")
    publisher = node.create_publisher(Image, TOPIC, OUTPUT_QOS)
    while publisher.get_subscription_count() < 2:
        time.sleep(0.05)
    print("matched", flush=True)
    time.sleep(0.5)
    pixels = np.zeros((HEIGHT, WIDTH), np.float32)
    calls = []
    start = time.monotonic()
    for number in range(round(arguments.seconds * arguments.rate)):
        time.sleep(max(0.0, start + number / arguments.rate - time.monotonic()))
        header = Header(frame_id=str(number))
        before = time.monotonic_ns()
        header.stamp.sec, header.stamp.nanosec = before // 10**9, before % 10**9
        publisher.publish(image_to_message(pixels, "32FC1", header))
        calls.append((time.monotonic_ns() - before) / 1e6)
    time.sleep(3)
    return {"published": len(calls), "publish_ms_p50": np.median(calls), "publish_ms_max": max(calls)}


def read(arguments: argparse.Namespace) -> dict:
    """Subscribe until SIGTERM, and report the received images."""
    import rclpy
    from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
    from rclpy.signals import SignalHandlerOptions
    from sensor_msgs.msg import Image

    stopped = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(arguments.role)
    keep_all = arguments.role == "stalling"
    qos = QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE,
        history=HistoryPolicy.KEEP_ALL if keep_all else HistoryPolicy.KEEP_LAST,
        depth=10,
    )
    latencies = []

    def on_image(message: Image) -> None:
        sent = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        latencies.append((time.monotonic_ns() - sent) / 1e6)

    node.create_subscription(Image, TOPIC, on_image, qos)
    while not stopped:
        rclpy.spin_once(node, timeout_sec=0.1)
    percentiles = np.percentile(latencies, (50, 99)) if latencies else (None, None)
    return {"received": len(latencies), "latency_ms_p50": percentiles[0], "latency_ms_p99": percentiles[1]}


def measure(arguments: argparse.Namespace) -> dict:
    """Run the three processes once."""
    with private_domain() as domain:
        return run_in(os.environ | domain, arguments)


def run_in(environment: dict[str, str], arguments: argparse.Namespace) -> dict:
    """Run in the DDS domain of the environment."""
    environment.pop(profiles_variable(), None)
    if arguments.profile != "none":
        environment[profiles_variable()] = arguments.profile

    def start(role: str) -> subprocess.Popen:
        options = ["--seconds", str(arguments.seconds), "--rate", str(arguments.rate), "--role", role]
        command = [sys.executable, __file__, *options]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    healthy, stalling, writer = (start(role) for role in ("healthy", "stalling", "writer"))
    try:
        assert writer.stdout.readline() == "matched\n"
        time.sleep(arguments.seconds / 3)
        if arguments.fate != "none":
            stalling.send_signal(signal.SIGSTOP if arguments.fate == "stop" else signal.SIGKILL)
        written = json.loads(writer.communicate(timeout=10 * arguments.seconds + 60)[0])
        healthy.terminate()
        return written | json.loads(healthy.communicate(timeout=20)[0])
    finally:
        for process in (healthy, stalling, writer):
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=15.0, help="images per second")
    parser.add_argument(
        "--profile",
        default=str(share_directory() / "config" / "fastdds_large_images.xml"),
        help="Fast DDS profile for all three; none: Fast DDS's defaults (default: the installed one)",
    )
    parser.add_argument("--fate", choices=("none", "stop", "kill"), default="stop")
    parser.add_argument("--role", choices=("writer", "healthy", "stalling"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role is not None:
        print(json.dumps((write if arguments.role == "writer" else read)(arguments)), flush=True)
        return
    result = measure(arguments)
    profile = Path(arguments.profile).name
    print(f"profile {profile}, the other subscriber: {arguments.fate}")
    print(
        "  "
        + ", ".join(f"{name} {value if value is None else round(value, 1)}" for name, value in result.items())
    )


if __name__ == "__main__":
    main()
