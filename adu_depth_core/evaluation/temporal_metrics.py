"""Temporal stability of depth: change between frames that the camera's own motion does not explain."""

from __future__ import annotations

import functools
from typing import NamedTuple

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
    np.put(nearest, place, np.inf)  # the only pixels compared
    np.minimum.at(nearest, place, z)
    seen = np.flatnonzero(np.take(nearest, place) == z)
    expected, found = np.take(z, seen), np.take(now, np.take(place, seen))
    return float(np.median(np.abs(np.log(found / expected))))


STATIC = 0.01
"""Relative difference of true depths up to which both frames show the same static point."""


class Followed(NamedTuple):
    """Ground truth of this frame, followed back to the frame before; one entry for each pixel with a value
    whose place is in the image of the frame before.

    :param place: index of the pixel in the flattened image, now
    :param before: index of its place there
    :param static: bool, the ground truth there is that of the same, static point; false for what moved, what
        was hidden, and where there is no ground truth
    """

    place: np.ndarray
    before: np.ndarray
    static: np.ndarray


def follow(
    truth_before: np.ndarray, truth_now: np.ndarray, camera: Camera, before_from_now: np.ndarray
) -> Followed:
    """Follow the points of the ground truth.

    :param truth_before: of the frame before, ``(H, W)`` metres; 0, NaN or infinite where unknown
    :param truth_now: of this frame, ``(H, W)`` metres; 0, NaN or infinite where unknown
    :param camera: intrinsics of both
    :param before_from_now: motion of the camera, 4x4
    """
    known = np.flatnonzero((truth_now > 0) & np.isfinite(truth_now))
    z = np.take(truth_now, known).astype(np.float32)
    rows, columns = np.divmod(known, camera.width)
    x, y = (columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z
    points = np.stack([x, y, z], axis=1) @ before_from_now[:3, :3].T + before_from_now[:3, 3]
    pixels, expected = camera.project(points)
    inside = (expected > 0) & np.all(pixels > -0.5, axis=1)
    inside &= (pixels[:, 0] < camera.width - 0.5) & (pixels[:, 1] < camera.height - 0.5)
    columns, rows = np.rint(pixels[inside]).astype(np.intp).T
    before = rows * camera.width + columns
    found, expected = np.take(truth_before, before), expected[inside]
    with np.errstate(invalid="ignore"):
        static = np.abs(found - expected) < STATIC * expected
    return Followed(known[inside], before, static)


def flicker(
    before: np.ndarray, now: np.ndarray, truth: tuple[np.ndarray, np.ndarray], points: Followed
) -> float | None:
    """Mean change of a static point's error in log depth from frame to frame, ``|e_now - e_before|`` with
    ``e = ln(depth / truth)``.

    A measure of temporal consistency. It differs from the temporal alignment error (TAE) of Video Depth
    Anything (Chen et al. 2025) in that points are followed by ground truth instead of by the depth that is
    judged: a wrong depth is not compared with another surface, and moving objects are excluded.

    :param before: depth of the frame before, ``(H, W)`` metres
    :param now: depth of this frame
    :param truth: ground truth of the two frames, in this order
    :param points: from ``follow``
    :return: 0 for an error that stays the same; None if no static point is known
    """
    place, place_before = points.place[points.static], points.before[points.static]
    if not place.size:
        return None
    change = np.log(np.take(now, place) / np.take(truth[1], place))
    change -= np.log(np.take(before, place_before) / np.take(truth[0], place_before))
    return float(np.abs(change).mean())


@functools.lru_cache(maxsize=4)
def _rays(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """x / z and y / z of every ``STRIDE``-th row and column, float32 ``(rows, columns)`` each."""
    u, v = np.meshgrid(np.arange(0, camera.width, STRIDE), np.arange(0, camera.height, STRIDE))
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return x.astype(np.float32), y.astype(np.float32)
