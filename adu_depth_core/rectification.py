"""Raw images and depth of a camera made rectified, as ``image_proc`` does, from its camera_info."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info

_RECTIFIED = re.compile(r"(?:^|[/_])rect")


def says_rectified(topic: str) -> bool:
    """True if a topic's name says that its images are rectified: ``image_rect``, ``rect/image``."""
    return _RECTIFIED.search(topic.lower()) is not None


EQUIDISTANT = ("equidistant", "fisheye")
"""The names of Kannala and Brandt's model with four coefficients."""

COEFFICIENTS = {
    "plumb_bob": (0, 4, 5),
    "": (0, 4, 5, 8),
    "rational_polynomial": (8, 12, 14),
    **dict.fromkeys(EQUIDISTANT, (4, 5)),
}
"""Distortion models of ``sensor_msgs/CameraInfo`` and how many coefficients each may have."""


def _coefficients(info: Any) -> np.ndarray:
    """:raises ValueError: if the model is unknown, or has another number of coefficients"""
    model, values = info.distortion_model, np.asarray(info.d, float)
    if model not in COEFFICIENTS:
        raise ValueError(
            f"camera_info has the distortion model {model!r}, which is unknown: known are "
            + ", ".join(filter(None, COEFFICIENTS))
        )
    if len(values) not in COEFFICIENTS[model]:
        counts = " or ".join(map(str, COEFFICIENTS[model]))
        raise ValueError(
            f"camera_info has {len(values)} coefficients of {model or 'no model'}: must be {counts}"
        )
    if model in EQUIDISTANT:
        return values[:4]
    return values if len(values) else np.zeros(5)


class Rectifier:
    """Undistorts and rotates what a camera saw into the rectified view P of its ``sensor_msgs/CameraInfo``.

    :param info: calibration of the raw image; without P the view is that of K, undistorted
    :param size: ``(width, height)`` of the image; None for all of the sensor's pixels
    :raises ValueError: if the camera is not calibrated, its distortion model is unknown or lacks
        coefficients, or the image is of another size than the calibration says
    """

    def __init__(self, info: Any, size: tuple[int, int] | None = None) -> None:
        width, height = size or (info.width, info.height)
        self.camera: Camera = camera_from_info(info, width, height)
        """Intrinsics of the rectified image."""
        self.rotation: np.ndarray = np.reshape(info.r, (3, 3)) if np.any(info.r) else np.eye(3)
        """From the axes of the raw camera to those of the rectified view, 3x3."""
        # The lens does not change with region and binning, only where its rays meet the image.
        self._k = camera_from_info(info, width, height, rectified=False).matrix
        self._d = _coefficients(info)
        if info.distortion_model in EQUIDISTANT:
            self._undistort = cv2.fisheye.initUndistortRectifyMap
        else:
            self._undistort = cv2.initUndistortRectifyMap
        self._maps = self._raw_places(cv2.CV_16SC2)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The rectified image; black where the camera saw nothing."""
        return cv2.remap(image, *self._maps, cv2.INTER_LINEAR)

    @cached_property
    def unseen(self) -> np.ndarray:
        """Pixels of the rectified view that the camera did not see, bool ``(H, W)``."""
        everything = np.full(self.camera.size, 255, np.uint8)
        return cv2.remap(everything, *self._maps, cv2.INTER_LINEAR) < 255

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask of the rectified view from one of the raw image, bool ``(H, W)``; false where nothing is
        seen."""
        return cv2.remap(mask.view(np.uint8), self._nearest, None, cv2.INTER_NEAREST).view(bool)

    def depth(self, depth: np.ndarray) -> np.ndarray:
        """Depth of the rectified view from depth of the raw one.

        Each pixel takes the value of the nearest raw pixel: interpolation would put points between a surface
        and its background. Depth is along the optical axis, so it changes if the view is rotated.

        :param depth: float32 ``(H, W)`` metres
        :return: float32 ``(H, W)`` metres; 0 outside the camera's view
        """
        return cv2.remap(depth, self._nearest, None, cv2.INTER_NEAREST) * self._axis_change

    def _raw_places(self, kind: int) -> tuple[np.ndarray, np.ndarray]:
        """Position in the raw image of each rectified pixel, in a format of ``cv2.remap``."""
        view = self.camera
        return self._undistort(self._k, self._d, self.rotation, view.matrix, (view.width, view.height), kind)

    @cached_property
    def _nearest(self) -> np.ndarray:
        # The fixed-point maps for images, which store the fraction separately, would be rounded down.
        return cv2.convertMaps(*self._raw_places(cv2.CV_32FC1), cv2.CV_16SC2, nninterpolation=True)[0]

    @cached_property
    def _axis_change(self) -> np.ndarray:
        """Depth along the rectified axis over depth along the raw one, float32 ``(H, W)``."""
        return 1 / (self.camera.rays() @ self.rotation[:, 2].astype(np.float32))
