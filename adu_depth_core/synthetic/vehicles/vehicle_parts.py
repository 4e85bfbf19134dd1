"""Parts that cars, vans and buses share: glass, wheels, lamps, plates, trim.

Object frame: origin on the ground under the middle, x forward, y left, z up; metres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, cylinder, merge, quads, surface
from adu_depth_core.synthetic.surfaces.materials import INDEX

PAINT = INDEX["car_paint"]
_GLASS, _RUBBER, _METAL = INDEX["car_glass"], INDEX["rubber"], INDEX["metal"]
_DARK_GLASS, _BLACK = (0.02, 0.024, 0.028), (0.013, 0.013, 0.014)
Vector = Sequence[float] | np.ndarray


def glass(origin: Vector, edge_u: Vector, edge_v: Vector) -> Mesh:
    """Dark panes, see ``quads``."""
    return quads(origin, edge_u, edge_v, _GLASS, _DARK_GLASS)


def trim(centre: Vector, size: Vector) -> Mesh:
    """Black plastic: bumpers, sills, seams."""
    return boxes(centre, size, _RUBBER, _BLACK)


def head_lamp(centre: Vector, size: Vector) -> Mesh:
    """Unlit lamp glass."""
    return boxes(centre, size, _METAL, (0.75, 0.78, 0.8))


def tail_lamp(centre: Vector, size: Vector) -> Mesh:
    """Red lamp glass."""
    return boxes(centre, size, _METAL, (0.45, 0.02, 0.02))


def handle(centre: Vector) -> Mesh:
    """Door handle."""
    return boxes(centre, (0.16, 0.03, 0.03), _METAL, (0.4, 0.4, 0.4))


def plate(x: float, z: float, forward: bool) -> Mesh:
    """Number plate whose lower edge is at height ``z``."""
    side = 1.0 if forward else -1.0
    return quads((x, -side * 0.26, z), (0, side * 0.52, 0), (0, 0, 0.11), INDEX["number_plate"], tile=None)


def shade_below(length: float, width: float) -> Mesh:
    """The dark ground under a vehicle, where no sky light reaches."""
    long, wide = 0.9 * length, 0.86 * width
    shade = quads((-long / 2, -wide / 2, 0.016), (long, 0, 0), (0, wide, 0), _RUBBER, _BLACK)
    return shade.labelled(PixelClass.GROUND)


def panel(
    corners: np.ndarray, inset: tuple[float, float, float, float], pane: bool, lift: float = 0.004
) -> Mesh:
    """Part of a four-sided face: a pane of glass, or painted metal.

    :param corners: ``(4, 3)`` counter-clockwise seen from outside, the two lower ones first
    :param inset: start and end across, start and end up, as shares of the face
    :param lift: distance from the face, metres
    """
    a, b, c, d = np.asarray(corners, float)
    u0, u1, v0, v1 = inset
    places = ((u0, v0), (u1, v0), (u1, v1), (u0, v1))
    points = np.array([(a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v for u, v in places])
    normal = np.cross(b - a, d - a)
    points += lift * normal / np.linalg.norm(normal)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return surface(points, faces, _GLASS, _DARK_GLASS) if pane else surface(points, faces, PAINT)


def wheels(axles: Sequence[float], half_width: float, radius: float) -> Mesh:
    """Four wheels in dark wheel arches.

    :param axles: positions of the axles along x
    """
    parts = []
    for x in axles:
        for side in (1, -1):
            outer, arch = side * (half_width + 0.008), side * (half_width + 0.004)
            tyre = (x, outer - side * 0.2, radius), (x, outer, radius)
            parts.append(cylinder(*tyre, radius, _RUBBER, (0.02, 0.02, 0.022), sections=16))
            well = (x, arch - side * 0.1, radius + 0.02), (x, arch, radius + 0.02)
            parts.append(cylinder(*well, 1.2 * radius, _RUBBER, (0.01, 0.01, 0.01), sections=16))
            size = 1.36 * radius
            corner = (x + side * size / 2, outer + side * 0.004, radius - size / 2)
            parts.append(quads(corner, (-side * size, 0, 0), (0, 0, size), INDEX["wheel"], tile=None))
    return merge(parts)
