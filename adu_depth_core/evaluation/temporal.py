"""Does depth hold still? Change between frames that the camera's own motion does not explain."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from adu_depth_core.camera import Camera

STRIDE = 4
"""Every how many rows and columns a pixel of the frame before is looked up in the next."""

STILL_LEVELS = 4.0
STILL_SHARE = 0.95
"""A picture stands still if this share of its pixels, averaged over 8x8, changes by fewer grey levels."""


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
    x, y = _rays(camera)
    z = before[::STRIDE, ::STRIDE].ravel()
    rotation, translation = now_from_before[:3, :3].astype(np.float32), now_from_before[:3, 3]
    x, y, z = rotation @ np.stack([x * z, y * z, z]) + translation.astype(np.float32)[:, None]
    place, members = camera_pixels(x, y, z, camera)
    if not place.size:
        return None
    z = z[members]
    nearest = np.full(camera.height * camera.width, np.inf, np.float32)
    np.minimum.at(nearest, place, z)
    seen = nearest[place] == z
    expected, found = z[seen], np.take(now, place[seen])
    return float(np.median(np.abs(np.log(found / expected))))


@functools.lru_cache(maxsize=4)
def _rays(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """x / z and y / z of every ``STRIDE``-th pixel in both directions, float32, flat."""
    u, v = np.meshgrid(np.arange(0, camera.width, STRIDE), np.arange(0, camera.height, STRIDE))
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return x.ravel().astype(np.float32), y.ravel().astype(np.float32)


def camera_pixels(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, camera: Camera
) -> tuple[np.ndarray, np.ndarray]:
    """Which points an image shows, and where.

    :param x: right, metres in the camera's optical frame, ``(N,)``
    :param y: down
    :param z: forward
    :return: index in the flattened image of each point that is in it, and the indices of those points;
        points behind the camera and points with NaN are not
    """
    ahead = np.flatnonzero(z > 0)
    x, y, z = x[ahead], y[ahead], z[ahead]
    columns, rows = np.rint(x / z * camera.fx + camera.cx), np.rint(y / z * camera.fy + camera.cy)
    inside = np.flatnonzero((columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height))
    place = rows[inside].astype(np.intp) * camera.width + columns[inside].astype(np.intp)
    return place, ahead[inside]


def stands_still(before: np.ndarray, now: np.ndarray) -> bool:
    """Whether two images RGB uint8 ``(H, W, 3)`` of one size show a scene and a camera at rest."""
    size = (max(1, now.shape[1] // 8), max(1, now.shape[0] // 8))
    small = [
        cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32).mean(-1)
        for image in (before, now)
    ]
    return bool(np.mean(np.abs(small[1] - small[0]) < STILL_LEVELS) >= STILL_SHARE)
