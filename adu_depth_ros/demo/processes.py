"""Child processes with a log, always stopped on exit."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adu_depth_core.errors import UserError

STOP_SECONDS = 15.0
LOG_LINES = 40


@dataclass(frozen=True)
class Child:
    """A running process.

    :param name: name for messages
    :param process: the process
    :param log: file of its standard output and error
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check_running(self) -> None:
        """:raises UserError: if it ended, with its log"""
        if self.process.poll() is not None:
            raise self.failure(f"ended with status {self.process.returncode}")

    def stop(self) -> None:
        """Send SIGINT and wait for the process to end.

        :raises UserError: if it fails or does not end, with its log
        """
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self.failure(f"did not end within {STOP_SECONDS:g} s of Ctrl-C") from error
        if status:
            raise self.failure(f"ended with status {status}")

    def failure(self, what: str) -> UserError:
        """An error that shows the end of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        return UserError("\n".join([f"{self.name} {what}. Its log:", *(f"    {line}" for line in lines)]))


@contextlib.contextmanager
def running(name: str, command: Sequence[str], log: Path) -> Iterator[Child]:
    """Start a process; on leaving it is killed if it was not stopped."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Child(name, process, log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
