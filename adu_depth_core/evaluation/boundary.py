"""Accuracy of edges: F1 of occluding contours, after Depth Pro.

Bochkovskii et al. 2024, Depth Pro, arXiv 2410.02073: between neighbouring pixels i and j there is a contour
where ``d(j) / d(i) > t``. Precision is the share of predicted contours that are true, recall that of true
ones that are predicted, for each of the four directions from i to j, then averaged; their F1 is averaged
over ten thresholds t from 1.05 to 1.25, weighted by t. It asks for the pair of pixels and the nearer side
exactly, knows no scale, and needs dense ground truth.

Here, unlike there, a direction in which neither has a contour is left out instead of counting as 0, so that a
perfect prediction has 1.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.protocol import MIN_DEPTH, Protocol, crop_window

THRESHOLDS = np.linspace(1.05, 1.25, 10)
"""Ratios of neighbouring depths from where on there is a contour."""

DENSE = 0.95
"""Share of the pixels whose depth is known from where on the truth is dense."""


def measure_boundaries(protocol: Protocol, truth: np.ndarray, depth: np.ndarray) -> float | None:
    """``boundary_f1`` of a frame under a protocol.

    Depth beyond the cap is at the cap, so that the outline of things against the sky counts.

    :param truth: depth ``(H, W)`` metres; 0 or NaN where unknown, +inf where beyond range
    :param depth: predicted, positive
    :return: None if the truth inside the crop is not dense, or has no contour
    """
    window = crop_window(protocol.crop, *truth.shape)
    known = truth[window] > MIN_DEPTH
    if known.mean() < DENSE:
        return None
    nearest = np.where(known, np.minimum(truth[window], protocol.cap), protocol.cap)
    return boundary_f1(protocol.clamp(depth[window]), nearest, known)


def boundary_f1(prediction: np.ndarray, truth: np.ndarray, known: np.ndarray) -> float | None:
    """Weighted F1 of occluding contours, 0 to 1.

    :param prediction: depth ``(H, W)`` metres, positive
    :param truth: depth ``(H, W)`` metres, positive where known
    :param known: bool ``(H, W)``, where the truth is known; pairs with an unknown pixel do not count
    :return: None if the truth has no contour
    """
    log_p, log_g = np.log(prediction), np.log(np.where(known, truth, 1.0))
    counts = np.concatenate(
        [_count_contours(_steps(log_p, log_g, known)), _count_contours(_steps(log_p.T, log_g.T, known.T))]
    )
    true, predicted, both = counts.transpose(1, 0, 2)  # each (directions, thresholds)
    if not true.any():
        return None
    present = (true > 0) | (predicted > 0)
    weight = THRESHOLDS * present.any(axis=0)
    recall, precision = (
        np.sum(both / np.maximum(total, 1), axis=0) / np.maximum(present.sum(axis=0), 1)
        for total in (true, predicted)
    )
    f1 = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    return float(np.sum(f1 * weight) / np.sum(weight))


def _steps(log_p: np.ndarray, log_g: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log ratios of prediction and truth from a pixel to the next in its row, where either is a contour."""
    step_p, step_g = np.diff(log_p, axis=1), np.diff(log_g, axis=1)
    smallest = np.log(THRESHOLDS[0])
    some = (np.abs(step_p) > smallest) | (np.abs(step_g) > smallest)
    some &= known[:, 1:] & known[:, :-1]
    return step_p[some], step_g[some]


def _count_contours(steps: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Contours forwards and backwards: true, predicted, and both, int ``(2, 3, thresholds)``."""
    limits, levels = np.log(THRESHOLDS), len(THRESHOLDS) + 1
    counts = []
    for sign in (1, -1):
        # How many thresholds each pair is beyond, for prediction and truth; then how many are beyond each.
        passed_p, passed_g = (np.searchsorted(limits, sign * step, "left") for step in steps)
        joint = np.bincount(passed_p * levels + passed_g, minlength=levels**2).reshape(levels, levels)
        beyond = joint[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
        counts.append([beyond[0, 1:], beyond[1:, 0], beyond.diagonal()[1:]])
    return np.array(counts)
