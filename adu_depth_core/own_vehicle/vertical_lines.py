"""The vertical as the edges of buildings, poles and fences in an image show it.

Edges that are vertical in the world meet in one point of the image, the vertical vanishing point, whose ray
is the vertical. A network that misjudges how a camera is tilted cannot tell so itself; these edges can.
Segments are those of LSD (Grompone von Gioi et al. 2010), the point is found by RANSAC over pairs of them and
refined by least squares with Tukey's weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from adu_depth_core.camera import Camera

MOST_COLUMNS = 1280
"""Larger images are reduced to this width: the detector's time grows with the area."""

LONG = 0.02
"""Least length of a segment, as a share of the image's width."""

UPRIGHT = np.radians(20.0)
"""Segments that lean more in the image are not taken for vertical ones."""

MOST_SIDEWAYS, MOST_FORWARD = 0.15, 0.25
"""Largest tangents of roll and pitch."""

TOLERANCE = np.sin(np.radians(0.6))
"""Sine of the angle between a segment's plane and the vertical within which it supports it."""

FEWEST_SEGMENTS, LEAST_SHARE = 25, 0.55
"""Segments that must agree, and their share of the length of all that might be vertical. Chosen on KITTI,
PandaSet, KITTI-360 and DDAD: with these, pitch is within a degree of the road's in most pictures, while trees
and cars alone do not pass."""

TRIALS, REFINEMENTS = 500, 10


@dataclass(frozen=True)
class Vertical:
    """Direction up in a camera's optical frame, ``(sideways, -1, forward)`` up to its length.

    :param sideways: tangent of the roll
    :param forward: tangent of the pitch; above 0 where the camera looks up
    :param forward_sigma: standard deviation of ``forward`` by the segments' scatter
    """

    sideways: float
    forward: float
    forward_sigma: float


def vertical_by_lines(image: np.ndarray, camera: Camera) -> Vertical | None:
    """The vertical by the segments of an image.

    :param image: RGB uint8 ``(H, W, 3)``
    :param camera: intrinsics of the image
    :return: None where too few segments agree
    """
    planes, length = _upright_segments(image, camera)
    if len(planes) < FEWEST_SEGMENTS:
        return None
    tilt = _best_of_trials(planes, length)
    if tilt is None:
        return None
    terms, wanted = planes[:, [0, 2]], planes[:, 1]
    for _ in range(REFINEMENTS):
        weight = length * np.clip(1 - ((terms @ tilt - wanted) / (2 * TOLERANCE)) ** 2, 0, None) ** 2
        information = terms.T @ (weight[:, None] * terms) + 1e-9 * np.eye(2)
        tilt = np.linalg.solve(information, terms.T @ (weight * wanted))
    agree = weight > 0
    if np.count_nonzero(agree) < FEWEST_SEGMENTS or length[agree].sum() < LEAST_SHARE * length.sum():
        return None
    variance = TOLERANCE**2 * length.mean() * np.linalg.inv(information)[1, 1]
    return Vertical(float(tilt[0]), float(tilt[1]), float(np.sqrt(variance)))


def _upright_segments(image: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals ``(N, 3)`` of the planes through the camera and each segment, and the segments' lengths in
    image widths ``(N,)``."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, MOST_COLUMNS / camera.width)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return np.zeros((0, 3)), np.zeros(0)
    ends = found.reshape(-1, 2, 2).astype(np.float64) / scale
    rays = np.concatenate(
        [(ends - (camera.cx, camera.cy)) / (camera.fx, camera.fy), np.ones((len(ends), 2, 1))], axis=2
    )
    planes = np.cross(rays[:, 0], rays[:, 1])
    planes /= np.maximum(np.linalg.norm(planes, axis=1, keepdims=True), 1e-12)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / camera.width
    upright = (np.abs(planes[:, 1]) < np.sin(UPRIGHT)) & (length > LONG)
    return planes[upright], length[upright]


def _best_of_trials(planes: np.ndarray, length: np.ndarray) -> np.ndarray | None:
    """The tangents of roll and pitch ``(2,)`` that the greatest length of segments supports."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(len(planes), (TRIALS, 2), p=length / length.sum())
    first, second = planes[pairs[:, 0]], planes[pairs[:, 1]]
    vertical = np.cross(first, second)
    steep = np.abs(vertical[:, 1]) > 1e-6
    tilts = -vertical[steep][:, [0, 2]] / vertical[steep][:, 1:2]
    tilts = tilts[(np.abs(tilts[:, 0]) < MOST_SIDEWAYS) & (np.abs(tilts[:, 1]) < MOST_FORWARD)]
    if not len(tilts):
        return None
    support = length @ (np.abs(planes[:, [0, 2]] @ tilts.T - planes[:, 1:2]) < TOLERANCE)
    best: np.ndarray = tilts[np.argmax(support)]
    return best
