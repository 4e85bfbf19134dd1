"""Temporal stability of depth: change between frames that the camera's own motion does not explain."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.projection import project

STRIDE = 4
"""Stride in rows and columns at which pixels of the previous frame are looked up in the next."""


def instability(
    before: np.ndarray, now: np.ndarray, camera: Camera, now_from_before: np.ndarray
) -> float | None:
    """Median of ``|ln(depth / expected)|`` over the pixels that both frames see.

    Each pixel of the frame before becomes a point, which the camera's motion carries into this frame; its z
    there is the expected depth. Where several meet, the nearest stays. The median leaves out moving
    objects and what was hidden, as long as they fill less than half of the image.

    :param before: depth of the frame before, ``(H, W)`` metres
    :param now: depth of this frame, ``(H, W)`` metres
    :param camera: intrinsics of both
    :param now_from_before: motion of the camera, 4x4
    :return: 0 for depth that is consistent; None if the frames share no pixel
    """
    (x, y), z = _rays(camera), np.ascontiguousarray(before[::STRIDE, ::STRIDE])
    points = cv2.merge([x * z, y * z, z]).reshape(-1, 3)
    rows, columns, z = project(points, now_from_before, camera)
    if not z.size:
        return None
    place = rows * camera.width + columns
    nearest = np.empty(camera.height * camera.width, np.float32)
    np.put(nearest, place, np.inf)  # the only pixels that are looked at
    np.minimum.at(nearest, place, z)
    seen = np.flatnonzero(np.take(nearest, place) == z)
    expected, found = np.take(z, seen), np.take(now, np.take(place, seen))
    return float(np.median(np.abs(np.log(found / expected))))


@functools.lru_cache(maxsize=4)
def _rays(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """x / z and y / z of every ``STRIDE``-th row and column, float32 ``(rows, columns)`` each."""
    u, v = np.meshgrid(np.arange(0, camera.width, STRIDE), np.arange(0, camera.height, STRIDE))
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return x.astype(np.float32), y.astype(np.float32)
