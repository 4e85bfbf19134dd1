"""Published form of a prediction: invalid and far pixels marked according to REP 117 and REP 118."""

from __future__ import annotations

import math

import numpy as np

SIGMA_IN_SCALES = -math.log(1.0 - 0.683)
"""One sigma (the 68.3 % interval) in scales of a Laplace distribution: 1.149."""

ENCODINGS = ("32FC1", "16UC1")
"""Depth encodings of REP 118: float32 metres, or uint16 millimetres with 0 for invalid."""

MAX_DEPTH = 80.0
"""Metres; the node's default depth from which +inf is published."""

MAX_RELATIVE_SIGMA = 0.5
"""The node's default for the largest sigma / depth of a measurement."""


def mark_depth(
    depth: np.ndarray, sigma: np.ndarray, max_depth: float, max_relative_sigma: float
) -> np.ndarray:
    """Depth with NaN where it is too uncertain, and +inf where it is at or beyond ``max_depth``.

    NaN takes precedence: a pixel that may be anywhere is not known to be far.

    :param depth: float32 ``(H, W)`` metres
    :param sigma: float32 ``(H, W)`` metres, one sigma
    :param max_depth: metres
    :param max_relative_sigma: largest ``sigma / depth`` that is still a measurement
    :return: float32 ``(H, W)`` metres, a copy
    """
    marked: np.ndarray = depth.copy()
    marked[depth >= np.float32(max_depth)] = np.inf
    marked[sigma > np.float32(max_relative_sigma) * depth] = np.nan
    return marked


def encode_depth(depth: np.ndarray, encoding: str) -> np.ndarray:
    """Pixels of a depth image.

    :param depth: float32 ``(H, W)`` metres, NaN and +inf allowed
    :param encoding: ``32FC1``, or ``16UC1``: rounded to millimetres, and 0 where the depth is not finite
        or does not fit (65.535 m is the farthest)
    :raises ValueError: if the encoding is another
    """
    if encoding == "32FC1":
        return depth
    if encoding == "16UC1":
        millimetres = depth * np.float32(1000.0)
        millimetres += np.float32(0.5)
        fits = millimetres < np.float32(65536.0)  # false for NaN
        np.copyto(millimetres, np.float32(0.0), where=~fits)
        return millimetres.astype(np.uint16)
    raise ValueError(f"depth encoding {encoding!r} is not one of {', '.join(ENCODINGS)}")


def confidence(depth: np.ndarray, sigma: np.ndarray, tolerance: float) -> np.ndarray:
    """Probability that depth is right within a relative tolerance, uint8 ``(H, W)``: 255 is certain.

    ``1 - exp(-tolerance * depth / b)`` of a Laplace distribution whose scale ``b`` follows from sigma, within
    which 68.3 % lie: ``b = sigma / 1.149``. NaN is 0.

    :param depth: float32 ``(H, W)`` metres, NaN and +inf allowed; +inf counts as known to be far
    :param sigma: float32 ``(H, W)`` metres, one sigma
    :param tolerance: relative to the depth, such as 0.1
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        likely = -np.expm1(np.float32(-tolerance * SIGMA_IN_SCALES) * depth / sigma)
        return np.where(np.isnan(likely), 0.0, np.round(255.0 * likely)).astype(np.uint8)
