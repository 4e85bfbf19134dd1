"""Cameras that a network was trained for, and the warning about others."""

from __future__ import annotations

import math

from adu_depth_core.inference.placement import Placement
from adu_depth_core.model_card import ModelCard

MARGIN = 1.2
"""Factor by which a focal length may lie outside the range that a network was trained with."""


def doubt(placement: Placement, card: ModelCard) -> str:
    """Warning for a camera that the network was not trained for; empty for one that it was.

    The usual cause is a wrong calibration: for another image size, or in other units. Two ranges are checked,
    each widened by ``MARGIN`` on the focal length: the horizontal field of view of the image, and the focal
    length in pixels at the network's input, to which depth is proportional.

        :param placement: the camera's image on the network's input
        :param card: without ``cameras`` there is no warning
    """
    if not card.cameras:
        return ""
    camera, focal = placement.camera, placement.resized_camera.fx
    narrowest, widest = card.cameras["horizontal_fov"]
    shortest, longest = card.cameras["network_focal"]
    outside = []
    if not _widened(narrowest, 1 / MARGIN) <= camera.horizontal_fov <= _widened(widest, MARGIN):
        outside.append(
            f"{camera.horizontal_fov:.1f} degrees across, trained for {narrowest:g} to {widest:g} degrees"
        )
    if not shortest / MARGIN <= focal <= longest * MARGIN:
        outside.append(
            f"focal length of {focal:.4g} pixels at the network's input, trained for {shortest:g} to "
            f"{longest:g} pixels"
        )
    if not outside:
        return ""
    return (
        f"a camera with fx {camera.fx:g} at {camera.width} columns is not one that {card.name} was trained "
        f"for ({'; '.join(outside)}): depth and its uncertainty may both be far off. Is the focal length in "
        "pixels of this image size?"
    )


def _widened(fov: float, factor: float) -> float:
    """Field of view, degrees, of an image that is ``factor`` times as wide."""
    return 2.0 * math.degrees(math.atan(factor * math.tan(math.radians(fov) / 2.0)))
