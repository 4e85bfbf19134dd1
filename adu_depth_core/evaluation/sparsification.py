"""Does sigma know where the errors are? Sparsification error (AUSE) and gain over chance (AURG).

Remove the pixels with the highest uncertainty first, 2 % at a time, and watch the error of the rest
fall. AUSE is the area between that curve and the oracle's, which removes the largest errors first (0: the
uncertainty ranks pixels as the errors do). AURG is the area between the random order's curve, which stays
level, and that curve (above 0: better than chance). Ilg et al. 2018, Poggi et al. 2020.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.metrics import counted_pixels

STEPS = 50
METRICS = ("abs_rel", "rmse", "d1")
"""Metrics with a sparsification curve; the curve of ``d1`` is that of the outliers, 1 - d1."""

REMOVED = np.arange(STEPS + 1) / STEPS
"""Shares of pixels removed along a curve: 0, 0.02, ..., 1."""


def sparsification_curves(
    prediction: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Error of the remaining pixels along ``REMOVED``, for each of ``METRICS``: by sigma, and by the oracle.

    The relative metrics are ranked by the relative uncertainty sigma / p, rmse by sigma: each by what
    the prediction says of the error that the metric counts.

    :param prediction: depth ``(H, W)`` metres, already limited to the protocol's range
    :param sigma: half width of the 68.3 % interval ``(H, W)`` metres
    :param truth: depth ``(H, W)`` metres
    :param mask: bool ``(H, W)``, pixels that count
    :return: by metric name, two float64 arrays ``(51,)``; the last value, with no pixel left, is 0
    :raises ValueError: if the shapes differ, no pixel counts, or a value that counts is not a positive number
    """
    p, s, g = counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth)
    errors_and_ranks = {
        "abs_rel": (np.abs(g - p) / g, s / p),
        "rmse": ((g - p) ** 2, s),
        "d1": ((np.maximum(g / p, p / g) >= 1.25).astype(np.float64), s / p),
    }
    curves = {}
    for metric, (error, rank) in errors_and_ranks.items():
        pair = _mean_of_remaining(_in_order_of(rank, error)), _mean_of_remaining(np.sort(error))
        curves[metric] = tuple(np.sqrt(curve) for curve in pair) if metric == "rmse" else pair
    return curves


def ause(by_sigma: np.ndarray, by_oracle: np.ndarray) -> float:
    """Area under the sparsification error, in the metric's unit; 0 is best."""
    return _area(by_sigma - by_oracle)


def aurg(by_sigma: np.ndarray) -> float:
    """Area under the random gain, in the metric's unit; 0 is chance, more is better.

    All curves end at 0, the random one too, so that an uncertainty without information scores 0. (Poggi's
    code keeps the random curve level at its last point, which adds 1 % of the error to every AURG.)
    """
    by_chance = np.full_like(by_sigma, by_sigma[0])
    by_chance[-1] = 0.0
    return _area(by_chance - by_sigma)


def _in_order_of(rank: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Errors sorted by ascending rank; equal ranks share their mean error.

    That is the expectation over their order, which a plain sort would take from where the pixels
    happen to be in the image.
    """
    order = np.argsort(rank)
    starts = np.flatnonzero(np.diff(rank[order], prepend=-np.inf))
    sizes = np.diff(starts, append=rank.size)
    return np.repeat(np.add.reduceat(error[order], starts) / sizes, sizes)


def _mean_of_remaining(error: np.ndarray) -> np.ndarray:
    """Mean of what is left, ``(51,)``, as more and more of the end of ``error`` is removed."""
    total = np.concatenate([[0.0], np.cumsum(error)])
    kept = -(-error.size * np.arange(STEPS, 0, -1) // STEPS)  # rounded up: at least one pixel
    return np.append(total[kept] / kept, 0.0)


def _area(curve: np.ndarray) -> float:
    return float(np.sum(curve[1:] + curve[:-1]) / (2 * STEPS))
