"""Projection of 3-D points into a camera: their pixels and depths."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from adu_depth_core.camera import Camera


class Projected(NamedTuple):
    """Points that an image shows, in the order they came; each array is ``(N,)``.

    :param rows: of their pixels, whole numbers
    :param columns: of their pixels, whole numbers
    :param z: depth in metres, float32
    """

    rows: np.ndarray
    columns: np.ndarray
    z: np.ndarray


def project(points: np.ndarray, camera_from_points: np.ndarray, camera: Camera) -> Projected:
    """The points that are in the image; those behind the camera and those with NaN are not.

    :param points: float32 ``(N, 3)`` metres in any frame
    :param camera_from_points: 4x4, into the camera's optical frame
    :param camera: intrinsics
    """
    if not len(points):
        return Projected(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))
    # One pass over the points gives z * (column, row, 1). A matrix product of so many short rows takes ten
    # times as long, and wakes threads that compete with the network.
    scaled = cv2.transform(points[:, None], camera.matrix @ camera_from_points[:3])[:, 0]
    # Separate contiguous columns: strided access takes several times as long.
    x, y, z = np.ascontiguousarray(scaled.T)
    with np.errstate(divide="ignore", invalid="ignore"):  # for points not in front of the camera
        columns, rows = np.rint(x / z), np.rint(y / z)
    across, down = (columns >= 0) & (columns < camera.width), (rows >= 0) & (rows < camera.height)
    shown = np.flatnonzero((z > 0) & across & down)
    rows, columns = (np.take(places, shown).astype(np.intp) for places in (rows, columns))
    return Projected(rows, columns, np.take(z, shown))
