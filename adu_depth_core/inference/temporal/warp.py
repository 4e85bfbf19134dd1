"""Backward warp: the place of each pixel's point in the frame before, if the world is static."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from adu_depth_core.camera import Camera


class Warp(NamedTuple):
    """Correspondence of this frame's pixels with the frame before; float32 ``(H, W)`` each.

    :param columns: of the point in the frame before, fractions of pixels
    :param rows: of the same point, fractions of pixels
    :param advance: metres by which its depth differs: now minus before
    :param seen: bool, the frame before shows that place
    """

    columns: np.ndarray
    rows: np.ndarray
    advance: np.ndarray
    seen: np.ndarray

    def fetch(self, maps: np.ndarray) -> np.ndarray:
        """Bilinear samples of the frame before: float32 or uint8 ``(H, W)`` or ``(H, W, C)``; undefined
        where it is not ``seen``."""
        return cv2.remap(maps, self.columns, self.rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def backward_warp(depth: np.ndarray, camera: Camera, before_from_now: np.ndarray) -> Warp:
    """Follow the points of this frame's depth back to the frame before.

    A backward warp needs no z-buffer and leaves no holes. Where the frame before shows another surface, its
    depth contradicts that of this frame; rejecting that is the fusion's task.

    With ``M = K R K^-1`` the homogeneous pixel before is ``depth * M (u, v, 1) + K t``, affine in u and v: no
    rays are stored, and no point is formed.

    :param depth: of this frame, float32 ``(H, W)`` metres, positive
    :param camera: intrinsics of both frames
    :param before_from_now: 4x4, this frame's optical frame as seen from the one before
    """
    turn, shift = before_from_now[:3, :3], before_from_now[:3, 3]
    matrix = (camera.matrix @ turn @ np.linalg.inv(camera.matrix)).astype(np.float32)
    offset = (camera.matrix @ shift).astype(np.float32)
    u = np.arange(camera.width, dtype=np.float32)
    v = np.arange(camera.height, dtype=np.float32)[:, None]
    x, y, z = (depth * (matrix[i, 0] * u + (matrix[i, 1] * v + matrix[i, 2])) + offset[i] for i in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):  # points in the plane of the camera before
        columns, rows = x / z, y / z
    seen = (
        (z > 0) & (columns >= 0) & (columns <= camera.width - 1) & (rows >= 0) & (rows <= camera.height - 1)
    )
    return Warp(columns, rows, depth - z, seen)
