"""Ctrl-C on the command line; ``benchmarks/interrupt_statistics.py`` sends it at a hundred random times."""

import signal
import subprocess
import sys
import time

import pytest

SWALLOWED = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)
except BaseException:
    pass
"""
"""A module that is interrupted during import, and reports that as its own failure."""


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, **options)


def test_an_interrupt_in_the_middle_of_an_import_is_not_lost(tmp_path):
    (tmp_path / "swallowing.py").write_text(SWALLOWED, encoding="utf-8")
    code = f"import sys; sys.path.append({str(tmp_path)!r})\nfrom adu_depth_core import interrupts\n"
    code += "interrupts.install()\nimport swallowing\nprint('went on')"
    result = run(code)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "adu_depth: interrupted\n")


def test_elsewhere_it_is_raised_so_that_commands_can_clean_up():
    code = "import os, signal\nfrom adu_depth_core import interrupts\ninterrupts.install()\n"
    code += (
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    print('cleaned up')"
    )
    assert run(code).stdout == "cleaned up\n"


def test_a_command_that_is_to_survive_its_terminal_does():
    code = "import os, signal\nfrom adu_depth_core import interrupts\ninterrupts.install()\n"
    code += "os.kill(os.getpid(), signal.SIGINT)\nprint('went on')"
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    assert run(code, **ignoring).stdout == "went on\n"


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.2, 0.3, 0.5])
def test_a_command_that_starts_says_that_it_was_interrupted(moment, shipped_model):
    pytest.importorskip("openvino")
    command = ["benchmark", str(shipped_model), "--runs", "100000", "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "adu_depth_core", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Until its first line runs, Python itself handles the signal.
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]),
    )
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=20)
    assert process.returncode == 130
    assert text.splitlines()[-1] == "adu_depth: interrupted"
    assert "Traceback" not in text
