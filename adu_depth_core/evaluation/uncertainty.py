"""Is sigma honest? Interval coverage, likelihood and an image's own scale.

What a prediction says about a pixel: its depth is Laplace-distributed in metres around the published
``depth`` with scale ``sigma / QUANTILE``, where ``sigma`` is the half width of the 68.3 % interval
(``QUANTILE = -ln(1 - 0.683) = 1.149``). The network's own distribution is a Laplace of scale b in log depth;
for a perfect one sigma is ``1.149 * b * depth``, so the two agree to first order in b. Note that
sigma is not the standard deviation, which would be ``sqrt(2)`` scales and cover 75.7 %.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.metrics import counted_pixels

ONE_SIGMA = 0.683
"""Share of pixels that ``|error| <= sigma`` is meant to cover."""

QUANTILE = -np.log1p(-ONE_SIGMA)
"""``|error| / scale`` that covers ``ONE_SIGMA`` of a Laplace distribution."""

LEVELS = np.arange(1, 100) / 100
"""Nominal levels of the coverage curve."""


def interval_half_width(level: float | np.ndarray) -> float | np.ndarray:
    """Half width, in units of sigma, of the central interval that covers ``level`` (0 to 1) of a Laplace."""
    return -np.log1p(-np.asarray(level)) / QUANTILE


def uncertainty_metrics(
    prediction: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> dict[str, float]:
    """Coverage of the 50, 68.3 (``coverage_1sigma``) and 95 % intervals, and the likelihood.

    ``nll = mean(ln(2 s) + |g - p| / s)`` with ``s = sigma / QUANTILE``: nats per pixel, density per metre.

    :param prediction: depth ``(H, W)`` metres, already limited to the protocol's range
    :param sigma: half width of the 68.3 % interval ``(H, W)`` metres
    :param truth: depth ``(H, W)`` metres
    :param mask: bool ``(H, W)``, pixels that count
    :raises ValueError: if the shapes differ, no pixel counts, or a value that counts is not a positive number
    """
    p, s, g = counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth)
    error = np.abs(g - p)
    scale = s / QUANTILE
    return {
        "coverage_50": float(np.mean(error <= interval_half_width(0.50) * s)),
        "coverage_1sigma": float(np.mean(error <= s)),
        "coverage_95": float(np.mean(error <= interval_half_width(0.95) * s)),
        "nll": float(np.mean(np.log(2 * scale) + error / scale)),
    }


def coverage_curve(
    prediction: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Share of pixels inside the interval of each of ``LEVELS``, ``(99,)``. Parameters as above."""
    p, s, g = counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth)
    ratio = np.sort(np.abs(g - p) / s)
    return np.searchsorted(ratio, interval_half_width(LEVELS), side="right") / ratio.size


def calibration_area(coverage: np.ndarray) -> float:
    """Area between a coverage curve over ``LEVELS`` and the diagonal: 0 is calibrated, 0.5 the worst.

    Both ends are known: the interval of level 0 covers nothing, that of level 1 everything.
    """
    levels = np.concatenate([[0.0], LEVELS, [1.0]])
    gap = np.abs(np.concatenate([[0.0], coverage, [1.0]]) - levels)
    return float(np.sum((gap[1:] + gap[:-1]) / 2 * np.diff(levels)))


def image_sigma_scale(
    prediction: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> float:
    """The smallest k with ``|g - p| <= k * sigma`` on 68.3 % of an image's pixels.

    :param prediction: as in ``uncertainty_metrics``
    :param sigma: for k = 1, that is ``exp(log_b) * depth``
    :param truth: as in ``uncertainty_metrics``
    :param mask: as in ``uncertainty_metrics``
    :raises ValueError: as in ``uncertainty_metrics``
    """
    p, s, g = counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth)
    return float(np.quantile(np.abs(g - p) / s, ONE_SIGMA, method="inverted_cdf"))
