"""Houses: four walls, a front with windows, a roof.

Object frame: the front stands in the plane y = 0 and looks along -y; x runs along it from 0 to the house's
width; the house extends towards +y.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, cylinder, merge, quads, surface
from adu_depth_core.synthetic.objects.facade import Wall, facade
from adu_depth_core.synthetic.surfaces.materials import INDEX

_WALL_SHARE = {"plaster": 0.55, "brick": 0.2, "stone": 0.12, "concrete": 0.08, "wood": 0.05}
_WALL_TILE = {"plaster": 4.0, "brick": 1.9, "stone": 3.0, "concrete": 3.0, "wood": 2.0}
_PAINTS = np.array(
    [
        (0.75, 0.72, 0.64), (0.72, 0.60, 0.36), (0.70, 0.45, 0.30), (0.62, 0.64, 0.62), (0.50, 0.55, 0.45),
        (0.65, 0.42, 0.36), (0.45, 0.50, 0.58), (0.80, 0.79, 0.76), (0.50, 0.46, 0.40), (0.35, 0.34, 0.33),
    ]
)  # fmt: skip
_ROOFS = np.array([(0.55, 0.22, 0.14), (0.40, 0.20, 0.15), (0.14, 0.14, 0.15), (0.30, 0.27, 0.24)])
_BELOW_GROUND = 1.5  # so that no gap opens on a slope
_OVERHANG = 0.35


def building(rng: np.random.Generator, width: float, depth: float, storeys: int, shops: bool) -> Mesh:
    """A random house.

    :param width: metres along the street
    :param depth: metres away from the street
    :param shops: shop windows instead of flats on the ground floor
    """
    wall = _random_wall(rng)
    ground_floor = rng.uniform(3.4, 4.2) if shops else rng.uniform(2.8, 3.4)
    heights = np.array([ground_floor] + [rng.uniform(2.7, 3.3)] * (storeys - 1))
    eaves = float(heights.sum())
    parts = [facade(rng, width, heights, wall, shops), _other_walls(width, depth, eaves, wall)]
    parts += _side_windows(rng, width, depth, heights)
    if rng.random() < 0.25:
        parts += _flat_roof(rng, width, depth, eaves, wall)
    else:
        parts += _pitched_roof(rng, width, depth, eaves, wall)
    if rng.random() < 0.5:
        x = rng.choice([0.15, width - 0.15])
        pipe = (x, -0.08, 0), (x, -0.08, eaves)
        parts.append(cylinder(*pipe, 0.05, INDEX["metal"], (0.3, 0.3, 0.3), sections=6))
    return merge(parts).labelled(PixelClass.BUILDING)


def _random_wall(rng: np.random.Generator) -> Wall:
    kind = str(rng.choice(list(_WALL_SHARE), p=list(_WALL_SHARE.values())))
    if kind in ("plaster", "concrete"):
        colour = _PAINTS[rng.integers(len(_PAINTS))] * rng.uniform(0.7, 1.1)
    else:
        colour = rng.uniform(0.6, 1.15) * rng.uniform([0.9, 0.85, 0.8], [1.0, 1.05, 1.1])
    matching = np.clip(colour * rng.uniform(0.6, 1.5), 0.05, 0.9)
    trim = matching if rng.random() < 0.5 else np.array([0.7, 0.68, 0.64])
    return Wall(INDEX[kind], _WALL_TILE[kind], colour, trim)


def _other_walls(width: float, depth: float, eaves: float, wall: Wall) -> Mesh:
    """Right, back and left."""
    foot = -_BELOW_GROUND
    corners = np.array([(width, 0, foot), (width, depth, foot), (0, depth, foot)])
    edges = np.array([(0, depth, 0), (-width, 0, 0), (0, -depth, 0)])
    return quads(corners, edges, (0, 0, eaves - foot), wall.material, wall.colour, wall.tile)


def _side_windows(rng: np.random.Generator, width: float, depth: float, heights: np.ndarray) -> list[Mesh]:
    floors = np.concatenate([[0.0], np.cumsum(heights)[:-1]])
    columns = np.arange(1.5, depth - 2.0, rng.uniform(2.6, 4.5))
    places = np.array([(0.0, y, z + 0.9) for y in columns for z in floors if rng.random() < 0.7])
    if not len(places):
        return []
    material, proud = INDEX[f"window_{rng.integers(8)}"], np.array([0.02, 0, 0])
    right, left = places + np.array([width, 0, 0]) + proud, places + np.array([0, 1.1, 0]) - proud
    return [
        quads(right, (0, 1.1, 0), (0, 0, 1.4), material, tile=None),
        quads(left, (0, -1.1, 0), (0, 0, 1.4), material, tile=None),
    ]


def _flat_roof(rng: np.random.Generator, width: float, depth: float, eaves: float, wall: Wall) -> list[Mesh]:
    parapet = rng.uniform(0.3, 0.9)
    edge = (width / 2, 0.12, eaves + parapet / 2)
    return [
        quads((0, 0, eaves), (width, 0, 0), (0, depth, 0), INDEX["gravel"], tile=2.0),
        boxes(edge, (width, 0.24, parapet), wall.material, wall.colour, wall.tile),
    ]


def _pitched_roof(
    rng: np.random.Generator, width: float, depth: float, eaves: float, wall: Wall
) -> list[Mesh]:
    """Two slopes with the ridge along the street, gables, dormers, chimneys."""
    rise = (depth / 2 + _OVERHANG) * np.tan(np.radians(rng.uniform(28, 50)))
    # The slopes run through the walls' upper edges, so the overhang hangs lower.
    low = eaves - rise * _OVERHANG / (depth / 2 + _OVERHANG)
    ridge = low + rise
    front = np.array([-_OVERHANG / 2, -_OVERHANG, low])
    back = np.array([width + _OVERHANG / 2, depth + _OVERHANG, low])
    along, slope = np.array([width + _OVERHANG, 0, 0]), np.array([0, depth / 2 + _OVERHANG, rise])
    colour = _ROOFS[rng.integers(len(_ROOFS))]
    parts = [
        quads(front, along, slope, INDEX["roof"], colour, 2.4),
        quads(back, -along, slope * (1, -1, 1), INDEX["roof"], colour, 2.4),
    ]
    for x in (0.0, width):
        gable = np.array([(x, 0, eaves), (x, depth, eaves), (x, depth / 2, ridge)])
        parts.append(surface(gable, np.array([[0, 1, 2]]), wall.material, wall.colour, wall.tile))
    if rng.random() < 0.6:
        _, y, z = front + 0.3 * slope
        for x in np.arange(rng.uniform(1.5, 3), width - 1.5, rng.uniform(3, 5)):
            parts.append(boxes((x, y + 0.9, z + 0.65), (1.3, 1.8, 1.5), INDEX["plaster"], wall.colour))
            pane = (x - 0.45, y - 0.01, z + 0.15)
            parts.append(quads(pane, (0.9, 0, 0), (0, 0, 1.1), INDEX["window_1"], tile=None))
    for x in rng.uniform(0.5, width - 0.5, rng.integers(0, 3)):
        parts.append(boxes((x, depth * 0.55, ridge), (0.6, 0.6, 1.8), INDEX["brick"], (0.8, 0.8, 0.8)))
    return parts
