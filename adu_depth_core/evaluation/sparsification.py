"""Ranking of errors by sigma: sparsification error (AUSE) and gain over a random order (AURG).

Remove the pixels with the highest uncertainty first, 2 % at a time, and plot the error of the remaining
pixels. AUSE is the area between that curve and the oracle's, which removes the largest errors first (0: the
uncertainty ranks pixels as the errors do). AURG is the area between the random order's curve, which stays
level, and that curve (above 0: better than random). Ilg et al. 2018, Poggi et al. 2020.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.pixels import counted_pixels
from adu_depth_core.evaluation.ranking import Ranking

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
    the prediction says of the error that the metric counts. Equal ranks share their mean error.

    :param prediction: depth ``(H, W)`` metres, already limited to the protocol's range
    :param sigma: half width of the 68.3 % interval ``(H, W)`` metres
    :param truth: depth ``(H, W)`` metres
    :param mask: bool ``(H, W)``, pixels that count
    :return: by metric name, two float64 arrays ``(51,)``; the last value, with no pixel left, is 0
    :raises ValueError: if the shapes differ, no pixel counts, or a value that counts is not a positive number
    """
    return pixel_curves(*counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth))


def pixel_curves(p: np.ndarray, s: np.ndarray, g: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """``sparsification_curves`` of pixels: predictions, sigmas and truths, float64 ``(N,)``, positive."""
    error = np.abs(g - p)
    relative, squared = error / g, error * error
    outlier = (np.maximum(g / p, p / g) >= 1.25).astype(np.float64)
    kept = -(-p.size * np.arange(STEPS, 0, -1) // STEPS)  # rounded up: at least one pixel
    by_relative_sigma = Ranking(s / p).sums_of_smallest(kept, relative, outlier)
    (by_sigma,) = Ranking(s).sums_of_smallest(kept, squared)
    (best_relative,) = Ranking(relative).sums_of_smallest(kept, relative)
    (best_squared,) = Ranking(squared).sums_of_smallest(kept, squared)
    best_outlier = np.maximum(kept - (p.size - outlier.sum()), 0.0)  # the oracle keeps them to the end

    def curve(sums: np.ndarray) -> np.ndarray:
        return np.append(sums / kept, 0.0)

    return {
        "abs_rel": (curve(by_relative_sigma[0]), curve(best_relative)),
        "rmse": (np.sqrt(curve(by_sigma)), np.sqrt(curve(best_squared))),
        "d1": (curve(by_relative_sigma[1]), curve(best_outlier)),
    }


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


def _area(curve: np.ndarray) -> float:
    return float(np.sum(curve[1:] + curve[:-1]) / (2 * STEPS))
