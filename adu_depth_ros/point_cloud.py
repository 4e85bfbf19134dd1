"""Depth, colour and uncertainty as an organised ``sensor_msgs/PointCloud2``."""

from __future__ import annotations

import sys

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from adu_depth_core.camera import Camera
from adu_depth_ros.image_conversion import message_bytes

FIELD_NAMES = ("x", "y", "z", "rgb", "sigma")
POINT_BYTES = 4 * len(FIELD_NAMES)


def point_cloud(
    depth: np.ndarray, sigma: np.ndarray, rgb: np.ndarray, camera: Camera, header: Header, stride: int = 1
) -> PointCloud2:
    """Points of the camera's optical frame (x right, y down, z forward; metres).

    Fields, all float32: ``x y z``, NaN where the depth is not finite; ``rgb``, packed as PCL and RViz
    read it (the bits of ``0x00rrggbb``); ``sigma``, one sigma of the depth in metres.

    :param depth: float32 ``(H, W)`` metres
    :param sigma: float32 ``(H, W)`` metres
    :param rgb: uint8 ``(H, W, 3)``
    :param camera: intrinsics of these maps
    :param stride: every ``stride``-th row and column becomes a point
    """
    step = (slice(None, None, stride),) * 2
    depth, sigma, rgb = depth[step], sigma[step], rgb[step].astype(np.uint32)
    points = np.empty((*depth.shape, len(FIELD_NAMES)), np.float32)
    z = np.where(np.isfinite(depth), depth, np.float32(np.nan))
    np.multiply(camera.rays()[step], z[..., None], out=points[..., :3])
    points[..., 3] = (rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]).view(np.float32)
    points[..., 4] = sigma
    height, width = depth.shape
    return PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=[
            PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
            for index, name in enumerate(FIELD_NAMES)
        ],
        is_bigendian=sys.byteorder == "big",
        point_step=POINT_BYTES,
        row_step=POINT_BYTES * width,
        data=message_bytes(points),
        is_dense=False,
    )
