"""SIGINT and SIGTERM, handled by a dedicated thread from the first line of a process on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

NUMBERS = (signal.SIGINT, signal.SIGTERM)

TOGETHER_S = 2.0
"""Seconds within which further signals count as the first: for one Ctrl-C both the terminal and ros2 launch
send one."""


class StopSignals:
    """Takes over termination signals from Python. Create it before other threads and long imports.

    Python would raise KeyboardInterrupt wherever the main thread is: in the middle of an import, which ends
    in a traceback or loses the signal, or of the clean-up. Here only one thread ever receives the signals.
    Until ``call`` they end the process at once with status 128 + signal, as a shell would report it: there
    is nothing to clean up yet. So does one that arrives ``TOGETHER_S`` after the first: the clean-up hangs.
    """

    def __init__(self) -> None:
        self._react: Callable[[], None] | None = None
        # Threads inherit the mask of the one that starts them.
        signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def call(self, react: Callable[[], None]) -> None:
        """Let the first signal call ``react``, on the waiting thread."""
        self._react = react

    def _wait(self) -> None:
        number = signal.sigwait(NUMBERS)
        if self._react is None:
            os._exit(128 + number)
        self._react()
        first = time.monotonic()
        while time.monotonic() - first < TOGETHER_S:
            number = signal.sigwait(NUMBERS)
        os._exit(128 + number)
