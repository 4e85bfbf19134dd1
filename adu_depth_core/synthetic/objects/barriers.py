"""Barriers along a path of ground points ``(n, 3)``: garden walls, fences, guard rails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, loft, merge
from adu_depth_core.synthetic.surfaces.materials import INDEX

_METAL, _CONCRETE = INDEX["metal"], INDEX["concrete"]
Colour = Sequence[float] | np.ndarray


def leftward(path: np.ndarray) -> np.ndarray:
    """Unit directions to the left of a path, ``(n, 3)``, level."""
    along = np.gradient(path, axis=0)
    left = np.stack([-along[:, 1], along[:, 0], np.zeros(len(path))], axis=1)
    return left / np.linalg.norm(left, axis=1, keepdims=True)


def _ribbon(
    path: np.ndarray, bottom: float, top: float, thickness: float, material: int, tint: Colour, tile: float
) -> Mesh:
    """Upright band along the path."""
    up = np.array([0, 0, 1.0])
    half = leftward(path) * thickness / 2
    ring = [
        path - half + up * bottom,
        path - half + up * top,
        path + half + up * top,
        path + half + up * bottom,
    ]
    band = loft(np.stack(ring, axis=1)[::-1], material, tint, tile, smooth=False, closed=True)
    return band.labelled(PixelClass.BARRIER)


def garden_wall(path: np.ndarray, height: float, material: int, tint: Colour, tile: float) -> Mesh:
    """Masonry wall with a coping along the path."""
    return merge(
        [
            _ribbon(path, -0.5, height, 0.24, material, tint, tile),
            _ribbon(path, height, height + 0.08, 0.34, _CONCRETE, (0.9, 0.9, 0.9), 2.0),
        ]
    )


def picket_fence(path: np.ndarray, height: float, material: int, tint: Colour, spacing: float = 0.13) -> Mesh:
    """Upright pickets with two rails along the path."""
    step = np.linalg.norm(np.diff(path, axis=0), axis=1)
    travelled = np.concatenate([[0], np.cumsum(step)])
    spots = np.arange(0, travelled[-1], spacing)
    places = np.stack([np.interp(spots, travelled, path[:, k]) for k in range(3)], axis=1)
    pickets = boxes(places + np.array([0, 0, height / 2]), (0.05, 0.05, height), material, tint)
    rails = [_ribbon(path, z, z + 0.06, 0.04, material, tint, 1.0) for z in (0.2, height - 0.25)]
    return merge([pickets, *rails]).labelled(PixelClass.BARRIER)


def guard_rail(path: np.ndarray) -> Mesh:
    """Steel barrier along the path."""
    posts = boxes(path[::2] + np.array([0, 0, 0.35]), (0.12, 0.08, 0.7), _METAL, (0.35, 0.36, 0.37))
    rail = _ribbon(path, 0.45, 0.75, 0.06, _METAL, (0.5, 0.51, 0.52), 1.0)
    return merge([rail, posts]).labelled(PixelClass.BARRIER)
