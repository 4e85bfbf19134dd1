"""Does depth hold still? Change between frames that the camera's own motion does not explain."""

from __future__ import annotations

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
    u, v = np.meshgrid(
        *(np.arange(0, size, STRIDE, dtype=np.float32) for size in (camera.width, camera.height))
    )
    z = before[::STRIDE, ::STRIDE]
    x, y = (u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    points = points @ now_from_before[:3, :3].T.astype(np.float32) + now_from_before[:3, 3].astype(np.float32)
    pixels, z = camera.project(points[points[:, 2] > 0])
    columns, rows = np.rint(pixels).astype(np.int64).T
    inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    rows, columns, z = rows[inside], columns[inside], z[inside]
    order = np.argsort(-z)
    expected = np.zeros(camera.size, np.float32)
    expected[rows[order], columns[order]] = z[order]
    rows, columns = np.nonzero(expected)
    if not rows.size:
        return None
    return float(np.median(np.abs(np.log(now[rows, columns] / expected[rows, columns]))))


def stands_still(before: np.ndarray, now: np.ndarray) -> bool:
    """Whether two images RGB uint8 ``(H, W, 3)`` of one size show a scene and a camera at rest."""
    size = (max(1, now.shape[1] // 8), max(1, now.shape[0] // 8))
    small = [
        cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32).mean(-1)
        for image in (before, now)
    ]
    return bool(np.mean(np.abs(small[1] - small[0]) < STILL_LEVELS) >= STILL_SHARE)
