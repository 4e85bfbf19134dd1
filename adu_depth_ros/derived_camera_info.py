"""``sensor_msgs/CameraInfo`` of a cropped, resized or rectified image."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from adu_depth_core.camera_info import Window, region_of_interest


def resized_info(info: CameraInfo, width: int, height: int) -> CameraInfo:
    """The calibration of an image after resizing it to ``width x height``.

    Region of interest and binning become part of K and P (both scaled, P with its baseline terms Tx
    and Ty), because a region rarely scales to whole pixels: the result describes exactly the resized
    image, with a full region.
    """
    window = region_of_interest(info)
    scale_x, scale_y = width / window.width, height / window.height
    # Pixel u becomes (u - offset + 0.5) * scale - 0.5: pixel centres are at whole numbers (see Camera).
    transform = np.array(
        [
            [scale_x, 0.0, (0.5 - window.left) * scale_x - 0.5],
            [0.0, scale_y, (0.5 - window.top) * scale_y - 0.5],
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


def cropped_info(info: CameraInfo, region: Window) -> CameraInfo:
    """The calibration of a part of an image.

    :param region: in pixels of the image, inside it
    """
    window = region_of_interest(info)
    bin_x, bin_y = max(1, info.binning_x), max(1, info.binning_y)
    ours = CameraInfo(
        **{name: getattr(info, name) for name in CameraInfo.get_fields_and_field_types() if name != "roi"}
    )
    ours.roi = RegionOfInterest(
        x_offset=window.left + bin_x * region.left,
        y_offset=window.top + bin_y * region.top,
        width=bin_x * region.width,
        height=bin_y * region.height,
        do_rectify=info.roi.do_rectify,
    )
    return ours


def with_projection(info: CameraInfo) -> CameraInfo:
    """The calibration of the rectified image: ``info`` itself, as ``image_proc`` publishes it, or with the P
    that K stands for where P is not filled in.
    """
    if info.p[0] != 0.0:
        return info
    fields = {name: getattr(info, name) for name in CameraInfo.get_fields_and_field_types() if name != "p"}
    return CameraInfo(p=np.c_[np.reshape(info.k, (3, 3)), np.zeros(3)].ravel(), **fields)


def _transformed(transform: np.ndarray, matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return (transform @ np.reshape(matrix, shape)).ravel()
