"""Street furniture: lamps, signs, signals, bollards, bins, shelters, benches.

Object frame: origin on the ground, x along the road in the direction of travel, y left.
"""

from __future__ import annotations

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, cylinder, merge, quads, surface
from adu_depth_core.synthetic.surfaces.materials import INDEX

_METAL, _CONCRETE = INDEX["metal"], INDEX["concrete"]
_STEEL = (0.35, 0.36, 0.37)
_BIN_COLOURS = ((0.03, 0.03, 0.035), (0.02, 0.09, 0.3), (0.4, 0.3, 0.02), (0.05, 0.16, 0.06))
_SIGNALS = (
    (1.6, 0.1, 0.05),
    (1.5, 0.8, 0.05),
    (0.1, 1.4, 0.5),
)  # above 1, because a lit lamp emits light


def street_lamp(height: float, reach: float) -> Mesh:
    """Lamp post whose arm reaches ``reach`` metres to +y."""
    return merge(
        [
            cylinder((0, 0, -0.2), (0, 0, height), 0.10, _METAL, _STEEL, top_radius=0.05),
            cylinder((0, 0, 0), (0, 0, 1.2), 0.12, _METAL, _STEEL),
            cylinder((0, 0, height), (0, reach, height + 0.25), 0.04, _METAL, _STEEL, sections=6),
            boxes((0, reach, height + 0.22), (0.3, 0.75, 0.14), _METAL, (0.5, 0.5, 0.5)),
        ]
    ).labelled(PixelClass.POLE)


def mast(height: float, radius: float, material: int) -> Mesh:
    """Mast of wood or concrete."""
    bar = cylinder((0, 0, -0.3), (0, 0, height), radius, material, top_radius=0.7 * radius)
    return bar.labelled(PixelClass.POLE)


_PLATES = {
    "speed_limit": "round",
    "no_parking": "round",
    "arrow": "round",
    "warning": "triangle",
    "direction": "square",
}


def traffic_sign(rng: np.random.Generator) -> Mesh:
    """Sign on a post, its face to oncoming traffic (-x)."""
    name = rng.choice(list(_PLATES))
    height, size = rng.uniform(2.0, 2.6), rng.uniform(0.6, 0.8)
    grey = (0.4, 0.4, 0.4)
    parts = [cylinder((0, 0, -0.2), (0, 0, height + size / 2), 0.035, _METAL, grey, sections=8)]
    parts.append(_plate(_PLATES[name], INDEX[name], np.array([-0.05, 0, height]), size))
    if rng.random() < 0.3:
        second = rng.choice(list(_PLATES))
        parts.append(_plate(_PLATES[second], INDEX[second], np.array([-0.05, 0, height - size - 0.05]), size))
    return merge(parts).labelled(PixelClass.POLE)


def _plate(shape: str, material: int, centre: np.ndarray, size: float) -> Mesh:
    """Thin plate that shows the texture towards -x and grey metal towards +x."""
    corners = {"round": 20, "triangle": 3, "square": 4}[shape]
    angle = np.arange(corners) * 2 * np.pi / corners + (np.pi / 4 if shape == "square" else np.pi / 2)
    radius = {"round": 0.5, "triangle": 0.58, "square": np.sqrt(0.5)}[shape]
    across, up = radius * np.cos(angle), radius * np.sin(angle)
    if shape == "triangle":
        up = up + 0.08
    ring = centre + size * np.stack([np.zeros(corners), across, up], axis=1)
    # Seen from -x the left of the picture is at +y.
    uv = np.stack([0.5 - across, 0.5 - up], axis=1)
    fan = np.stack([np.zeros(corners - 2, int), np.arange(2, corners), np.arange(1, corners - 1)], axis=1)
    front = surface(ring, fan, material, uv=uv * 0.98 + 0.01)
    back = surface(ring + np.array([0.012, 0, 0]), fan[:, ::-1], _METAL, (0.45, 0.45, 0.45))
    return merge([front, back]).labelled(PixelClass.SIGN)


def traffic_light(rng: np.random.Generator, reach: float) -> Mesh:
    """Signal on a mast; with ``reach`` > 0 a second head hangs from an arm over the road (+y)."""
    parts = [cylinder((0, 0, -0.2), (0, 0, 5.6 if reach else 3.2), 0.08, _METAL, _STEEL)]
    spots = [(0.0, 2.7)]
    if reach:
        parts.append(cylinder((0, 0, 5.5), (0, reach, 5.6), 0.06, _METAL, _STEEL, sections=8))
        spots.append((reach, 5.1))
    lit = int(rng.integers(3))
    for y, z in spots:
        head = [boxes((-0.12, y, z), (0.22, 0.32, 0.95), _METAL, (0.02, 0.025, 0.02))]
        for k, colour in enumerate(_SIGNALS):
            glow = colour if k == lit else tuple(0.06 * c for c in colour)
            height = z + 0.3 * (1 - k)
            head.append(cylinder((-0.25, y, height), (-0.23, y, height), 0.1, INDEX["matt"], glow))
        parts.append(merge(head).labelled(PixelClass.SIGN))
    return merge(parts).labelled(PixelClass.POLE)


def bollard(rng: np.random.Generator) -> Mesh:
    """Post that keeps cars off the pavement, of steel with a red band or of concrete."""
    if rng.random() < 0.5:
        post = cylinder((0, 0, 0), (0, 0, 0.8), 0.13, _CONCRETE, top_radius=0.1)
        return post.labelled(PixelClass.POLE)
    return merge(
        [
            cylinder((0, 0, 0), (0, 0, 0.95), 0.06, _METAL, (0.75, 0.75, 0.75)),
            cylinder((0, 0, 0.65), (0, 0, 0.85), 0.063, _METAL, (0.5, 0.03, 0.03)),
        ]
    ).labelled(PixelClass.POLE)


def cone() -> Mesh:
    """Traffic cone with a white band."""
    plastic, orange = INDEX["matt"], (0.8, 0.12, 0.02)
    return merge(
        [
            boxes((0, 0, 0.02), (0.36, 0.36, 0.04), plastic, orange),
            cylinder((0, 0, 0.04), (0, 0, 0.75), 0.14, plastic, orange, top_radius=0.03),
            cylinder((0, 0, 0.35), (0, 0, 0.5), 0.095, plastic, (0.75, 0.75, 0.75), top_radius=0.072),
        ]
    )


def bin_or_cabinet(rng: np.random.Generator) -> Mesh:
    """Wheelie bin, or grey box for cables."""
    if rng.random() < 0.5:
        return boxes((0, 0, 0.6), (0.9, 0.35, 1.2), _CONCRETE, (0.8, 0.82, 0.78))
    plastic, colour = INDEX["matt"], _BIN_COLOURS[rng.integers(len(_BIN_COLOURS))]
    centres, sizes = [(0, 0, 0.5), (0, 0, 1.04)], [(0.6, 0.6, 1.0), (0.66, 0.66, 0.08)]
    return boxes(centres, sizes, plastic, colour)


def billboard(rng: np.random.Generator) -> Mesh:
    """Advertisement on two legs, facing -x."""
    poster = INDEX[f"poster_{rng.integers(5)}"]
    width, height = rng.uniform(2.2, 3.8), rng.uniform(1.6, 2.6)
    return merge(
        [
            boxes([(0, -width / 3, 0.6), (0, width / 3, 0.6)], (0.1, 0.1, 1.2), _METAL, _STEEL),
            boxes((0, 0, 1.2 + height / 2), (0.12, width, height), _METAL, _STEEL),
            quads(
                (-0.07, width / 2 - 0.08, 1.28),
                (0, 0.16 - width, 0),
                (0, 0, height - 0.16),
                poster,
                tile=None,
            ),
        ]
    ).labelled(PixelClass.SIGN)


def bus_shelter(rng: np.random.Generator) -> Mesh:
    """Shelter with glass walls, open towards +y."""
    glass, length = INDEX["car_glass"], 4.0
    x = np.array([-length / 2, length / 2])
    posts = [(a, y, 1.2) for a in x for y in (-1.3, 0.0)]
    tint = (0.06, 0.08, 0.08)
    return merge(
        [
            boxes(posts, (0.08, 0.08, 2.4), _METAL, _STEEL),
            boxes((0, -0.65, 2.45), (length + 0.3, 1.7, 0.12), _METAL, (0.3, 0.3, 0.3)),
            boxes([(-1, -1.3, 1.25), (1, -1.3, 1.25)], (1.9, 0.02, 2.0), glass, tint),
            boxes((length / 2, -0.65, 1.25), (0.06, 1.2, 2.0), INDEX[f"poster_{rng.integers(5)}"], tile=2.0),
            boxes((0, -1.0, 0.45), (2.4, 0.4, 0.06), INDEX["wood"]),
        ]
    )


def bench(_: np.random.Generator) -> Mesh:
    """Bench whose seat looks to +y."""
    wood = INDEX["wood"]
    return merge(
        [
            boxes((0, 0, 0.45), (1.8, 0.45, 0.06), wood),
            boxes((0, -0.22, 0.75), (1.8, 0.05, 0.35), wood),
            boxes([(-0.75, 0, 0.22), (0.75, 0, 0.22)], (0.08, 0.42, 0.44), _METAL, (0.05, 0.05, 0.05)),
        ]
    )
