"""Run times under the metric names of ros2_benchmark and Isaac ROS."""

from __future__ import annotations

import numpy as np

PREFIX = "BasicPerformanceMetrics."


def ros2_metrics(stamps: np.ndarray, images: int = 1) -> dict[str, float]:
    """The metrics of ros2_benchmark's ``BasicPerformanceCalculator``; milliseconds and frames per second.

    Its frames are messages on a topic; here they are sequential runs, so none is missed, and jitter is the
    change between successive intervals between ends.

    :param stamps: start and end of each run in nanoseconds, ``(runs, 2)``
    :param images: number of images per run
    """
    starts, ends = stamps.T / 1e6
    latencies = ends - starts
    metrics = {
        "NUM_FRAMES_SENT": images * len(stamps),
        "NUM_MISSED_FRAMES": 0,
        "FIRST_SENT_RECEIVED_LATENCY": ends[0] - starts[0],
        "LAST_SENT_RECEIVED_LATENCY": ends[-1] - starts[-1],
        "MAX_LATENCY": latencies.max(),
        "MIN_LATENCY": latencies.min(),
        "MEAN_LATENCY": latencies.mean(),
        "RECEIVED_DURATION": ends[-1] - ends[0],
    }
    if len(stamps) > 1:
        metrics["MEAN_FRAME_RATE"] = 1e3 * images * len(stamps) / (ends[-1] - ends[0])
        metrics["MEAN_PLAYBACK_FRAME_RATE"] = 1e3 * images * len(stamps) / (starts[-1] - starts[0])
    if len(stamps) > 2:
        jitter = np.abs(np.diff(ends, 2))
        metrics |= {
            "MAX_JITTER": jitter.max(),
            "MIN_JITTER": jitter.min(),
            "MEAN_JITTER": jitter.mean(),
            "STD_DEV_JITTER": jitter.std(),
        }
    return {PREFIX + name: float(value) for name, value in metrics.items()}
