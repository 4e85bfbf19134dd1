"""Depth, colour and uncertainty as a ``sensor_msgs/PointCloud2``."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from adu_depth_core.camera import Camera
from adu_depth_ros.image_conversion import message_bytes
from adu_depth_ros.voxel_grid import thin_out

FIELD_NAMES = ("x", "y", "z", "rgb", "sigma")
POINT_BYTES = 4 * len(FIELD_NAMES)


@dataclass(frozen=True)
class Selection:
    """Selection of the pixels that become points. Distances are metres in the camera's optical frame.

    :param stride: every ``stride``-th row and column
    :param near: least depth; ``far``, ``left``, ``right``, ``above`` and ``below``: farthest
    :param max_sigma: largest sigma
    :param voxel: edge of the smallest voxel, see ``voxel_grid.thin_out``; 0: every pixel is a point
    :param voxel_sigmas: edge of a voxel in sigmas of its points
    """

    stride: int = 1
    near: float = 0.0
    far: float = math.inf
    left: float = math.inf
    right: float = math.inf
    above: float = math.inf
    below: float = math.inf
    max_sigma: float = math.inf
    voxel: float = 0.0
    voxel_sigmas: float = 1.0

    def contains(self, points: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Bool ``(H, W)`` of points ``(H, W, 3)``; false where they are not finite."""
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        inside: np.ndarray = (z >= self.near) & (z <= self.far) & (sigma <= self.max_sigma)
        inside &= (x >= -self.left) & (x <= self.right) & (y >= -self.above) & (y <= self.below)
        inside &= np.isfinite(z)
        return inside


def point_cloud(
    depth: np.ndarray,
    sigma: np.ndarray,
    rgb: np.ndarray,
    camera: Camera,
    header: Header,
    selection: Selection | None = None,
) -> PointCloud2:
    """Points of the camera's optical frame (x right, y down, z forward; metres).

    Fields, all float32: ``x y z``; ``rgb``, packed as PCL and RViz read it (the bits of ``0x00rrggbb``);
    ``sigma``, one sigma of the depth in metres. The cloud is organised as the image is, ``x y z`` NaN where
    nothing is selected or the depth is not finite. Downsampled by voxels it is unorganised.

    :param depth: float32 ``(H, W)`` metres
    :param sigma: float32 ``(H, W)`` metres
    :param rgb: uint8 ``(H, W, 3)``
    :param camera: intrinsics of these maps
    :param selection: selection of the pixels that become points; None for all
    """
    selection = selection or Selection()
    step = (slice(None, None, selection.stride),) * 2
    depth, sigma, rgb = depth[step], sigma[step], rgb[step]
    points = camera.rays()[step] * depth[..., None]
    with np.errstate(invalid="ignore"):
        selected = selection.contains(points, sigma)
    if not selection.voxel:
        points[~selected] = np.nan
        return _message(points, rgb, sigma, header, dense=False)
    points, rgb, sigma = thin_out(
        points[selected], rgb[selected], sigma[selected], selection.voxel, selection.voxel_sigmas
    )
    return _message(points[None], rgb[None], sigma[None], header, dense=True)


def _message(
    points: np.ndarray, rgb: np.ndarray, sigma: np.ndarray, header: Header, dense: bool
) -> PointCloud2:
    """The cloud of points ``(H, W, 3)``, rgb ``(H, W, 3)`` and sigma ``(H, W)``."""
    height, width = sigma.shape
    values = np.empty((height, width, len(FIELD_NAMES)), np.float32)
    values[..., :3] = points
    rgb = rgb.astype(np.uint32)
    values[..., 3] = (rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]).view(np.float32)
    values[..., 4] = sigma
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
        data=message_bytes(values),
        is_dense=dense,
    )
