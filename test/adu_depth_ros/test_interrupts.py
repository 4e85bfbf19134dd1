"""Ctrl-C at any time after the start; ``benchmarks/interrupt_statistics.py`` sends it a hundred times."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from adu_depth_ros.isolation import private_domain

MOMENTS = [0.0, 0.15, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.2]


@pytest.fixture
def start():
    """Start a process with SIGINT blocked until its first line: before that, Python would handle it."""
    with private_domain() as domain:
        yield lambda command: subprocess.Popen(
            command,
            env=os.environ | domain,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]),
        )


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_node_that_starts_ends_without_a_word(start, moment, shipped_model):
    node = start(
        [sys.executable, "-m", "adu_depth_ros.depth_node", "--ros-args", "-p", f"model:={shipped_model}"]
    )
    time.sleep(moment)
    node.send_signal(signal.SIGINT)
    _, log = node.communicate(timeout=20)
    assert node.returncode in (0, 130)
    assert not [line for line in log.splitlines() if "[INFO]" not in line]


def test_a_second_signal_ends_a_clean_up_that_hangs():
    code = """
import time
from adu_depth_ros.stop_signals import StopSignals
StopSignals().call(lambda: print("ending", flush=True))
print("ready", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    for _ in range(2):  # from the terminal and from ros2 launch
        process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "ending\n"
    time.sleep(2.2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    process.stdout.close()
