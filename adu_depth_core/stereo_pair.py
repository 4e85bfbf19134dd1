"""Disparity and depth of a rectified pair, and the one camera that both its views have.

Disparity is ``fx * baseline / z`` only where both views have the same focal lengths and principal point. A
calibration may give them different columns ``cx`` (``cv2.stereoRectify`` without ``CALIB_ZERO_DISPARITY``):
disparity is then larger by ``cx_left - cx_right``, which ``stereo_image_proc`` subtracts. Here the right view
is moved by it instead, once, so that users of a pair (matching, networks, files) need not know.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from adu_depth_core.camera import Camera

MISFIT = 0.1
"""Pixels by which the views of a pair may differ: 0.1 px of disparity are 2 % of the depth at 5 px."""

FINEST_SHIFT = 1 / 64
"""Pixels; OpenCV interpolates in steps of 1/32."""


def check_pair(left: Camera, right: Camera, any_column: bool = False) -> None:
    """Check that two calibrations are those of a rectified pair's views, which have one camera.

    :param any_column: the principal points may be in different columns
    :raises ValueError: if a ray is not in the same pixel of both; the text gives the calibrations
    """
    compared = replace(right, cx=left.cx) if any_column else right
    if left.size != right.size or max(left.disagreement(compared)) > MISFIT:
        raise ValueError(
            f"the left view has {left}, the right one {right}: they are not a rectified pair of one "
            "camera; rectify them together (cv2.stereoRectify with CALIB_ZERO_DISPARITY)"
        )


def right_with_left_camera(right: np.ndarray, left_camera: Camera, right_camera: Camera) -> np.ndarray:
    """The right view as a camera with the left one's principal point would have taken it.

    :param right: RGB uint8 ``(H, W, 3)``
    :return: RGB uint8 ``(H, W, 3)``; black outside the camera's view
    :raises ValueError: if the views differ in more than the column of the principal point
    """
    check_pair(left_camera, right_camera, any_column=True)
    shift = left_camera.cx - right_camera.cx
    if abs(shift) < FINEST_SHIFT:
        return right
    return cv2.warpAffine(right, np.array([[1.0, 0.0, shift], [0.0, 1.0, 0.0]]), right.shape[1::-1])


def disparity_to_depth(disparity: np.ndarray, focal_times_baseline: float) -> np.ndarray:
    """Depth in metres, float32 ``(H, W)``, from disparity in pixels; 0 where the disparity is 0 (unknown)."""
    known = disparity > 0
    return np.where(known, focal_times_baseline / np.where(known, disparity, 1.0), 0.0).astype(np.float32)


def disparity_from_depth(depth: np.ndarray, focal_times_baseline: float) -> np.ndarray:
    """Disparity in pixels, float32 ``(H, W)``; 0 where the depth is infinite (sky)."""
    return (np.float32(focal_times_baseline) / depth).astype(np.float32)
