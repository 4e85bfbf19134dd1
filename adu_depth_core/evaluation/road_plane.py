"""The road plane in front of a camera: fitted to the ground truth of a frame, or level below the camera.

RANSAC (Fischler and Bolles 1981) over the near points in the lower part of the image finds the plane, least
squares with Tukey's weights refines it. What bounds it: the normal of a road leans only as far as a camera is
mounted askew or the road slopes, and hardly anything is below the road.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera

NEAR, FAR = 2.0, 25.0
"""Range of depth in metres used for the fit: farther roads bend."""

HEIGHTS = (0.8, 3.5)
"""Range of camera heights of road vehicles, metres."""

MAX_PITCH, MAX_ROLL = np.radians(12.0), np.radians(6.0)
"""Largest pitch and roll of the camera relative to the road."""

TOLERANCE = 0.1
"""Metres from the plane within which a point supports it."""

TOO_LOW, AGAINST = 0.3, 3.0
"""Metres below the plane from which a point counts against it, and its weight in supporters."""

MIN_POINTS, MIN_SHARE = 100, 0.15
"""Minimum number and share of points that support the plane."""

MIN_DEPTH_RANGE, MIN_WIDTH = 3.0, 1.0
"""Metres along and across that the middle 90 % of these must span: one scan line makes no plane."""

TRIALS, TRIED_ON, REFINED_ON, REFINEMENTS = 300, 1000, 4000, 4


@dataclass(frozen=True)
class Road:
    """A plane below a camera.

    :param up: unit normal in the camera's optical frame, away from the ground
    :param camera_height: metres of the camera above it
    """

    up: tuple[float, float, float]
    camera_height: float

    @classmethod
    def level(cls, camera_height: float) -> Road:
        """The plane that is parallel to the optical axis and to the image's rows."""
        return cls((0.0, -1.0, 0.0), camera_height)

    def heights(self, place: np.ndarray, depth: np.ndarray, camera: Camera) -> np.ndarray:
        """Height above the road of the points that pixels show, metres ``(N,)``.

        :param place: indices of pixels in the flattened image ``(N,)``
        :param depth: metres along z of each ``(N,)``
        """
        row, column = np.divmod(place, camera.width)
        x, y, z = self.up
        along_ray = x * ((column - camera.cx) / camera.fx) + y * ((row - camera.cy) / camera.fy) + z
        heights: np.ndarray = along_ray * depth + self.camera_height
        return heights


def fit_road(truth: np.ndarray, camera: Camera, seed: int = 0) -> Road | None:
    """The road plane by the ground truth of a frame.

    :param truth: depth ``(H, W)`` metres; 0, NaN or infinite where unknown
    :param camera: intrinsics
    :param seed: of the random draws
    :return: None if too few points lie on a plane that could be a road
    :raises ValueError: if the truth is of another size than the camera
    """
    points = _near_points(truth, camera, rng := np.random.default_rng(seed))
    if len(points) < MIN_POINTS:
        return None
    plane = _best_of_trials(points[:TRIED_ON], rng)
    for _ in range(REFINEMENTS):
        plane = None if plane is None else _refined(points, plane)
    if plane is None or not _plausible(plane[None])[0]:
        return None
    on_plane = points[np.abs(points @ plane[:3] + plane[3]) < TOLERANCE]
    if len(on_plane) < max(MIN_POINTS, MIN_SHARE * len(points)):
        return None
    width, _, depth_range = np.subtract(*np.percentile(on_plane, [95, 5], axis=0))
    if width < MIN_WIDTH or depth_range < MIN_DEPTH_RANGE:
        return None
    x, y, z, camera_height = (float(value) for value in plane)
    return Road((x, y, z), camera_height)


def _near_points(truth: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Points below the optical axis in random order, at most ``REFINED_ON``, float64 ``(N, 3)`` metres."""
    if truth.shape != camera.size:
        raise ValueError(f"depth is {truth.shape}, the camera is {camera.size} (height, width)")
    top = int(np.clip(np.ceil(camera.cy), 0, camera.height))
    row, column = np.nonzero((truth[top:] > NEAR) & (truth[top:] < FAR))
    chosen = rng.choice(len(row), min(len(row), REFINED_ON), replace=False)
    row, column = row[chosen] + top, column[chosen]
    z = truth[row, column].astype(np.float64)
    return np.stack([(column - camera.cx) / camera.fx * z, (row - camera.cy) / camera.fy * z, z], axis=1)


def _best_of_trials(points: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """The plausible plane through three of the points that most support and fewest are below.

    A point counts as 1 / z: the vehicle stands on the road, while banks and fields beside it are farther off.
    """
    corners = points[rng.integers(0, len(points), (TRIALS, 3))]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1)
    apart = length > 1e-9
    normal = normal[apart] / length[apart, None] * -np.sign(normal[apart, 1:2])
    planes = np.column_stack([normal, -np.sum(normal * corners[apart, 0], axis=1)])
    planes = planes[_plausible(planes)]
    if not len(planes):
        return None
    height = points @ planes[:, :3].T + planes[:, 3]
    nearness = 1 / points[:, 2]
    score = nearness @ (np.abs(height) < TOLERANCE) - AGAINST * (nearness @ (height < -TOO_LOW))
    best: np.ndarray = planes[np.argmax(score)]
    return best


def _plausible(planes: np.ndarray) -> np.ndarray:
    """Plausibility of planes ``(N, 4)`` of normal and camera height as roads, bool ``(N,)``."""
    x, y, z, height = planes.T
    level = (y < 0) & (np.abs(x) <= np.sin(MAX_ROLL)) & (np.abs(z) <= np.sin(MAX_PITCH))
    plausible: np.ndarray = level & (height >= HEIGHTS[0]) & (height <= HEIGHTS[1])
    return plausible


def _refined(points: np.ndarray, plane: np.ndarray) -> np.ndarray | None:
    """The plane after a step of least squares of y with Tukey's weights; None without enough points."""
    height = points @ plane[:3] + plane[3]
    near = np.abs(height) < 2 * TOLERANCE
    if np.count_nonzero(near) < MIN_POINTS:
        return None
    points, weight = points[near], 1.0 - (height[near] / (2 * TOLERANCE)) ** 2  # root of Tukey's
    terms = np.column_stack([points[:, 0], points[:, 2], np.ones(len(points))])
    weighted = terms * (weight * weight)[:, None]
    try:
        a, b, c = np.linalg.solve(terms.T @ weighted, points[:, 1] @ weighted)
    except np.linalg.LinAlgError:  # all on one line
        return None
    refined: np.ndarray = np.array([a, -1.0, b, c]) / np.sqrt(a * a + b * b + 1.0)
    return refined
