"""The front of a house: a grid of bays, each with a window, door or shop front set back from the wall.

Object frame: the wall stands in the plane y = 0 and looks along -y; x runs along it from 0, z up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, merge, quads
from adu_depth_core.synthetic.surfaces.materials import INDEX, NAMES

_CONCRETE, _METAL, _PLASTER = INDEX["concrete"], INDEX["metal"], INDEX["plaster"]


@dataclass(frozen=True)
class Wall:
    """Materials of a house's walls.

    :param material: index into ``MATERIALS``
    :param tile: metres that one repetition of its texture covers
    :param colour: linear RGB tint ``(3,)``
    :param trim: linear RGB tint of sills, cornices and window reveals ``(3,)``
    """

    material: int
    tile: float
    colour: np.ndarray
    trim: np.ndarray


@dataclass(frozen=True)
class _Rectangles:
    """Upright rectangles in the wall's plane; all ``(n,)`` metres."""

    left: np.ndarray
    bottom: np.ndarray
    width: np.ndarray
    height: np.ndarray

    def quads(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lower left corner, edge across and edge up, each ``(n, 3)``."""
        zero = np.zeros(len(self.left))
        corner = np.stack([self.left, zero, self.bottom], axis=1)
        return corner, np.stack([self.width, zero, zero], axis=1), np.stack([zero, zero, self.height], axis=1)

    def __getitem__(self, chosen: np.ndarray) -> _Rectangles:
        return _Rectangles(self.left[chosen], self.bottom[chosen], self.width[chosen], self.height[chosen])


def facade(rng: np.random.Generator, width: float, heights: np.ndarray, wall: Wall, shops: bool) -> Mesh:
    """A random front.

    :param heights: of the storeys, from the ground up, metres
    :param shops: shop fronts on the ground floor
    """
    columns = max(2, round(width / rng.uniform(2.3, 3.4)))
    floors = np.concatenate([[0.0], np.cumsum(heights)[:-1]])
    bays = _Rectangles(
        left=np.tile(np.arange(columns) * width / columns, len(heights)),
        bottom=np.repeat(floors, columns),
        width=np.full(columns * len(heights), width / columns),
        height=np.repeat(heights, columns),
    )
    openings, kinds = _openings(rng, bays, columns, shops)
    parts = [*_masonry(bays, openings, wall), *_fillings(rng, openings, kinds, wall)]
    parts += _ornaments(rng, openings[np.arange(len(kinds)) >= columns], width, heights, wall)
    return merge(parts)


def _openings(
    rng: np.random.Generator, bays: _Rectangles, columns: int, shops: bool
) -> tuple[_Rectangles, np.ndarray]:
    """One opening in each bay, and the materials that fill them."""
    count = len(bays.left)
    ground = np.arange(count) < columns
    share, sill = rng.uniform(0.36, 0.55), rng.uniform(0.75, 1.0)
    width = share * bays.width
    bottom = np.full(count, sill)
    height = np.minimum(rng.uniform(1.3, 1.75), bays.height - sill - 0.3)
    styles = [INDEX[f"window_{k}"] for k in rng.choice(8, 3, replace=False)]
    kinds = rng.choice(styles, count)
    if shops:
        width[ground] = 0.88 * bays.width[ground]
        bottom[ground] = 0.3
        height[ground] = bays.height[ground] - 0.7
        kinds[ground] = [INDEX[f"shop_{k}"] for k in rng.integers(0, 8, columns)]
    door = rng.integers(columns)
    width[door], bottom[door], height[door] = 1.1, 0.05, 2.2
    kinds[door] = INDEX[f"door_{rng.integers(3)}"]
    return _Rectangles(bays.left + (bays.width - width) / 2, bays.bottom + bottom, width, height), kinds


def _masonry(bays: _Rectangles, openings: _Rectangles, wall: Wall) -> list[Mesh]:
    """The wall around the openings: in each bay a strip left, right, below and above."""
    right = openings.left + openings.width
    top = openings.bottom + openings.height
    strips = [
        _Rectangles(bays.left, bays.bottom, openings.left - bays.left, bays.height),
        _Rectangles(right, bays.bottom, bays.left + bays.width - right, bays.height),
        _Rectangles(openings.left, bays.bottom, openings.width, openings.bottom - bays.bottom),
        _Rectangles(openings.left, top, openings.width, bays.bottom + bays.height - top),
    ]
    return [quads(*strip.quads(), wall.material, wall.colour, wall.tile) for strip in strips]


def _fillings(rng: np.random.Generator, openings: _Rectangles, kinds: np.ndarray, wall: Wall) -> list[Mesh]:
    """Windows and doors, set back, with the reveals around them."""
    corner, across, up = openings.quads()
    inward = np.array([0, rng.uniform(0.08, 0.25), 0])
    reveals = (
        (corner, up, inward),
        (corner + across, inward, up),
        (corner, inward, across),
        (corner + up, across, inward),
    )
    parts = [quads(*edges, _PLASTER, wall.trim * 0.9, 2.0) for edges in reveals]
    door_colour = rng.uniform(0.05, 0.6) * rng.uniform(0.4, 1.0, 3)
    for kind in np.unique(kinds):
        chosen = kinds == kind
        tint = door_colour if NAMES[kind].startswith("door") else np.ones(3)
        parts.append(quads(corner[chosen] + inward, across[chosen], up[chosen], int(kind), tint, tile=None))
    return parts


def _ornaments(
    rng: np.random.Generator, windows: _Rectangles, width: float, heights: np.ndarray, wall: Wall
) -> list[Mesh]:
    """Plinth, cornices, sills, lintels, balconies: each perhaps."""
    plinth, trim = rng.uniform(0.15, 0.4), wall.trim
    parts = [
        boxes((width / 2, -0.02, plinth - 0.5), (width, 0.1, 1.0 + plinth), _CONCRETE, trim * 0.6),
        boxes((width / 2, -0.12, heights.sum() - 0.12), (width, 0.3, 0.24), _CONCRETE, trim),
    ]
    if len(heights) > 1 and rng.random() < 0.6:
        parts.append(boxes((width / 2, -0.06, heights[0]), (width, 0.16, 0.22), _CONCRETE, trim))
    middle = windows.left + windows.width / 2
    if rng.random() < 0.7:
        parts.append(
            _ledges(middle, windows.bottom - 0.04, windows.width + 0.2, (0.2, 0.08), _CONCRETE, trim)
        )
    if rng.random() < 0.35:
        top = windows.bottom + windows.height + 0.1
        parts.append(_ledges(middle, top, windows.width + 0.3, (0.1, 0.18), _PLASTER, trim))
    if len(heights) > 2 and rng.random() < 0.3:
        for k in np.flatnonzero(rng.random(len(middle)) < 0.3):
            parts += _balcony(middle[k], windows.bottom[k] - 0.6, windows.width[k] + 0.8, trim)
    return parts


def _ledges(
    x: np.ndarray,
    z: np.ndarray,
    width: np.ndarray,
    section: tuple[float, float],
    material: int,
    tint: np.ndarray,
) -> Mesh:
    """Bars on the wall, ``section`` metres deep and high, around ``(x, z)``."""
    centre = np.stack([x, np.full(len(x), 0.05 - section[0] / 2), z], axis=1)
    size = np.stack([width, np.full(len(x), section[0]), np.full(len(x), section[1])], axis=1)
    return boxes(centre, size, material, tint)


def _balcony(x: float, z: float, width: float, tint: np.ndarray) -> list[Mesh]:
    dark, posts = (0.05, 0.05, 0.05), np.linspace(-width / 2, width / 2, 9)
    rail = np.stack([x + posts, np.full(9, -0.95), np.full(9, z + 0.55)], axis=1)
    return [
        boxes((x, -0.5, z), (width, 1.0, 0.14), _CONCRETE, tint),
        boxes(rail, (0.03, 0.03, 1.0), _METAL, dark),
        boxes((x, -0.95, z + 1.05), (width, 0.05, 0.05), _METAL, dark),
    ]
