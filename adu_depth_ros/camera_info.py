"""``sensor_msgs/CameraInfo`` to the camera of an image, and back for depth of another size."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from adu_depth_core.camera import Camera


def camera_from_info(info: CameraInfo, width: int, height: int, rectified: bool = True) -> Camera:
    """Intrinsics of an image that was taken with the given calibration.

    The matrices of a ``CameraInfo`` belong to the sensor's full resolution; the image may be a
    region of interest of it, and binned.

    :param width: width of the image in pixels
    :param height: height of the image in pixels
    :param rectified: the image is rectified, so P holds (K where P is not filled in); else K holds
    :raises ValueError: if the camera is not calibrated, or the calibration is of another image size
    """
    if info.k[0] == 0.0:
        raise ValueError(
            f"camera_info of frame {info.header.frame_id!r} is not calibrated (K[0] is 0): metric "
            "depth needs the focal length; calibrate the camera and load its calibration in the driver"
        )
    window, (bin_x, bin_y) = _window(info), _binning(info)
    seen = (window.width // bin_x, window.height // bin_y)
    if seen != (width, height):
        raise ValueError(
            f"camera_info is of a {seen[0]}x{seen[1]} image ({info.width}x{info.height} calibrated, "
            f"region {window.width}x{window.height} at ({window.x_offset}, {window.y_offset}), "
            f"binning {bin_x}x{bin_y}), the image is {width}x{height}: is it of another camera or mode?"
        )
    matrix = np.reshape(info.p, (3, 4)) if rectified and info.p[0] != 0.0 else np.reshape(info.k, (3, 3))
    full = Camera.from_matrix(matrix, info.width, info.height)
    return full.crop(window.x_offset, window.y_offset, window.width, window.height).resize(width, height)


def resized_info(info: CameraInfo, width: int, height: int) -> CameraInfo:
    """The calibration of an image after resizing it to ``width x height``.

    Region of interest and binning become part of K and P (both scaled, P with its baseline terms Tx
    and Ty), because a region seldom scales to whole pixels: the result describes exactly the resized
    image, whose region is everything.
    """
    window = _window(info)
    scale_x, scale_y = width / window.width, height / window.height
    # Pixel u becomes (u - offset + 0.5) * scale - 0.5: pixel centres are at whole numbers (see Camera).
    transform = np.array(
        [
            [scale_x, 0.0, (0.5 - window.x_offset) * scale_x - 0.5],
            [0.0, scale_y, (0.5 - window.y_offset) * scale_y - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )
    return CameraInfo(
        header=info.header,
        width=width,
        height=height,
        distortion_model=info.distortion_model,
        d=info.d,
        k=_transformed(transform, info.k, (3, 3)),
        r=info.r,
        p=_transformed(transform, info.p, (3, 4)),
        roi=RegionOfInterest(do_rectify=info.roi.do_rectify),
    )


def _transformed(transform: np.ndarray, matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return (transform @ np.reshape(matrix, shape)).ravel()


def _window(info: CameraInfo) -> RegionOfInterest:
    """The region of interest; all zeros mean the full image."""
    roi = info.roi
    if roi.width and roi.height:
        return roi
    return RegionOfInterest(width=info.width, height=info.height)


def _binning(info: CameraInfo) -> tuple[int, int]:
    """Sensor pixels per image pixel; 0 means 1."""
    return max(1, info.binning_x), max(1, info.binning_y)
