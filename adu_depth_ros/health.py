"""A timer that nothing else in the process can block."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

from rclpy.impl.rcutils_logger import RcutilsLogger


class HealthTimer:
    """Calls a function at regular intervals on its own thread.

    A timer of the executor is blocked during a transition, such as loading a model. With
    ``use_sim_time`` and no ``/clock`` it would never start, just when diagnostics are needed most.

    :param period: seconds
    :param check: function to call with the seconds by which the call is late, because the whole process
        or the previous call was blocked; an exception is logged and does not end the timer
    """

    def __init__(self, period: float, check: Callable[[float], None], log: RcutilsLogger) -> None:
        self._check = check
        self._log = log
        self._period = period
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop calling; returns when the current call has finished."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic() + self._period
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            late = max(0.0, now - due)
            # Before the check: time for which the process stood still during a check counts as late, too.
            due = now + self._period
            try:
                self._check(late)
            except Exception as error:
                self._log.error("diagnostics: " + "".join(traceback.format_exception(error)).rstrip())
