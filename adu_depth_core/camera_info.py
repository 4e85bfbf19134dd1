"""``sensor_msgs/CameraInfo`` to the camera of an image.

A message is any object with the fields of ``sensor_msgs/CameraInfo``, from ``rclpy`` or from a bag.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adu_depth_core.camera import Camera, check_field_of_view


class Window(NamedTuple):
    """Part of the sensor that an image shows, in pixels of the full resolution."""

    left: int
    top: int
    width: int
    height: int


def camera_from_info(info: Any, width: int, height: int, rectified: bool = True) -> Camera:
    """Intrinsics of an image that was taken with the given calibration.

    The matrices of a ``CameraInfo`` belong to the sensor's full resolution; the image may be a
    region of interest of it, and binned.

    :param width: width of the image in pixels
    :param height: height of the image in pixels
    :param rectified: the image is rectified, so P holds (K where P is not filled in); else K holds
    :raises ValueError: if the camera is not calibrated, its field of view is absurd, or the calibration is of
        another image size
    """
    if info.k[0] == 0.0:
        raise ValueError(
            f"camera_info of frame {info.header.frame_id!r} is not calibrated (K[0] is 0): metric "
            "depth needs the focal length; calibrate the camera and load its calibration in the driver"
        )
    window = region_of_interest(info)
    # 0 means 1: sensor pixels per image pixel.
    bin_x, bin_y = max(1, info.binning_x), max(1, info.binning_y)
    seen = (window.width // bin_x, window.height // bin_y)
    if seen != (width, height):
        raise ValueError(
            f"camera_info is of a {seen[1]}x{seen[0]} image ({info.height}x{info.width} calibrated, "
            f"region {window.height}x{window.width} at column {window.left}, row {window.top}, "
            f"binning {bin_y}x{bin_x}), the image is {height}x{width}: is it of another camera or mode?"
        )
    matrix = np.reshape(info.p, (3, 4)) if rectified and info.p[0] != 0.0 else np.reshape(info.k, (3, 3))
    full = Camera.from_matrix(matrix, info.width, info.height)
    check_field_of_view(full)
    return full.crop(*window).resize(width, height)


def region_of_interest(info: Any) -> Window:
    """The region of interest; all zeros in the message mean the full image."""
    roi = info.roi
    if roi.width and roi.height:
        return Window(roi.x_offset, roi.y_offset, roi.width, roi.height)
    return Window(0, 0, info.width, info.height)
