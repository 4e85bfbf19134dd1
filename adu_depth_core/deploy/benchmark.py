"""Latency of a network on one runtime."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one run; throughput follows from the mean.

    :param runs: number of timed runs
    :param throughput: runs per second, one after the other
    """

    runs: int
    p50: float
    p90: float
    p99: float
    mean: float
    throughput: float


def measure(run: Callable[[], object], runs: int, warm_up: int) -> Latency:
    """Time ``run`` after some runs that do not count (allocation, caches, clock)."""
    for _ in range(warm_up):
        run()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - started))
    p50, p90, p99 = (float(np.quantile(times, q)) for q in (0.5, 0.9, 0.99))
    mean = float(np.mean(times))
    return Latency(runs, p50, p90, p99, mean, 1e3 / mean)
