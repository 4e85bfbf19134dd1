"""LiDAR points as depth of a camera, without points occluded from the camera."""

from __future__ import annotations

import math

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.projection import Projected, project

NEARER = 0.9
"""A surface occludes a point if it is nearer than this fraction of the point's depth."""

STEPS_PER_GAP = 3
"""LiDARs turn in finer steps than their beams are apart."""

_NOTHING = 1e30
"""Depth of the border of images: farther than anything."""


def lidar_depth(
    points: np.ndarray, camera_from_lidar: np.ndarray, camera: Camera, beam_gap: float = 1.0
) -> np.ndarray:
    """Sparse depth from LiDAR points; where several meet in a pixel, the nearest stays.

    The LiDAR has another viewpoint and sees surfaces that are occluded from the camera; they would show
    through between the returns of the occluding surface. A point is dropped if nearer returns enclose it,
    above and below within the gap between neighbouring beams, or left and right within a third of it.
    (One-sided tests would also drop the road, which is nearer below every point.)

    :param points: float32 ``(N, 3)`` metres in the LiDAR's frame
    :param camera_from_lidar: 4x4, into the camera's optical frame
    :param camera: intrinsics of the rectified image
    :param beam_gap: degrees; a little more than the angle between two beams
    :return: float32 ``(H, W)`` metres, 0 where there is no point
    """
    kept = np.zeros(camera.size, np.float32)
    found = project(points, camera_from_lidar, camera)
    if found.z.size:
        seen = _seen(found, camera, beam_gap)
        place = found.rows * camera.width + found.columns
        np.put(kept, np.take(place, seen), np.take(found.z, seen))
    return kept


def _seen(found: Projected, camera: Camera, beam_gap: float) -> np.ndarray:
    """Indices of the points that are the nearest of their pixel and not enclosed by nearer ones."""
    up = max(1, math.ceil(camera.fy * math.tan(math.radians(beam_gap))))
    left = max(1, math.ceil(camera.fx * math.tan(math.radians(beam_gap / STEPS_PER_GAP))))
    # Returns are not exactly in rows and columns. Few rows only: on a road the next row is already nearer.
    width, height = 2 * (left // 2) + 1, 2 * (up // 8) + 1
    # A border above and on the left, so that what lies before a pixel can be looked up where that begins.
    first, last = found.rows.min(), found.rows.max()
    nearest = np.full((last - first + 1 + up, camera.width + left), _NOTHING, np.float32)
    stride = nearest.shape[1]
    place = (found.rows + (up - first)) * stride + (found.columns + left)
    np.minimum.at(nearest.ravel(), place, found.z)
    above_and_below = _enclosing(nearest, (up + 1, width), (width // 2, 0), place, up * stride)
    on_both_sides = _enclosing(nearest, (height, left + 1), (0, height // 2), place, left)
    covered = np.minimum(above_and_below, on_both_sides)
    return np.flatnonzero((found.z == np.take(nearest, place)) & (NEARER * found.z <= covered))


def _enclosing(
    nearest: np.ndarray, window: tuple[int, int], anchor: tuple[int, int], place: np.ndarray, back: int
) -> np.ndarray:
    """Enclosing depth of pixels from two sides: the farther of the nearest depths before and after each.

    :param nearest: depth map
    :param window: (rows, columns) from a pixel onwards; the one that ends at the pixel has the same size
    :param anchor: (x, y) of the pixel in the window
    :param place: indices of the pixels in the flattened map, ``(N,)``
    :param back: difference from there to where the window begins that ends at the pixel
    :return: metres, ``(N,)``
    """
    onwards = cv2.erode(
        nearest,
        np.ones(window, np.uint8),
        anchor=anchor,
        borderType=cv2.BORDER_CONSTANT,
        borderValue=_NOTHING,
    )
    return np.maximum(np.take(onwards, place - back), np.take(onwards, place))
