"""Memory, file descriptors and frame counts of ``depth_node`` over a long run.

    python benchmarks/node_endurance.py --out endurance.json [--minutes 30] [--rate 10] [--cameras 1]

Starts the node in a separate process, sends it frames (375x1242) over DDS and subscribes to everything it
publishes. After a warm-up, memory, file descriptors and threads are sampled every two seconds. Passes if the
median resident memory of the last tenth is at most 1 % above that of the first, file descriptors and threads
have not increased, and the node's counts give an outcome for each received frame. Exit status 1 otherwise.
PSS (shared pages counted proportionally) is recorded too, but changes with other processes, by more than a
slow leak does. Runs for ``--minutes`` plus a few seconds; a busy machine drops more frames.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from camera_rig import CameraRig, memory_mb, open_files, threads

from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model
from adu_depth_core.progress import progress_bar
from adu_depth_ros.dds_profile import use_profile_for_images
from adu_depth_ros.depth_publishers import below
from adu_depth_ros.frame_statistics import FATES
from adu_depth_ros.isolation import private_domain

SAMPLE_S = 2.0
"""Seconds between two samples."""

GROWTH = 0.01
"""Maximum relative growth of memory after the warm-up."""

START_S = 60.0
"""Timeout in seconds for waiting on the node."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, help="seconds (default: 120, at most a fifth of the run)")
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second and camera (10)")
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON file for figures and samples")
    arguments = parser.parse_args()
    names = [f"camera{number}" for number in range(arguments.cameras)] if arguments.cameras > 1 else [""]
    seconds = 60 * arguments.minutes
    warm_up = arguments.warm_up if arguments.warm_up is not None else min(120.0, seconds / 5)
    if warning := use_profile_for_images():
        print(f"warning: {warning}", file=sys.stderr)
    with private_domain() as domain:
        os.environ.update(domain)
        samples, counts = endure(names, arguments.rate, seconds, warm_up)
    report = judge(samples, counts)
    report |= {"command": sys.argv, "cpu": cpu_model(), "load": os.getloadavg(), "samples": samples}
    with write_atomically(arguments.out) as path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name in ("pss_mb", "rss_mb", "files", "threads"):
        first, last = report[name]
        print(f"{name:<8} {first:8.1f} to {last:8.1f}   {last / first - 1:+.2%}")
    for camera, values in report["frames"].items():
        print(f"{camera or 'camera'}: " + ", ".join(f"{name} {count}" for name, count in values.items()))
    print("\n".join(report["faults"]) or "passed")
    return 1 if report["faults"] else 0


def endure(
    names: Sequence[str], rate: float, seconds: float, warm_up: float
) -> tuple[list[dict[str, float]], dict[str, dict[str, int]]]:
    """Samples of the node's process, and frame counts per camera: sent, counted by the node, and received
    depth."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray

    command = [
        sys.executable,
        "-m",
        "adu_depth_ros.depth_node",
        "--ros-args",
        "-p",
        "lazy_subscription:=false",
    ]
    command += ["-p", f"cameras:={json.dumps(names)}"] if names != [""] else []
    process = subprocess.Popen(command)
    rclpy.init()
    node = rclpy.create_node("endurance")
    stop = threading.Event()
    spinning = threading.Thread(target=_spin, args=(node, stop))
    rig = CameraRig(node, names)
    playing = threading.Thread(target=rig.play, args=(rate, stop))
    statuses: dict[str, dict[str, str]] = {}
    came: Counter[str] = Counter()

    def on_diagnostics(message: DiagnosticArray) -> None:
        for status in message.status:
            camera = status.name.partition(": ")[2]
            statuses["" if names == [""] else camera] = {pair.key: pair.value for pair in status.values}

    node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
    spinning.start()
    try:
        _wait_for(lambda: rig.is_heard() and _is_known(node, names), process)
        _listen_to_all(node, came)
        playing.start()
        samples = _samples(process, seconds, warm_up)
        stop.set()
        playing.join()
        # Wait for the last frames, and the diagnostics that count them.
        time.sleep(3.0)
        _check_alive(process)
        counts = {
            name: {
                "sent": rig.sent[name],
                **{what: int(statuses[name][f"frames {what}"]) for what in ("received", *FATES)},
                "answered": came[node.resolve_topic_name(f"{name}/depth/image" if name else "depth/image")],
            }
            for name in names
        }
    finally:
        stop.set()
        process.terminate()
        process.wait()
        spinning.join()
        node.destroy_node()
        rclpy.try_shutdown()
    return samples, counts


def _spin(node: Any, stop: threading.Event) -> None:
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

    executor = SingleThreadedExecutor()
    executor.add_node(node)
    ended = None
    try:
        # Past the last frame, for its depth.
        while ended is None or time.monotonic() < ended + 4:
            executor.spin_once(0.1)
            if ended is None and stop.is_set():
                ended = time.monotonic()
    except ExternalShutdownException:
        pass


def _is_known(node: Any, names: Sequence[str]) -> bool:
    """True once the node under test and its last publishers are discovered, which may be after its
    subscriptions."""
    if ("depth_node", "/") not in node.get_node_names_and_namespaces():
        return False
    topics = dict(node.get_publisher_names_and_types_by_node("depth_node", "/"))
    return all(f"/{below(name, 'depth/points')}" in topics for name in names)


def _listen_to_all(node: Any, came: Counter[str]) -> None:
    """Subscribe to every topic of the node, and count the messages by topic."""
    import sensor_msgs.msg

    def counting(topic: str) -> Callable[[bytes], None]:
        return lambda message: came.update([topic])

    for topic, types in node.get_publisher_names_and_types_by_node("depth_node", "/"):
        package, _, name = types[0].rpartition("/")
        if package == "sensor_msgs/msg":
            # Raw: only the node's work is measured.
            node.create_subscription(getattr(sensor_msgs.msg, name), topic, counting(topic), 10, raw=True)


def _wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while not condition():
        _check_alive(process)
        if time.monotonic() > deadline:
            sys.exit(f"error: depth_node did not subscribe within {START_S:g} s")
        time.sleep(0.1)


def _check_alive(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        sys.exit(f"error: depth_node ended with status {process.returncode}")


def _samples(process: subprocess.Popen[bytes], seconds: float, warm_up: float) -> list[dict[str, float]]:
    samples = []
    start = time.monotonic()
    with progress_bar("s") as progress:
        task = progress.add_task("Running", total=round(seconds))
        while (now := time.monotonic() - start) < seconds:
            time.sleep(SAMPLE_S)
            _check_alive(process)
            pss, rss = memory_mb(process.pid)
            sample = {"seconds": now, "pss_mb": pss, "rss_mb": rss}
            sample |= {"files": open_files(process.pid), "threads": threads(process.pid)}
            if now >= warm_up:
                samples.append(sample)
            progress.update(task, completed=round(now))
    return samples


def judge(samples: list[dict[str, float]], counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Medians over the first and last tenth of the samples, the counts, and the detected faults."""
    tenth = max(1, len(samples) // 10)
    report: dict[str, Any] = {
        name: [
            float(np.median([sample[name] for sample in part]))
            for part in (samples[:tenth], samples[-tenth:])
        ]
        for name in ("pss_mb", "rss_mb", "files", "threads")
    }
    faults = []
    before, after = report["rss_mb"]
    if after > (1 + GROWTH) * before:
        faults.append(f"memory grew by {after / before - 1:.1%}, more than {GROWTH:.0%}")
    faults += [
        f"{name} grew from {report[name][0]:g} to {report[name][1]:g}"
        for name in ("files", "threads")
        if report[name][1] > report[name][0]
    ]
    for camera, values in counts.items():
        outcomes = sum(
            count for name, count in values.items() if name not in ("sent", "received", "answered")
        )
        if outcomes != values["received"]:
            faults.append(
                f"{camera or 'camera'}: {values['received']} frames received, {outcomes} have an outcome"
            )
        if not values["published"]:
            faults.append(f"{camera or 'camera'}: no frame was published")
    return report | {"frames": counts, "faults": faults}


if __name__ == "__main__":
    sys.exit(main())
