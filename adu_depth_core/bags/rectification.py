"""Raw camera images made rectified, as ``image_proc`` does, from their camera_info."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info


class Rectifier:
    """Undistorts and rotates images into the rectified view P of a ``sensor_msgs/CameraInfo``.

    :param info: calibration of the raw image; without P the view is that of K, undistorted
    :raises ValueError: if the camera is not calibrated, its distortion model is unknown, or the image is a
        part of the sensor or binned
    """

    def __init__(self, info: Any) -> None:
        self.camera: Camera = camera_from_info(info, info.width, info.height)
        """Intrinsics of the rectified image."""
        k, d = np.reshape(info.k, (3, 3)), np.asarray(info.d, float)
        rotation = np.reshape(info.r, (3, 3)) if np.any(info.r) else np.eye(3)
        size = (info.width, info.height)
        if info.distortion_model in ("plumb_bob", "rational_polynomial", ""):
            undistort = cv2.initUndistortRectifyMap
        elif info.distortion_model in ("equidistant", "fisheye"):
            undistort, d = cv2.fisheye.initUndistortRectifyMap, d[:4]
        else:
            raise ValueError(
                f"camera_info has the distortion model {info.distortion_model!r}, which is unknown"
            )
        self._maps = undistort(k, d, rotation, self.camera.matrix, size, cv2.CV_16SC2)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The rectified image; black where the camera saw nothing."""
        return cv2.remap(image, *self._maps, cv2.INTER_LINEAR)
