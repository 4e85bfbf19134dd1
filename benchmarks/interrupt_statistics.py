"""Ctrl-C at random times after the start of a process: statistics of the exit.

    python benchmarks/interrupt_statistics.py [--count 100] [--seconds 3] -- COMMAND...
    python benchmarks/interrupt_statistics.py                  # depth_node, as installed next to this Python
    python benchmarks/interrupt_statistics.py --cameras 4      # the same, with several cameras
    python benchmarks/interrupt_statistics.py -- adu_depth benchmark models/adu_student.onnx --runs 2000
    python benchmarks/interrupt_statistics.py --seconds 0.12   # while Python starts

Each run gets one SIGINT, uniformly distributed over the first seconds, and a private DDS domain. A run passes
with status 0 or 130 (interrupted), without a traceback and within the time limit. Prints the number of runs
per outcome and the range of times. Exit status 1 if any run failed.

Until a program's first line runs, Python itself handles the signal, unless the program is started like the
installed ones (``scripts/``).
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from adu_depth_ros.isolation import private_domain

LIMIT_S = 20.0
"""Seconds after the signal before a process counts as hanging."""


def depth_node(cameras: int) -> list[str]:
    """Command of the installed node."""
    command = [str(Path(sys.executable).with_name("depth_node"))]
    if cameras > 1:
        names = json.dumps([f"camera{number}" for number in range(cameras)])
        command += ["--ros-args", "-p", f"cameras:={names}"]
    return command


def interrupted(command: list[str], moment: float) -> tuple[str, str]:
    """Exit status and stderr of a process interrupted ``moment`` seconds after its start."""
    with private_domain() as domain:
        return interrupted_in(os.environ | domain, command, moment)


def interrupted_in(environment: dict[str, str], command: list[str], moment: float) -> tuple[str, str]:
    """The same, in the environment's domain."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(moment)
    if process.poll() is not None:
        return "ended before the signal", process.stderr.read()
    process.send_signal(signal.SIGINT)
    try:
        _, text = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        _, text = process.communicate()
        return "hang", text
    ending = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
    return ending + (" with a traceback" if "Traceback" in text else ""), text


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="processes to interrupt (default 100)")
    parser.add_argument("--seconds", type=float, default=3.0, help="latest time of the signal (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the output of failed runs")
    parser.add_argument("--cameras", type=int, default=1, help="number of cameras of depth_node (default 1)")
    parser.add_argument("command", nargs="*", help="default: depth_node")
    arguments = parser.parse_args()
    # Started in the background by a shell, this process and its children inherit an ignored SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if arguments.command and arguments.cameras != 1:
        parser.error("--cameras is for depth_node, not for a COMMAND")
    command = arguments.command or depth_node(arguments.cameras)

    moments = random.Random(arguments.seed)
    endings: dict[str, list[float]] = collections.defaultdict(list)
    for _ in range(arguments.count):
        moment = moments.uniform(0.0, arguments.seconds)
        ending, text = interrupted(command, moment)
        endings[ending].append(moment)
        if arguments.show and ending not in ("status 0", "status 130"):
            print(f"--- {ending}, {moment:.3f} s\n{text}")
    for ending, times in sorted(endings.items()):
        print(f"{len(times):4d}  {ending}, interrupted between {min(times):.3f} and {max(times):.3f} s")
    return 0 if set(endings) <= {"status 0", "status 130"} else 1


if __name__ == "__main__":
    sys.exit(main())
