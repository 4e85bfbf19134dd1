"""Pixel-wise comparison of published and predicted depth, including the node's marks for invalid pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.inference.depth_output import MAX_DEPTH, MAX_RELATIVE_SIGMA
from adu_depth_core.inference.prediction import Prediction

MILLIMETRE = 1e-3
LARGEST_16UC1 = 65.535
"""Metres."""


@dataclass(frozen=True)
class Expectation:
    """Configuration of the node, and tolerance of the comparison.

    :param max_depth: the node's parameter, metres
    :param max_relative_sigma: the node's parameter
    :param tolerance: largest relative difference that is none: other runtimes and processors sum in
        another order
    """

    max_depth: float = MAX_DEPTH
    max_relative_sigma: float = MAX_RELATIVE_SIGMA
    tolerance: float = 1e-3


@dataclass(frozen=True)
class Difference:
    """Difference of a published map from the predicted one.

    :param largest: largest relative difference of pixels that are a number in both
    :param beyond: number of pixels that differ by more than the tolerance
    :param marked: number of pixels that are a number in one and marked as none (NaN, +inf, 0) in the other;
        not those within the tolerance of a limit, which may fall on either side
    """

    largest: float
    beyond: int
    marked: int = 0

    @property
    def none(self) -> bool:
        """The maps are equal within the tolerance."""
        return not (self.beyond or self.marked)


def compare_depth(published: np.ndarray, prediction: Prediction, expectation: Expectation) -> Difference:
    """Difference of a depth image of the node from the prediction.

    :param published: ``(H, W)``, float32 metres with NaN and +inf (32FC1), or uint16 millimetres with 0
        (16UC1)
    :param prediction: of the same image, ``(H, W)``, not marked
    :raises ValueError: if the sizes differ
    """
    depth, sigma, slack = prediction.depth, prediction.sigma, expectation.tolerance
    if published.shape != depth.shape:
        raise ValueError(f"published depth is {published.shape}, predicted {depth.shape} (height, width)")
    relative_sigma = sigma / depth
    # sigma and depth may both be off by the tolerance.
    may_be_unsure = relative_sigma > expectation.max_relative_sigma * (1 - 2 * slack)
    must_be_unsure = relative_sigma > expectation.max_relative_sigma * (1 + 2 * slack)
    may_be_far = depth >= expectation.max_depth * (1 - slack)
    must_be_far = depth >= expectation.max_depth * (1 + slack)
    rounding = 0.0
    if published.dtype == np.uint16:
        rounding = 0.5001 * MILLIMETRE
        may_be_zero = may_be_unsure | may_be_far | (depth > LARGEST_16UC1 * (1 - slack))
        must_be_zero = must_be_unsure | must_be_far | (depth > LARGEST_16UC1 * (1 + slack))
        measured = published > 0
        wrong = np.where(measured, must_be_zero, ~may_be_zero)
        published = published * np.float32(MILLIMETRE)
    else:
        measured = np.isfinite(published)
        wrong = np.select(
            [measured, np.isnan(published), published > 0],
            [must_be_unsure | must_be_far, ~may_be_unsure, must_be_unsure | ~may_be_far],
            default=True,
        )
    return _difference(published, depth, measured, slack, rounding, int(np.count_nonzero(wrong)))


def compare_sigma(published: np.ndarray, prediction: Prediction, expectation: Expectation) -> Difference:
    """Difference of an uncertainty image of the node, float32 metres ``(H, W)``, which is never marked.

    :raises ValueError: if the sizes differ
    """
    sigma = prediction.sigma
    if published.shape != sigma.shape:
        raise ValueError(f"published sigma is {published.shape}, predicted {sigma.shape} (height, width)")
    measured = np.isfinite(published)
    missing = int(np.count_nonzero(~measured))
    return _difference(published, sigma, measured, expectation.tolerance, 0.0, missing)


def _difference(
    published: np.ndarray,
    predicted: np.ndarray,
    measured: np.ndarray,
    tolerance: float,
    rounding: float,
    marked: int,
) -> Difference:
    expected = predicted[measured].astype(np.float64)
    excess = np.maximum(np.abs(published[measured] - expected) - rounding, 0.0) / expected
    return Difference(
        largest=float(excess.max(initial=0.0)),
        beyond=int(np.count_nonzero(excess > tolerance)),
        marked=marked,
    )
