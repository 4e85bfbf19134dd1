"""Metric depth of points tracked between two images of a camera that moved a known distance.

Corners of the first image are followed into the second (Lucas and Kanade 1981, in pyramids, there and
back). The essential matrix (five points: Nistér 2004; MAGSAC++: Barath et al. 2020) gives the rotation
and the direction of the motion; the distance travelled gives its length, and triangulation the depth.
Points that move on their own leave the epipolar lines, or fit them at a wrong depth: of those a median
takes no notice while they are few.
"""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.camera import Camera

MOST_POINTS = 1500

FEWEST_POINTS = 60
"""Points that follow the motion; with fewer its direction is not well known."""

LEAST_SHARE = 0.5
"""Of the tracked points, of those that follow the motion."""

MOST_TURN = 3.0
"""Degrees between the two images. In a turn the camera does not travel as far as the axle whose speed is
known, and part of the image leaves the view."""

LEAST_AHEAD = 0.5
"""Cosine between motion and optical axis, ahead or back. To a camera that looks sideways a small turn looks
like a motion, and depth came out 11 % wrong (``test_tracked_points.py``)."""

LEAST_PARALLAX = 5.0
"""Pixels that a point moves, rotation aside: with errors of tracking of some 0.2 pixels, depth is then within
5 %."""

FARTHEST_POINTS = 1000.0
"""Distances travelled up to which a point counts for the motion: the far ones tell its rotation."""

OFF_LINE = 0.7
"""Pixels from its epipolar line up to which a point follows the motion."""

THERE_AND_BACK = 0.5
"""Pixels between a corner and where tracking it back from the second image leads."""

WINDOW, PYRAMID = (21, 21), 4


def tracked_depth(before: np.ndarray, now: np.ndarray, camera: Camera, metres: float) -> np.ndarray | None:
    """Depth in the first image of what both images show.

    :param before: the first image, grey uint8 ``(H, W)``
    :param now: the second image, grey uint8 ``(H, W)``
    :param camera: intrinsics of both
    :param metres: distance that the camera travelled between them
    :return: float32 ``(H, W)`` metres, 0 but at tracked corners; None where the images do not tell the
        motion: too few points follow one, or the camera turns or looks sideways
    """
    here, there = _tracks(before, now)
    if len(here) < FEWEST_POINTS:
        return None
    center, focal = np.array([camera.cx, camera.cy]), np.array([camera.fx, camera.fy])
    a, b = (here - center) / focal, (there - center) / focal
    eye = np.eye(3)
    essential, follows = cv2.findEssentialMat(a, b, eye, cv2.USAC_MAGSAC, 0.999, OFF_LINE / camera.fx)
    if essential is None or essential.shape != (3, 3):
        return None
    _, rotation, direction, follows, _ = cv2.recoverPose(
        essential, a, b, eye, distanceThresh=FARTHEST_POINTS, mask=follows
    )
    follows = follows.ravel() > 0
    if follows.sum() < max(FEWEST_POINTS, LEAST_SHARE * len(here)):
        return None
    if _degrees(rotation) > MOST_TURN or abs(direction[2, 0]) < LEAST_AHEAD:
        return None
    here, a, b = here[follows], a[follows], b[follows]
    first, second = np.eye(3, 4), np.hstack([rotation, direction])
    points = cv2.triangulatePoints(first, second, a.T.copy(), b.T.copy())
    with np.errstate(divide="ignore", invalid="ignore"):
        z = metres * points[2] / points[3]
    unturned = np.column_stack([b, np.ones(len(b))]) @ rotation
    parallax = np.linalg.norm((unturned[:, :2] / unturned[:, 2:] - a) * focal, axis=1)
    known = np.isfinite(z) & (z > 0) & (parallax >= LEAST_PARALLAX)
    depth = np.zeros(before.shape, np.float32)
    columns, rows = np.round(here[known]).astype(int).T
    inside = (rows >= 0) & (rows < camera.height) & (columns >= 0) & (columns < camera.width)
    depth[rows[inside], columns[inside]] = z[known][inside]
    return depth


def _tracks(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners in the first image and where they are in the second, columns and rows, float64 ``(N, 2)``."""
    apart = max(3.0, before.shape[1] / 200)
    corners = cv2.goodFeaturesToTrack(before, MOST_POINTS, 0.005, apart)
    if corners is None:
        return np.empty((0, 2)), np.empty((0, 2))
    found, forth, _ = cv2.calcOpticalFlowPyrLK(before, now, corners, None, winSize=WINDOW, maxLevel=PYRAMID)
    again, back, _ = cv2.calcOpticalFlowPyrLK(now, before, found, None, winSize=WINDOW, maxLevel=PYRAMID)
    good = (forth.ravel() > 0) & (back.ravel() > 0)
    good &= np.linalg.norm((again - corners).reshape(-1, 2), axis=1) <= THERE_AND_BACK
    here, there = (points.reshape(-1, 2)[good].astype(np.float64) for points in (corners, found))
    return here, there


def _degrees(rotation: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))
