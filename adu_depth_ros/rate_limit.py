"""Rate limit for events."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_CREDIT = 2.0
"""Events that may follow at once after a pause. With less, an event that comes while nearly one is saved up
would forfeit it, and the mean rate would be below the one asked for."""


class RateLimit:
    """Passes events at a mean rate, evenly: every third frame of a 30 Hz camera limited to 10 Hz.

    :param clock: seconds, monotonic
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest: float | None = None
        self._credit = MOST_CREDIT

    def passes(self, rate: float) -> bool:
        """Ask for each event, in order.

        :param rate: events a second; 0 for no limit
        """
        now = self._clock()
        elapsed = 0.0 if self._latest is None else now - self._latest
        self._latest = now
        if not rate:
            return True
        self._credit = min(MOST_CREDIT, self._credit + elapsed * rate)
        if self._credit < 1.0 - 1e-6:
            return False
        self._credit -= 1.0
        return True
