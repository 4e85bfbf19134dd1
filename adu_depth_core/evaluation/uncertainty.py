"""Calibration of sigma: interval coverage, likelihood and an image's own scale.

What a prediction says about a pixel: its depth is Laplace-distributed in metres around the published
``depth`` with scale ``sigma / QUANTILE``, where ``sigma`` is the half width of the 68.3 % interval
(``QUANTILE = -ln(1 - 0.683) = 1.149``). The network's own distribution is a Laplace of scale b in log depth;
for a perfect one sigma is ``1.149 * b * depth``, so the two agree to first order in b. Note that
sigma is not the standard deviation, which would be ``sqrt(2)`` scales and cover 75.7 %.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.pixels import Parts, blocks, counted_pixels
from adu_depth_core.evaluation.ranking import Ranking

ONE_SIGMA = 0.683
"""Share of pixels that ``|error| <= sigma`` is meant to cover."""

QUANTILE = -np.log1p(-ONE_SIGMA)
"""``|error| / scale`` that covers ``ONE_SIGMA`` of a Laplace distribution."""

LEVELS = np.arange(1, 100) / 100
"""Nominal levels of the coverage curve."""


def interval_half_width(levels: np.ndarray) -> np.ndarray:
    """Half width, in units of sigma, of the central interval that covers each level (0 to 1) of a Laplace."""
    widths: np.ndarray = -np.log1p(-levels) / QUANTILE
    return widths


def uncertainty_metrics(
    prediction: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> dict[str, float]:
    """Coverage of the 50, 68.3 (``coverage_1sigma``) and 95 % intervals, likelihood, and how large sigma is.

    ``relative_sigma = mean(sigma / p)``.
    ``nll = mean(ln(2 s) + |g - p| / s)`` with ``s = sigma / QUANTILE``: nats per pixel, density per metre.

    :param prediction: depth ``(H, W)`` metres, already limited to the protocol's range
    :param sigma: half width of the 68.3 % interval ``(H, W)`` metres
    :param truth: depth ``(H, W)`` metres
    :param mask: bool ``(H, W)``, pixels that count
    :raises ValueError: if the shapes differ, no pixel counts, or a value that counts is not a positive number
    """
    p, s, g = counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth)
    return uncertainty_means(uncertainty_sums(p, s, g)[:, 0])


def uncertainty_sums(p: np.ndarray, s: np.ndarray, g: np.ndarray, parts: Parts | None = None) -> np.ndarray:
    """Sums behind ``uncertainty_metrics``, over each cell as in ``metrics.depth_sums``.

    :param p: predictions, float64 ``(N,)``, positive
    :param s: sigmas, float64 ``(N,)``, positive
    :param g: ground truth, float64 ``(N,)``, positive
    :param parts: the cells; None: all pixels are in one
    :return: float64 ``(rows, cells)``; the last row is the number of pixels
    """
    parts = parts or Parts.whole(p.size)
    half, most = interval_half_width(np.array([0.50, 0.95]))
    sums = np.zeros((6, parts.cells))
    for block in blocks(p.size):
        s_ = s[block]
        error = np.abs(g[block] - p[block])
        likelihood = np.log(s_ * (2 / QUANTILE)) + error / s_ * QUANTILE
        terms = [likelihood, s_ / p[block]]
        sums += parts.sums(block, terms, [error <= half * s_, error <= s_, error <= most * s_])
    return sums


def uncertainty_means(sums: np.ndarray) -> dict[str, float]:
    """The metrics of a column of ``uncertainty_sums``; it must have pixels."""
    names = ("nll", "relative_sigma", "coverage_50", "coverage_1sigma", "coverage_95")
    return dict(zip(names, (sums[:-1] / sums[-1]).tolist(), strict=True))


def coverage_curve(
    prediction: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Share of pixels inside the interval of each of ``LEVELS``, ``(99,)``. Parameters as above."""
    return pixel_coverage(*counted_pixels(mask, prediction=prediction, sigma=sigma, truth=truth))


def pixel_coverage(p: np.ndarray, s: np.ndarray, g: np.ndarray) -> np.ndarray:
    """``coverage_curve`` of pixels: predictions, sigmas and truths, float64 ``(N,)``, positive."""
    return Ranking(np.abs(g - p) / s).counts_up_to(interval_half_width(LEVELS)) / p.size


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
