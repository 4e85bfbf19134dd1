"""Pseudo ground truth from a rectified pair: OpenCV's semi-global matching with a left-right check."""

from __future__ import annotations

import math

import cv2
import numpy as np


def disparity_range(focal_times_baseline: float, nearest: float) -> int:
    """Disparities to search so that what is ``nearest`` metres away is found: a multiple of 16, at least 16.

    :param focal_times_baseline: fx in pixels times baseline in metres
    :param nearest: metres
    """
    return max(16, 16 * math.ceil(focal_times_baseline / nearest / 16))


def match_stereo(
    left: np.ndarray, right: np.ndarray, max_disparity: int = 192, tolerance: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Disparities of both views by semi-global block matching (Hirschmüller 2008, ``cv2.StereoSGBM``).

    Pixels whose match in the other view does not lead back to within ``tolerance`` pixels are dropped,
    and so are small islands.

    :param left: RGB uint8 ``(H, W, 3)``
    :param right: RGB uint8 ``(H, W, 3)``
    :param max_disparity: search range in pixels, a multiple of 16
    :param tolerance: left-right disagreement allowed, pixels
    :return: disparity of the left and of the right view, float32 ``(H, W)`` pixels, 0 where unknown
    """
    matcher = cv2.StereoSGBM_create(
        minDisparity=0,
        numDisparities=max_disparity,
        blockSize=5,
        P1=8 * 3 * 5**2,
        P2=32 * 3 * 5**2,
        uniquenessRatio=10,
        speckleWindowSize=200,
        speckleRange=2,
        preFilterCap=63,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )

    def match(base: np.ndarray, other: np.ndarray) -> np.ndarray:
        # The matcher searches only inside the image: the border lets the near side be matched too.
        border = ((0, 0), (max_disparity, 0), (0, 0))
        wide = [cv2.cvtColor(np.pad(view, border, mode="edge"), cv2.COLOR_RGB2BGR) for view in (base, other)]
        return matcher.compute(*wide)[:, max_disparity:].astype(np.float32) / 16.0

    of_left = match(left, right)
    of_right = match(right[:, ::-1], left[:, ::-1])[:, ::-1]
    return (
        _keep_consistent(of_left, of_right, -1, tolerance),
        _keep_consistent(of_right, of_left, +1, tolerance),
    )


def _keep_consistent(
    disparity: np.ndarray, other: np.ndarray, direction: int, tolerance: float
) -> np.ndarray:
    height, width = disparity.shape
    rows, columns = np.mgrid[:height, :width]
    matched = columns + direction * np.round(disparity).astype(int)
    inside = (disparity > 0) & (matched >= 0) & (matched < width)
    back = other[rows, np.clip(matched, 0, width - 1)]
    return np.where(inside & (np.abs(back - disparity) <= tolerance), disparity, 0.0).astype(np.float32)
