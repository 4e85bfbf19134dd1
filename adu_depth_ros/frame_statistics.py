"""Outcomes of the received frames: counts, rates and times."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

WINDOW_S = 5.0
"""Window in seconds over which rates and times are computed."""

DRIFT_S = 60.0
"""Window in seconds for typical depth and sigma: a shorter one would react to a wall that the vehicle
passes."""

DRIFT_FRAMES = 20
"""Minimum number of frames for a statement on typical depth."""

FATES = ("published", "dropped", "rejected", "failed", "idle", "limited")
"""Possible outcomes of a received frame. Rejected: the image or its calibration cannot be used.
Failed: an internal error. Idle: not processed, for lack of subscribers. Limited: not processed,
because of the rate limit."""


@dataclass(frozen=True)
class Snapshot:
    """Statistics at one instant.

    :param total: number of frames since the start, by outcome, and ``received``
    :param recent: the same for the last ``WINDOW_S`` seconds
    :param input_rate: frames received per second
    :param output_rate: frames published per second
    :param latency: median and 99th percentile, seconds from a frame's stamp to its publication; None
        if no frame was published in the window
    :param inference: median and 99th percentile, seconds from pixels to depth; None likewise
    :param since_received: seconds since a frame was received or, if none was since then, images were
        subscribed; None while they are not
    :param withheld: fraction of pixels without a finite depth because sigma is too large, 0 to 1,
        mean of the published frames; None likewise
    :param depth: median over the frames of the last ``DRIFT_S`` of their median depth, metres; None if they
        are fewer than ``DRIFT_FRAMES``
    :param relative_sigma: the same for their median of sigma / depth
    :param unfamiliar: share of the published frames that are unlike the model's training data, 0 to 1; None
        likewise
    :param camera_doubt: warning that the model was not trained for the camera of the latest published frame;
    empty if it was
        or none was published in the window
    :param stabilised: frames since the start by the reason why they were not stabilised, empty for those that
        were; none counts where stabilisation is off
    :param recently_stabilised: the same for the last ``WINDOW_S`` seconds
    :param last_rejection: reason for the last rejection, empty without one
    :param fault: the last internal error, until a frame is published a window later; empty without one
    """

    total: dict[str, int]
    recent: dict[str, int]
    input_rate: float
    output_rate: float
    latency: tuple[float, float] | None
    inference: tuple[float, float] | None
    since_received: float | None
    withheld: float | None
    depth: float | None
    relative_sigma: float | None
    unfamiliar: float | None
    camera_doubt: str
    last_rejection: str
    fault: str
    stabilised: dict[str, int] = field(default_factory=dict)
    recently_stabilised: dict[str, int] = field(default_factory=dict)


class FrameStatistics:
    """Counts frames; may be used from several threads.

    :param clock: seconds, monotonic
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._start = clock()
        self._total: Counter[str] = Counter()
        self._events: deque[tuple[float, str]] = deque()
        self._times: deque[tuple[float, float, float, bool, float]] = deque()
        self._maps: deque[tuple[float, float, float]] = deque()
        self._stabilised: Counter[str] = Counter()
        self._fusions: deque[tuple[float, str]] = deque()
        self._awaited_since: float | None = None
        self._last_rejection = self._camera_doubt = ""
        self._fault: tuple[float, str] | None = None

    def received(self) -> None:
        self._count("received")
        self._awaited_since = self._clock()

    def subscribed(self) -> None:
        """Expect images from now on."""
        self._awaited_since = self._clock()

    def unsubscribed(self) -> None:
        """Stop expecting images."""
        self._awaited_since = None

    def silent_for(self) -> float | None:
        """Seconds since a frame was received or images were subscribed; None while none is expected."""
        since = self._awaited_since
        return None if since is None else self._clock() - since

    def dropped(self) -> None:
        self._count("dropped")

    def limited(self) -> None:
        self._count("limited")

    def idle(self) -> None:
        self._count("idle")

    def rejected(self, reason: str) -> None:
        self._count("rejected")
        self._last_rejection = reason

    def failed(self, fault: str) -> None:
        self._count("failed")
        self.fault(fault)

    def fault(self, fault: str) -> None:
        """Record an internal error, with or without a frame."""
        with self._lock:
            self._fault = (self._clock(), fault)

    def published(
        self,
        latency: float,
        inference: float,
        unfamiliar: bool = False,
        camera_doubt: str = "",
        withheld: float = 0.0,
        typical: tuple[float, float] | None = None,
    ) -> None:
        """:param latency: seconds since the frame's stamp
        :param inference: seconds of those spent from pixels to depth
        :param unfamiliar: the frame is unlike the training data
        :param camera_doubt: warning that the model was not trained for its camera; empty if it was
        :param withheld: fraction of its pixels published as NaN, 0 to 1
        :param typical: its median depth in metres, and its median of sigma / depth
        """
        self._count("published")
        now = self._clock()
        with self._lock:
            self._times.append((now, latency, inference, unfamiliar, withheld))
            self._camera_doubt = camera_doubt
            if typical is not None:
                self._maps.append((now, *typical))
            if self._fault is not None and self._fault[0] < now - WINDOW_S:
                self._fault = None

    def stabilised(self, unfused: str) -> None:
        """Count a published frame that was to be stabilised.

        :param unfused: reason why it was not, which may name details after a colon; empty if it was
        """
        with self._lock:
            self._stabilised[unfused.partition(":")[0]] += 1
            self._fusions.append((self._clock(), unfused))

    def _count(self, what: str) -> None:
        with self._lock:
            self._total[what] += 1
            self._events.append((self._clock(), what))
            self._forget()

    def _forget(self) -> None:
        now = self._clock()
        for entries, seconds in (
            (self._events, WINDOW_S),
            (self._times, WINDOW_S),
            (self._fusions, WINDOW_S),
            (self._maps, DRIFT_S),
        ):
            while entries and entries[0][0] < now - seconds:
                entries.popleft()

    def snapshot(self) -> Snapshot:
        with self._lock:
            self._forget()
            recent = Counter(what for _, what in self._events)
            times = np.array([entry[1:] for entry in self._times])
            maps = np.array([entry[1:] for entry in self._maps])
            total, last_rejection = dict(self._total), self._last_rejection
            stabilised = dict(self._stabilised)
            recently_stabilised = dict(Counter(unfused for _, unfused in self._fusions))
            camera_doubt = self._camera_doubt if self._times else ""
            fault = self._fault[1] if self._fault is not None else ""
        seconds = max(1e-3, min(WINDOW_S, self._clock() - self._start))
        percentiles = np.percentile(times[:, :2], (50, 99), axis=0) if len(times) else None
        names = ("received", *FATES)
        depth, relative_sigma = (
            np.median(maps, axis=0).tolist() if len(maps) >= DRIFT_FRAMES else (None, None)
        )
        awaited_since = self._awaited_since
        return Snapshot(
            total={name: total.get(name, 0) for name in names},
            recent={name: recent[name] for name in names},
            input_rate=recent["received"] / seconds,
            output_rate=recent["published"] / seconds,
            latency=None if percentiles is None else tuple(percentiles[:, 0].tolist()),
            inference=None if percentiles is None else tuple(percentiles[:, 1].tolist()),
            since_received=None if awaited_since is None else self._clock() - awaited_since,
            withheld=None if percentiles is None else float(times[:, 3].mean()),
            depth=depth,
            relative_sigma=relative_sigma,
            unfamiliar=None if percentiles is None else float(times[:, 2].mean()),
            camera_doubt=camera_doubt,
            last_rejection=last_rejection,
            fault=fault,
            stabilised=stabilised,
            recently_stabilised=recently_stabilised,
        )
