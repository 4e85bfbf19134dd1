"""Separation of obstacles, which a vehicle could hit, from ground, which it drives on.

Both are defined by their height above the road (``road``). On most frames the road has the most pixels, so
that the mean over all pixels hides what is wrong with cars and people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.road_plane import Road, fit_road

RANGE = 40.0
"""Metres beyond which pixels are neither: the road is no plane as far as that."""

GROUND_BELOW = 0.2
"""Metres above the road up to which is ground; all that is lower, too."""

OBSTACLE = (0.4, 2.65)
"""Metres above the road that a vehicle could hit. Between ground and this are kerbs and errors of the fit."""

SURFACE_NAMES = ("ground", "obstacle")

RULE = (
    f"obstacles: {OBSTACLE[0]:g} to {OBSTACLE[1]:g} m above the road; ground: up to {GROUND_BELOW:g} m; both "
    f"within {RANGE:g} m"
)
"""The above in words, for reports."""


@dataclass(frozen=True)
class Surfaces:
    """Tells the pixels of a frame apart.

    :param road: the road
    :param camera: intrinsics
    """

    road: Road
    camera: Camera

    @classmethod
    def of(cls, protocol: Protocol, truth: np.ndarray, camera: Camera) -> Surfaces | None:
        """By the protocol's camera height, or the road fitted to the ground truth; None if there is none.

        :param truth: depth ``(H, W)`` metres; 0, NaN or infinite where unknown
        """
        if protocol.camera_height is not None:
            return cls(Road.level(protocol.camera_height), camera)
        road = fit_road(truth, camera)
        return None if road is None else cls(road, camera)

    def at(self, place: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Surface of each pixel, uint8 ``(N,)``: 0 neither, else the index in ``SURFACE_NAMES`` from 1.

        :param place: indices in the flattened image ``(N,)``
        :param truth: depth of each in metres ``(N,)``
        """
        height = self.road.heights(place, truth, self.camera)
        obstacle = (height >= OBSTACLE[0]) & (height <= OBSTACLE[1])
        kind = (height <= GROUND_BELOW).astype(np.uint8) + np.uint8(2) * obstacle
        surface: np.ndarray = np.where(truth <= RANGE, kind, np.uint8(0))
        return surface
