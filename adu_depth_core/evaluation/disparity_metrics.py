"""Disparity metrics of stereo benchmarks, from depth: outliers and end-point error.

Unlike the depth metrics they know no cap: a stereo benchmark counts every pixel that has ground truth.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.pixels import counted_pixels

OUTLIER_PIXELS = 3.0
OUTLIER_SHARE = 0.05


def disparity_metrics(
    prediction: np.ndarray, truth: np.ndarray, mask: np.ndarray, focal_times_baseline: float
) -> dict[str, float]:
    """``d1_all`` and ``epe`` over the pixels of ``mask``; disparity is ``focal_times_baseline / depth``.

    ``d1_all`` is the share of outliers in percent: more than 3 pixels *and* more than 5 % of the true
    disparity off, as the KITTI 2015 stereo benchmark counts them ("all": background and foreground; which
    pixels have truth, occluded ones too or not, the data set decides). ``epe`` is the mean absolute error in
    pixels. Both are of the image's own resolution.

    :param prediction: depth ``(H, W)`` metres, not limited to a range
    :param truth: depth ``(H, W)`` metres
    :param mask: bool ``(H, W)``, pixels that count
    :param focal_times_baseline: fx in pixels of these maps times the baseline in metres
    :raises ValueError: if the shapes differ, no pixel counts, a depth that counts is not a positive number,
        or ``focal_times_baseline`` is not positive
    """
    if not focal_times_baseline > 0:
        raise ValueError(f"focal times baseline is {focal_times_baseline}: must be positive")
    p, g = counted_pixels(mask, prediction=prediction, truth=truth)
    true_disparity = focal_times_baseline / g
    error = np.abs(focal_times_baseline / p - true_disparity)
    outliers = (error > OUTLIER_PIXELS) & (error > OUTLIER_SHARE * true_disparity)
    return {"d1_all": float(100 * np.mean(outliers)), "epe": float(np.mean(error))}
