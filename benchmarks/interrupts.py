"""Ctrl-C at random moments after the start of a process: how it ends.

    python benchmarks/interrupts.py [--count 100] [--seconds 3] -- COMMAND...
    python benchmarks/interrupts.py                       # depth_node, as installed beside this Python
    python benchmarks/interrupts.py --cameras 4           # the same, with several cameras
    python benchmarks/interrupts.py -- adu_depth benchmark models/adu_student.onnx --runs 2000
    python benchmarks/interrupts.py --seconds 0.12        # while Python starts

Each run gets one SIGINT, uniformly distributed over the first seconds, and a DDS domain of its own. Right is
status 0 or 130 (interrupted), without a traceback and within the time limit. Prints how many ended in which
way, and over which range of moments. Exit status 1 if any did not end as it should.

Until a program's first line Python itself answers, unless it is started as the installed programs are
(``scripts/``).
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
"""A process that has not ended so long after its signal hangs."""


def depth_node(cameras: int) -> list[str]:
    """Command of the installed node."""
    command = [str(Path(sys.executable).with_name("depth_node"))]
    if cameras > 1:
        names = json.dumps([f"camera{number}" for number in range(cameras)])
        command += ["--ros-args", "-p", f"cameras:={names}"]
    return command


def interrupted(command: list[str], moment: float) -> tuple[str, str]:
    """Exit of a process interrupted ``moment`` seconds after its start, and its stderr."""
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
    parser.add_argument("--seconds", type=float, default=3.0, help="latest moment (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what a wrongly ended process wrote")
    parser.add_argument("--cameras", type=int, default=1, help="of depth_node (default 1)")
    parser.add_argument("command", nargs="*", help="default: depth_node")
    arguments = parser.parse_args()
    # A shell that starts this in the background makes it, and all processes that it starts, ignore SIGINT.
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
