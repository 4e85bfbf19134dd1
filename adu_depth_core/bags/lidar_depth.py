"""LiDAR points as depth of a camera, without the points that the camera cannot see."""

from __future__ import annotations

import math

import cv2
import numpy as np

from adu_depth_core.camera import Camera

NEARER = 0.9
"""A surface hides a point if it is nearer than this share of the point's depth."""


def lidar_depth(points: np.ndarray, camera: Camera, beam_gap: float = 1.0) -> np.ndarray:
    """Sparse depth from LiDAR points; where several meet in a pixel, the nearest stays.

    The LiDAR stands elsewhere and sees surfaces that are hidden from the camera; between the returns of what
    hides them they would show through. A point is dropped if nearer returns enclose it, above and below or
    left and right, within the gap between neighbouring beams. (One-sided tests would also drop the road,
    which is nearer below every point.)

    :param points: ``(N, 3)`` metres in the camera's optical frame
    :param camera: intrinsics of the rectified image
    :param beam_gap: degrees; a little more than the angle between two beams
    :return: float32 ``(H, W)`` metres, 0 where there is no point
    """
    return without_hidden(project(points, camera), camera, beam_gap)


def project(points: np.ndarray, camera: Camera) -> np.ndarray:
    """The nearest point of each pixel, float32 ``(H, W)`` metres; 0 where there is none."""
    points = points[points[:, 2] > 0]
    points = points[np.isfinite(points).all(axis=1)]
    pixels, z = camera.project(points)
    columns, rows = np.rint(pixels).astype(np.int64).T
    inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    rows, columns, z = rows[inside], columns[inside], z[inside]
    order = np.argsort(-z)
    depth = np.zeros(camera.size, np.float32)
    depth[rows[order], columns[order]] = z[order]
    return depth


def without_hidden(depth: np.ndarray, camera: Camera, beam_gap: float) -> np.ndarray:
    """Sparse depth without the points that nearer ones enclose; see ``lidar_depth``."""
    vertical = max(1, math.ceil(camera.fy * math.tan(math.radians(beam_gap))))
    horizontal = max(1, math.ceil(camera.fx * math.tan(math.radians(beam_gap))))
    near = np.where(depth > 0, depth, np.float32(np.inf))
    # Returns are not exactly in rows and columns. Few rows only: a road is nearer in the next row already.
    width, height = 2 * (horizontal // 4) + 1, 2 * (vertical // 8) + 1
    above, below = (_nearest(near, (vertical + 1, width), (width // 2, end)) for end in (vertical, 0))
    left, right = (_nearest(near, (height, horizontal + 1), (end, height // 2)) for end in (horizontal, 0))
    rows, columns = np.nonzero(depth)
    nearest = (
        window[rows, columns] < NEARER * depth[rows, columns] for window in (above, below, left, right)
    )
    covered_above, covered_below, covered_left, covered_right = nearest
    seen = ~((covered_above & covered_below) | (covered_left & covered_right))
    kept = np.zeros_like(depth)
    kept[rows[seen], columns[seen]] = depth[rows[seen], columns[seen]]
    return kept


def _nearest(depth: np.ndarray, window: tuple[int, int], anchor: tuple[int, int]) -> np.ndarray:
    """Smallest value in a window of (rows, columns) around each pixel; it lies at (x, y) in the window."""
    return cv2.erode(
        depth, np.ones(window, np.uint8), anchor=anchor, borderType=cv2.BORDER_CONSTANT, borderValue=1e30
    )
