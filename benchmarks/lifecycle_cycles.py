"""Lifecycle cycles of ``depth_node`` while frames arrive.

    python benchmarks/lifecycle_cycles.py [--cycles 200] [--rate 30] [--cameras 1]

Starts the node in a separate process, sends it frames with a subscriber to depth, and cycles it through
configure, activate, deactivate and cleanup. Every other cycle deactivates it once every camera has depth, the
rest at a random time within the first 0.3 s. Passes if no transition fails, no error is logged, file
descriptors, threads and memory do not grow from the second tenth of the cycles to the last, and Ctrl-C then
exits the node with status 0. Exit status 1 otherwise. A cycle takes a second or two.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import rclpy
from camera_rig import CameraRig, memory_mb, open_files, threads
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from adu_depth_core.progress import progress_bar
from adu_depth_ros.dds_profile import use_profile_for_images
from adu_depth_ros.depth_publishers import below
from adu_depth_ros.isolation import private_domain

LIMIT_S = 60.0
"""Timeout in seconds for a transition, a response, or the process exit."""

EARLIEST_S = 0.3
"""Upper bound in seconds for random deactivations, which do not wait for depth."""


RESOURCES = {"PSS, MB": 0.1, "RSS, MB": 0.1, "file handles": 0.0, "threads": 0.0}
"""Resources sampled after each cycle, and their tolerated relative growth: each cycle has new threads, and
glibc keeps memory for up to eight per core (MALLOC_ARENA_MAX)."""


class Fault(Exception):
    """The node misbehaved."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--rate", type=float, default=30.0, help="frames per second and camera (30)")
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = [f"camera{number}" for number in range(arguments.cameras)] if arguments.cameras > 1 else [""]
    if warning := use_profile_for_images():
        print(f"warning: {warning}", file=sys.stderr)
    with private_domain() as domain, tempfile.TemporaryFile("w+") as log:
        os.environ.update(domain)
        try:
            cycle(names, arguments.rate, arguments.cycles, random.Random(arguments.seed), log)
        except Fault as fault:
            log.seek(0)
            print(f"{fault}. The end of the node's log:\n{''.join(log.readlines()[-20:])}")
            return 1
    print("passed")
    return 0


def cycle(names: Sequence[str], rate: float, cycles: int, moments: random.Random, log: IO[str]) -> None:
    """:raises Fault: if any condition above is violated"""
    command = [sys.executable, "-m", "adu_depth_ros.depth_node", "--ros-args", "-p", "autostart:=false"]
    command += ["-p", f"cameras:={json.dumps(names)}"] if names != [""] else []
    process = subprocess.Popen(command, stderr=log)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("cycles")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    stop = threading.Event()
    rig = CameraRig(node, names)
    came: Counter[str] = Counter()
    for name in names:
        topic = below(name, "depth/image")
        node.create_subscription(Image, topic, lambda _, name=name: came.update([name]), 10, raw=True)
    workers = [
        threading.Thread(target=rig.play, args=(rate, stop)),
        threading.Thread(target=spin, args=(executor, stop)),
    ]
    for worker in workers:
        worker.start()
    try:
        lifecycle = Lifecycle(node, process)
        uses = []
        with progress_bar("cycles") as progress:
            for number in progress.track(range(cycles), description="Running"):
                lifecycle.change("configure")
                came.clear()
                lifecycle.change("activate")
                if number % 2:
                    time.sleep(moments.uniform(0.0, EARLIEST_S))
                else:
                    lifecycle.wait_for(lambda: len(came) == len(names), f"depth in cycle {number}")
                lifecycle.change("deactivate")
                lifecycle.change("cleanup")
                pid = process.pid
                uses.append((*memory_mb(pid), open_files(pid), threads(pid)))
        check_growth(uses)
        process.send_signal(signal.SIGINT)
        if status := process.wait(LIMIT_S):
            raise Fault(f"Ctrl-C ended the node with status {status}")
        log.seek(0)
        if errors := [line for line in log if "[ERROR]" in line or "Traceback" in line]:
            raise Fault(f"{len(errors)} errors were logged, the first: {errors[0].rstrip()}")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
        process.kill()
        process.wait()
        node.destroy_node()
        rclpy.try_shutdown()


def check_growth(uses: Sequence[tuple[float, ...]]) -> None:
    """:raises Fault: if a resource grew from the second tenth of the cycles to the last"""
    tenth = max(1, len(uses) // 10)
    early = np.median(uses[tenth : 2 * tenth], axis=0)
    late = np.median(uses[-tenth:], axis=0)
    grown = []
    for (name, share), before, after in zip(RESOURCES.items(), early, late, strict=True):
        print(f"{name:<13}{before:7.1f} in the second tenth of the cycles, {after:7.1f} in the last")
        if after > (1 + share) * before:
            grown.append(name)
    if grown:
        raise Fault(f"grew: {', '.join(grown)}")


def spin(executor: SingleThreadedExecutor, stop: threading.Event) -> None:
    """Spin until ``stop`` is set."""
    while not stop.is_set():
        executor.spin_once(0.1)


class Lifecycle:
    """Client of the node's lifecycle.

    :raises Fault: if the node's service does not appear
    """

    def __init__(self, node: Node, process: subprocess.Popen[Any]) -> None:
        self._process = process
        self._client = node.create_client(ChangeState, "/depth_node/change_state")
        self.wait_for(self._client.service_is_ready, "the node's services")

    def change(self, label: str) -> None:
        """:raises Fault: if the transition fails"""
        future = self._client.call_async(ChangeState.Request(transition=Transition(label=label)))
        self.wait_for(future.done, label)
        if not future.result().success:
            raise Fault(f"{label} failed")

    def wait_for(self, condition: Any, name: str) -> None:
        """:raises Fault: if the condition does not become true within ``LIMIT_S``, or the node ends"""
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if self._process.poll() is not None:
                raise Fault(f"the node ended with status {self._process.returncode}")
            if time.monotonic() > deadline:
                raise Fault(f"waited {LIMIT_S:g} s for {name}")
            time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
