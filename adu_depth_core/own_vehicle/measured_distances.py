"""Ground truth of an image from distances measured in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.own_vehicle.held_out import HeldOut
from adu_depth_core.own_vehicle.observation import FARTHEST, Observation, slope_of

FEWEST = 4
"""Distances, of which each is judged by the others."""


@dataclass(frozen=True)
class Distance:
    """A measured distance.

    :param column: of the pixel in the picture
    :param row: of the pixel in the picture
    :param metres: from the camera to the surface at the pixel, along the line of sight
    """

    column: float
    row: float
    metres: float

    def __str__(self) -> str:
        return f"{self.column:g},{self.row:g}={self.metres:g}"

    def depth(self, camera: Camera) -> float:
        """Metres along the optical axis."""
        ray = ((self.column - camera.cx) / camera.fx, (self.row - camera.cy) / camera.fy, 1.0)
        return self.metres / float(np.linalg.norm(ray))


def parse_distance(text: str) -> Distance:
    """Read ``u,v=12.5``: column and row of a pixel, and metres.

    :raises ValueError: if the text is not that
    """
    found = re.fullmatch(r"\s*([\d.]+)\s*,\s*([\d.]+)\s*=\s*([\d.]+)\s*", text)
    try:
        distance = Distance(*map(float, found.groups())) if found else None
    except ValueError:
        distance = None
    if distance is None or not distance.metres > 0:
        raise ValueError(f"{text!r} is not u,v=METRES: column and row of a pixel, such as 640,410=12.5")
    return distance


def hold_out_distances(prediction: Prediction, distances: Sequence[Distance]) -> HeldOut:
    """Each distance as a frame of its own; sigma cannot be judged by so few.

    :param prediction: at the size of the picture
    :raises UserError: if there are fewer than ``FEWEST`` distances, or one is outside of the picture or
        beyond ``FARTHEST``
    """
    camera = prediction.camera
    if len(distances) < FEWEST:
        raise UserError(
            f"{len(distances)} distances cannot be held out against each other: measure {FEWEST} or more, in "
            "several directions and from near to far"
        )
    observations = []
    for number, distance in enumerate(distances):
        row, column = round(distance.row), round(distance.column)
        if not (0 <= row < camera.height and 0 <= column < camera.width):
            raise UserError(
                f"distance {distance} (column,row) is outside the {camera.height}x{camera.width} picture"
            )
        if distance.metres > FARTHEST:
            raise UserError(
                f"distance {distance} is beyond {FARTHEST:g} m: give metres, and measure nearer things"
            )
        observations.append(
            Observation(
                float(number),
                0,
                prediction.depth[row, column][None],
                np.array([distance.depth(camera)], np.float32),
                slope_of(np.array([row]), camera),
                np.array([column / max(1, camera.width - 1)], np.float32),
                None,
                prediction.novelty,
            )
        )
    block = np.arange(len(distances))
    return HeldOut(observations, block, 0.0, f"each of {len(distances)} distances", False)
