"""Houses: walls with recessed windows, doors and shop fronts, cornices, balconies, roofs.

Object frame: the front stands in the plane y = 0 and looks along -y; x runs along the front from 0 to
``width``; the house extends towards +y.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.synthetic.materials import INDEX, NAMES
from adu_depth_core.synthetic.mesh import Mesh, boxes, cylinder, merge, quads, surface

_CONCRETE, _METAL, _PLASTER = INDEX["concrete"], INDEX["metal"], INDEX["plaster"]
_WALL_TILE = {"plaster": 4.0, "brick": 1.9, "stone": 3.0, "concrete": 3.0, "wood": 2.0}
_BELOW_GROUND = 1.5


def building(rng: np.random.Generator, width: float, depth: float, storeys: int, shops: bool) -> Mesh:
    """A random house.

    :param width: metres along the street
    :param depth: metres away from the street
    :param shops: shop windows instead of flats on the ground floor
    """
    kind = rng.choice(list(_WALL_TILE), p=[0.55, 0.2, 0.12, 0.08, 0.05])
    material, tile = INDEX[kind], _WALL_TILE[kind]
    colour = _wall_colour(rng, kind)
    trim = (
        np.clip(colour * rng.uniform(0.6, 1.5), 0.05, 0.9)
        if rng.random() < 0.5
        else np.array([0.7, 0.68, 0.64])
    )
    ground_floor = rng.uniform(3.4, 4.2) if shops else rng.uniform(2.8, 3.4)
    heights = np.array([ground_floor] + [rng.uniform(2.7, 3.3)] * (storeys - 1))
    eaves = float(heights.sum())
    parts = [_facade(rng, width, heights, material, tile, colour, trim, shops)]
    walls = quads(
        np.array([[width, 0, -_BELOW_GROUND], [width, depth, -_BELOW_GROUND], [0, depth, -_BELOW_GROUND]]),
        np.array([[0, depth, 0], [-width, 0, 0], [0, -depth, 0]]),
        (0, 0, eaves + _BELOW_GROUND),
        material, colour, tile,
    )  # fmt: skip
    parts.append(walls)
    parts += _side_windows(rng, width, depth, heights)
    parts += _roof(rng, width, depth, eaves, material, tile, colour)
    if rng.random() < 0.5:
        x = rng.choice([0.15, width - 0.15])
        parts.append(cylinder((x, -0.08, 0), (x, -0.08, eaves), 0.05, _METAL, (0.3, 0.3, 0.3), sections=6))
    return merge(parts)


def _wall_colour(rng: np.random.Generator, kind: str) -> np.ndarray:
    if kind in ("brick", "wood", "stone"):
        return rng.uniform(0.6, 1.15) * rng.uniform([0.9, 0.85, 0.8], [1.0, 1.05, 1.1])
    palette = np.array(
        [(0.75, 0.72, 0.64), (0.72, 0.6, 0.36), (0.7, 0.45, 0.3), (0.62, 0.64, 0.62), (0.5, 0.55, 0.45),
         (0.65, 0.42, 0.36), (0.45, 0.5, 0.58), (0.8, 0.79, 0.76), (0.5, 0.46, 0.4), (0.35, 0.34, 0.33)]
    )  # fmt: skip
    return palette[rng.integers(len(palette))] * rng.uniform(0.7, 1.1)


def _facade(
    rng: np.random.Generator, width: float, heights: np.ndarray, material: int, tile: float,
    colour: np.ndarray, trim: np.ndarray, shops: bool,
) -> Mesh:  # fmt: skip
    """Front wall: a grid of bays, each with an opening set back from the wall."""
    columns = max(2, round(width / rng.uniform(2.3, 3.4)))
    bay = width / columns
    share = rng.uniform(0.36, 0.55)
    sill_height, window_height = rng.uniform(0.75, 1.0), rng.uniform(1.3, 1.75)
    recess = rng.uniform(0.08, 0.25)
    styles = rng.choice(8, 3, replace=False)
    door_colour = rng.uniform(0.05, 0.6) * rng.uniform(0.4, 1.0, 3)
    door_column = int(rng.integers(columns))
    floor = np.concatenate([[0.0], np.cumsum(heights)[:-1]])

    left, bottom, w, h, kinds = [], [], [], [], []
    for storey, (base, height) in enumerate(zip(floor, heights, strict=True)):
        for column in range(columns):
            ground = storey == 0
            if ground and column == door_column:
                opening = (0.5 - 0.55 / bay, 0.05, 1.1, 2.2, INDEX[f"door_{rng.integers(3)}"])
            elif ground and shops:
                opening = (0.06, 0.3, 0.88 * bay, height - 0.7, INDEX[f"shop_{rng.integers(8)}"])
            else:
                style = styles[rng.integers(3)]
                opening = (
                    0.5 - share / 2,
                    sill_height,
                    share * bay,
                    min(window_height, height - sill_height - 0.3),
                    INDEX[f"window_{style}"],
                )
            left.append((column + opening[0]) * bay)
            bottom.append(base + opening[1])
            w.append(opening[2])
            h.append(opening[3])
            kinds.append(opening[4])
    left, bottom, w, h, kinds = (np.array(values) for values in (left, bottom, w, h, kinds))
    cell_left = np.tile(np.arange(columns) * bay, len(heights))
    cell_bottom = np.repeat(floor, columns)
    cell_height = np.repeat(heights, columns)

    def rectangle(x, z, wide, tall, y=0.0):
        zero = np.zeros(len(left))
        return (
            np.stack([x + zero, y + zero, z + zero], axis=1),
            np.stack([wide + zero, zero, zero], axis=1),
            np.stack([zero, zero, tall + zero], axis=1),
        )

    wall = [
        rectangle(cell_left, cell_bottom, left - cell_left, cell_height),
        rectangle(left + w, cell_bottom, cell_left + bay - left - w, cell_height),
        rectangle(left, cell_bottom, w, bottom - cell_bottom),
        rectangle(left, bottom + h, w, cell_bottom + cell_height - bottom - h),
    ]
    parts = [quads(*r, material, colour, tile) for r in wall]
    origin, across, up = rectangle(left, bottom, w, h)
    inward = np.array([0, recess, 0])
    reveal = trim * 0.9
    parts.append(quads(origin, up, inward, _PLASTER, reveal, 2.0))
    parts.append(quads(origin + across, inward, up, _PLASTER, reveal, 2.0))
    parts.append(quads(origin, inward, across, _PLASTER, reveal, 2.0))
    parts.append(quads(origin + up, across, inward, _PLASTER, reveal, 2.0))
    for kind in np.unique(kinds):
        chosen = kinds == kind
        shade = door_colour if NAMES[kind].startswith("door") else (1.0, 1.0, 1.0)
        parts.append(quads(origin[chosen] + inward, across[chosen], up[chosen], int(kind), shade, tile=None))
    upper = np.arange(len(left)) >= columns
    if rng.random() < 0.7:
        parts.append(boxes(np.stack([left + w / 2, np.full(len(left), -0.05), bottom - 0.04], 1)[upper],
                           np.stack([w + 0.2, np.full(len(left), 0.2), np.full(len(left), 0.08)], 1)[upper], _CONCRETE, trim))  # fmt: skip
    if rng.random() < 0.35:
        frame = np.stack([left + w / 2, np.full(len(left), -0.02), bottom + h + 0.1], 1)[upper]
        parts.append(
            boxes(
                frame,
                np.stack([w + 0.3, np.full(len(left), 0.1), np.full(len(left), 0.18)], 1)[upper],
                _PLASTER,
                trim,
            )
        )
    if rng.random() < 0.3 and len(heights) > 2:
        chosen = np.flatnonzero(upper & (rng.random(len(left)) < 0.3))
        for k in chosen:
            parts += _balcony(left[k] + w[k] / 2, bottom[k] - 0.6, min(bay * 0.9, w[k] + 1.0), trim)
    parts.append(
        boxes((width / 2, -0.02, -0.5), (width, 0.1, 1.0 + 2 * rng.uniform(0.15, 0.4)), _CONCRETE, trim * 0.6)
    )
    if len(heights) > 1 and rng.random() < 0.6:
        parts.append(boxes((width / 2, -0.06, heights[0]), (width, 0.16, 0.22), _CONCRETE, trim))
    parts.append(boxes((width / 2, -0.12, heights.sum() - 0.12), (width, 0.3, 0.24), _CONCRETE, trim))
    return merge(parts)


def _balcony(x: float, z: float, width: float, tint: np.ndarray) -> list[Mesh]:
    posts = np.linspace(-width / 2, width / 2, 9)
    rail = np.stack([x + posts, np.full(9, -0.95), np.full(9, z + 0.55)], axis=1)
    dark = (0.05, 0.05, 0.05)
    return [
        boxes((x, -0.5, z), (width, 1.0, 0.14), _CONCRETE, tint),
        boxes(rail, (0.03, 0.03, 1.0), _METAL, dark),
        boxes((x, -0.95, z + 1.05), (width, 0.05, 0.05), _METAL, dark),
    ]


def _side_windows(rng: np.random.Generator, width: float, depth: float, heights: np.ndarray) -> list[Mesh]:
    floor = np.concatenate([[0.0], np.cumsum(heights)[:-1]])
    places = [
        (y, z)
        for y in np.arange(1.5, depth - 2.0, rng.uniform(2.6, 4.5))
        for z in floor
        if rng.random() < 0.7
    ]
    if not places:
        return []
    y, z = np.array(places).T
    material = INDEX[f"window_{rng.integers(8)}"]
    return [
        quads(
            np.stack([np.full(len(y), width + 0.02), y, z + 0.9], 1),
            (0, 1.1, 0),
            (0, 0, 1.4),
            material,
            tile=None,
        ),
        quads(
            np.stack([np.full(len(y), -0.02), y + 1.1, z + 0.9], 1),
            (0, -1.1, 0),
            (0, 0, 1.4),
            material,
            tile=None,
        ),
    ]


def _roof(
    rng: np.random.Generator, width: float, depth: float, eaves: float, material: int, tile: float, colour: np.ndarray
) -> list[Mesh]:  # fmt: skip
    shade = np.array([(0.55, 0.22, 0.14), (0.4, 0.2, 0.15), (0.14, 0.14, 0.15), (0.3, 0.27, 0.24)])[
        rng.integers(4)
    ]
    roof = INDEX["roof"]
    if rng.random() < 0.25:
        parapet = rng.uniform(0.3, 0.9)
        return [
            quads((0, 0, eaves), (width, 0, 0), (0, depth, 0), INDEX["gravel"], tile=2.0),
            boxes((width / 2, 0.12, eaves + parapet / 2), (width, 0.24, parapet), material, colour, tile),
        ]
    over, rise = 0.35, (depth / 2 + 0.35) * np.tan(np.radians(rng.uniform(28, 50)))
    low = eaves - 0.1
    front = np.array([-over / 2, -over, low])
    back = np.array([width + over / 2, depth + over, low])
    slope = np.array([0, depth / 2 + over, rise])
    parts = [
        quads(front, (width + over, 0, 0), slope, roof, shade, 2.4),
        quads(back, (-width - over, 0, 0), slope * (1, -1, 1), roof, shade, 2.4),
    ]
    ridge = low + rise
    for x, order in ((width, [0, 1, 2]), (0.0, [1, 0, 2])):
        gable = np.array([(x, 0, low), (x, depth, low), (x, depth / 2, ridge - 0.3)])
        parts.append(surface(gable, np.array([order]), material, colour, tile))
    if rng.random() < 0.6:
        for x in np.arange(rng.uniform(1.5, 3), width - 1.5, rng.uniform(3, 5)):
            base = front + slope * 0.3
            face = np.array([x, base[1], base[2] - 0.1])
            parts.append(boxes(face + (0, 0.9, 0.75), (1.3, 1.8, 1.5), _PLASTER, colour))
            parts.append(
                quads(face + (-0.45, -0.01, 0.25), (0.9, 0, 0), (0, 0, 1.1), INDEX["window_1"], tile=None)
            )
    for _ in range(rng.integers(0, 3)):
        x = rng.uniform(0.5, width - 0.5)
        parts.append(boxes((x, depth * 0.55, ridge), (0.6, 0.6, 1.8), INDEX["brick"], (0.8, 0.8, 0.8)))
    return parts
