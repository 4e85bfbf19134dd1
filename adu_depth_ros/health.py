"""A clock that nothing else in the process can stop."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from rclpy.impl.rcutils_logger import RcutilsLogger


class HealthTimer:
    """Calls a function in regular intervals on a thread of its own.

    A timer of the executor stands still while a transition, such as the loading of a model, is under way.
    With
    ``use_sim_time`` and no ``/clock`` it would never start, when diagnostics are what one needs most.

    :param period: seconds
    :param check: what is called; an exception is logged and does not end the timer
    """

    def __init__(self, period: float, check: Callable[[], None], log: RcutilsLogger) -> None:
        self._check = check
        self._log = log
        self._period = period
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Call no more; returns when the call in work has ended."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._period):
            try:
                self._check()
            except Exception as error:
                self._log.error("diagnostics: " + "".join(traceback.format_exception(error)).rstrip())
