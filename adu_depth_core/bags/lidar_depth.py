"""LiDAR points as depth of a camera, without the points that the camera cannot see."""

from __future__ import annotations

import math

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.temporal import camera_pixels

NEARER = 0.9
"""A surface hides a point if it is nearer than this share of the point's depth."""

STEPS_PER_GAP = 3
"""LiDARs turn in finer steps than their beams are apart."""

_NOTHING = 1e30
"""Depth of the border of images: farther than anything."""


def lidar_depth(points: np.ndarray, camera: Camera, beam_gap: float = 1.0) -> np.ndarray:
    """Sparse depth from LiDAR points; where several meet in a pixel, the nearest stays.

    The LiDAR stands elsewhere and sees surfaces that are hidden from the camera; between the returns of what
    hides them they would show through. A point is dropped if nearer returns enclose it, above and below
    within the gap between neighbouring beams, or left and right within a third of it. (One-sided tests would
    also drop the road, which is nearer below every point.)

    :param points: ``(N, 3)`` metres in the camera's optical frame
    :param camera: intrinsics of the rectified image
    :param beam_gap: degrees; a little more than the angle between two beams
    :return: float32 ``(H, W)`` metres, 0 where there is no point
    """
    kept = np.zeros(camera.size, np.float32)
    # Columns of their own: working on every third number takes several times as long.
    x, y, z = np.ascontiguousarray(points.T, np.float32)
    place, members = camera_pixels(x, y, z, camera)
    if place.size:
        z = z[members]
        seen = _seen(*np.divmod(place, camera.width), z, camera, beam_gap)
        np.put(kept, place[seen], z[seen])
    return kept


def _seen(
    rows: np.ndarray, columns: np.ndarray, z: np.ndarray, camera: Camera, beam_gap: float
) -> np.ndarray:
    """Which points are the nearest of their pixel and not enclosed by nearer ones."""
    vertical = max(1, math.ceil(camera.fy * math.tan(math.radians(beam_gap))))
    horizontal = max(1, math.ceil(camera.fx * math.tan(math.radians(beam_gap / STEPS_PER_GAP))))
    # Returns are not exactly in rows and columns. Few rows only: a road is nearer in the next row already.
    width, height = 2 * (horizontal // 2) + 1, 2 * (vertical // 8) + 1
    # A border above and on the left, so that what lies before a pixel can be looked up where that begins.
    rows, columns = rows - rows.min() + vertical, columns + horizontal
    nearest = np.full((rows.max() + 1, camera.width + horizontal), _NOTHING, np.float32)
    np.minimum.at(nearest.ravel(), rows * nearest.shape[1] + columns, z)
    onwards = _smallest(nearest, (vertical + 1, width), (width // 2, 0))
    covered = np.maximum(onwards[rows - vertical, columns], onwards[rows, columns])
    onwards = _smallest(nearest, (height, horizontal + 1), (0, height // 2))
    covered = np.minimum(covered, np.maximum(onwards[rows, columns - horizontal], onwards[rows, columns]))
    return (z == nearest[rows, columns]) & (NEARER * z <= covered)


def _smallest(depth: np.ndarray, window: tuple[int, int], anchor: tuple[int, int]) -> np.ndarray:
    """Smallest value in a window of (rows, columns) around each pixel; it lies at (x, y) in the window."""
    return cv2.erode(
        depth,
        np.ones(window, np.uint8),
        anchor=anchor,
        borderType=cv2.BORDER_CONSTANT,
        borderValue=_NOTHING,
    )
