"""Latency of ``depth_node``, bare relays and a conventional depth node on the same frames.

    python benchmarks/node_latency.py --out latency.json [--frames 3000] [--rates 10 30]

One process publishes images (375x1242) over DDS and receives depth; each node under test runs alone in
another. *Age*: time from just before the image's ``publish`` to the callback of its depth. *Predictor*: the
node's own time from pixels to depth. *Overhead*: the difference of their medians. *relay* republishes the
image (three bytes a pixel); *relay 32FC1* answers it with a constant message of depth's size (four);
*depth_node 16UC1* publishes millimetres (two); *usual* is the conventional node: cv_bridge's copies, a queue
of 10 and all work in the callback, with the same model. Finally, ``depth_node`` and *usual* are overloaded
with twice the predictor's frame rate.

Passes if the overhead of ``depth_node`` is at most 1.2 times the median age of the relay that publishes as
many bytes (for 16UC1, of the smaller one), and its 99th percentile at most twice its median at each rate;
under overload, if the 99th percentile is below two median predictor times plus the slowest relay's median.
Exit status 1 otherwise. The ratio to *relay* is in the table. Takes frames / 30 seconds for each of five
nodes at each rate, and a tenth of that (at least 5 s) for each overload: 17 minutes with the defaults. The
figures hold for a quiet machine only; the load average is recorded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from camera_rig import CameraRig
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rich.table import Table
from sensor_msgs.msg import Image

from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console
from adu_depth_ros.dds_profile import use_profile_for_images
from adu_depth_ros.isolation import private_domain

FLOORS = {"depth_node": "relay 32FC1", "depth_node 16UC1": "relay"}
"""Relay whose age is the measure of each node's overhead."""

NODES = ("relay", "relay 32FC1", *FLOORS, "usual")
FULL_RATE = 30
"""Rate at which ``--frames`` applies; runs at other rates take the same time."""

WARM_UP_S = 2.0
"""Warm-up in seconds, excluded from the results."""

START_S = 60.0
OVERHEAD, TAIL = 1.2, 2.0
"""Maximum overhead relative to its relay's median, and 99th percentile relative to the median."""


@dataclass(frozen=True)
class Run:
    """Times of a node at one rate, in milliseconds.

    :param age: end-to-end latency: median, 99th percentile and maximum
    :param predictor: median; None for a relay
    :param overhead: median age minus median predictor time
    """

    node: str
    rate: float
    sent: int
    answered: int
    age: tuple[float, float, float]
    predictor: float | None
    overhead: float


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=3000, help="frames per node at 30 Hz (3000)")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[10.0, 30.0], help="frames per second (10 30)"
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    arguments = parser.parse_args()
    if warning := use_profile_for_images():
        print(f"warning: {warning}", file=sys.stderr)
    seconds = arguments.frames / FULL_RATE
    load = os.getloadavg()
    overload_seconds = max(5.0, seconds / 10)
    total = len(NODES) * len(arguments.rates) * seconds + 2 * overload_seconds
    with progress_bar("s") as progress:
        task = progress.add_task("Measuring", total=round(total))
        runs = [measure(node, rate, seconds, progress, task) for rate in arguments.rates for node in NODES]
        predictor = [run.predictor for run in runs if run.node == "depth_node"][-1]
        overload = 2e3 / predictor
        flooded = [
            measure(node, overload, overload_seconds, progress, task) for node in ("depth_node", "usual")
        ]
    faults = judge(runs, flooded[0])
    report = {
        "command": sys.argv,
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "load_average_before": load,
        "runs": [asdict(run) for run in runs],
        "overload": [asdict(run) for run in flooded],
        "faults": faults,
    }
    with write_atomically(arguments.out) as path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    console = plain_console()
    console.print(table(runs + flooded))
    console.print(f"{cpu_model()}, {os.cpu_count()} cores, load average before {load[0]:.1f}")
    console.print("\n".join(faults) or "passed", soft_wrap=True)
    return 1 if faults else 0


def judge(runs: list[Run], flooded: Run) -> list[str]:
    """Descriptions of the criteria that are not met.

    :param flooded: run of ``depth_node`` under overload
    """
    relays = {(run.node, run.rate): run.age[0] for run in runs if run.node.startswith("relay")}
    faults = []
    for run in runs:
        if run.node not in FLOORS:
            continue
        floor = FLOORS[run.node]
        relay = relays[floor, run.rate]
        if run.overhead > OVERHEAD * relay:
            faults.append(
                f"{run.node} at {run.rate:g} Hz: the overhead is {run.overhead:.1f} ms, "
                f"{run.overhead / relay:.2f} times the {relay:.1f} of {floor} (at most {OVERHEAD})"
            )
        if run.age[1] > TAIL * run.age[0]:
            faults.append(
                f"{run.node} at {run.rate:g} Hz: p99 is {run.age[1] / run.age[0]:.2f} times p50 "
                f"(at most {TAIL:g})"
            )
    limit = 2 * flooded.predictor + max(relays.values())
    if flooded.age[1] > limit:
        faults.append(f"at the overload p99 of the age is {flooded.age[1]:.1f} ms (limit {limit:.1f})")
    return faults


def measure(node: str, rate: float, seconds: float, progress: Any, task: Any) -> Run:
    """Run a node in a separate process and DDS domain."""
    with private_domain() as domain, _process(node, os.environ | domain) as process:
        os.environ.update(domain)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        client = rclpy.create_node("latency")
        sent, ages, predictor = _exchange(client, process, rate, seconds, progress, task)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        client.destroy_node()
        rclpy.shutdown()
    if not ages:
        sys.exit(f"error: {node} answered no frame at {rate:.0f} Hz; more --frames are needed")
    times = predictor if node.startswith("depth_node") else json.loads(output)
    of_predictor = float(np.median(times)) if times else None
    p50, p99 = np.percentile(ages, (50, 99)).tolist()
    age = (p50, p99, max(ages))
    return Run(node, rate, sent, len(ages), age, of_predictor, p50 - (of_predictor or 0.0))


@contextlib.contextmanager
def _process(node: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    if node.startswith("depth_node"):
        encoding = node.removeprefix("depth_node").strip() or "32FC1"
        arguments = ["-m", "adu_depth_ros.depth_node", "--ros-args", "--log-level", "warn"]
        arguments += ["-p", f"depth_encoding:={encoding}"]
    else:
        arguments = [str(Path(__file__).with_name("latency_subjects.py")), node]
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _exchange(
    client: Any, process: subprocess.Popen[str], rate: float, seconds: float, progress: Any, task: Any
) -> tuple[int, list[float], list[float]]:
    """Frames sent, ages of received depth, and predictor medians reported by ``depth_node``, in milliseconds;
    excludes the warm-up."""
    began = [float("inf")]
    ages: list[float] = []
    predictor: list[float] = []

    def on_depth(message: bytes) -> None:
        now = time.time_ns()
        # The header comes first in CDR: four bytes of encapsulation, then the stamp.
        second, nanosecond = np.frombuffer(message, "<u4", 2, 4).tolist()
        stamp = second * 10**9 + nanosecond
        if stamp >= began[0]:
            ages.append((now - stamp) / 1e6)

    def on_diagnostics(message: DiagnosticArray) -> None:
        values = {pair.key: pair.value for pair in message.status[0].values}
        if time.time_ns() >= began[0] and (text := values["inference p50 (ms)"]):
            predictor.append(float(text))

    client.create_subscription(Image, "depth/image", on_depth, 10, raw=True)
    client.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
    rig = CameraRig(client)
    executor = SingleThreadedExecutor()
    executor.add_node(client)
    stop, ended = threading.Event(), threading.Event()

    def spin() -> None:
        while not ended.is_set():
            executor.spin_once(0.05)

    spinning = threading.Thread(target=spin)
    playing = threading.Thread(target=rig.play, args=(rate, stop))
    spinning.start()
    try:
        deadline = time.monotonic() + START_S
        while not rig.is_heard():
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"error: a node did not subscribe within {START_S:g} s, or it ended")
            time.sleep(0.05)
        playing.start()
        time.sleep(WARM_UP_S)
        before = rig.sent[""]
        began[0] = time.time_ns()
        while (left := seconds - (time.time_ns() - began[0]) / 1e9) > 0:
            step = min(1.0, left)
            time.sleep(step)
            progress.advance(task, step)
        stop.set()
        playing.join()
        sent = rig.sent[""] - before
        time.sleep(1.5)  # wait for the last depth, and diagnostics that cover it
    finally:
        stop.set()
        ended.set()
        spinning.join()
    return sent, ages, predictor


def table(runs: list[Run]) -> Table:
    """Table of the runs, one per row."""
    result = Table("node", box=None)
    for name in ("Hz", "answered", "p50", "p99", "predictor", "overhead", "/ relay"):
        result.add_column(name, justify="right")
    relays = {run.rate: run.age[0] for run in runs if run.node == "relay"}
    for run in runs:
        predictor = "" if run.predictor is None else f"{run.predictor:.1f}"
        times = [f"{value:.1f}" for value in run.age[:2]]
        counts = [f"{run.rate:.0f}", f"{run.answered}/{run.sent}"]
        ratio = f"{run.overhead / relays[run.rate]:.2f}" if run.rate in relays else ""
        result.add_row(run.node, *counts, *times, predictor, f"{run.overhead:.1f}", ratio)
    result.caption = "milliseconds from publishing the image to receiving depth"
    return result


if __name__ == "__main__":
    sys.exit(main())
