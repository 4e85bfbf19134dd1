"""Passenger cars: a lofted body with rounded edges, a glazed cabin, wheels, lamps, plates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, loft, merge, quads
from adu_depth_core.synthetic.surfaces.materials import INDEX
from adu_depth_core.synthetic.vehicles.vehicle_parts import (
    PAINT,
    handle,
    head_lamp,
    panel,
    plate,
    shade_below,
    tail_lamp,
    trim,
    wheels,
)


@dataclass(frozen=True)
class CarShape:
    """Side view of a car; lengths in metres, positions along it as a share of its length from the rear.

    :param belt: height where the windows start
    :param bonnet: height of the bonnet at the front edge
    :param boot: height of the body behind the cabin
    :param cabin: rear foot, rear and front end of the roof, front foot of the cabin
    :param wheel: radius of the wheels
    """

    length: float
    width: float
    height: float
    belt: float
    bonnet: float
    boot: float
    cabin: tuple[float, float, float, float]
    wheel: float = 0.32
    axles: tuple[float, float] = (0.19, 0.80)

    def along(self, share: float) -> float:
        """x of a position along the car."""
        return (share - 0.5) * self.length

    @property
    def floor(self) -> float:
        """Height of the body's underside."""
        return 0.62 * self.wheel


SHAPES = {
    "hatchback": CarShape(4.0, 1.72, 1.47, 0.92, 0.72, 0.95, (0.02, 0.10, 0.55, 0.74)),
    "saloon": CarShape(4.7, 1.82, 1.44, 0.93, 0.70, 0.98, (0.14, 0.30, 0.55, 0.72)),
    "estate": CarShape(4.7, 1.80, 1.50, 0.94, 0.72, 0.95, (0.01, 0.08, 0.57, 0.73)),
    "suv": CarShape(4.5, 1.88, 1.70, 1.08, 0.92, 1.08, (0.02, 0.09, 0.55, 0.72), wheel=0.37),
    "small": CarShape(3.5, 1.62, 1.50, 0.92, 0.74, 0.92, (0.01, 0.09, 0.58, 0.80), wheel=0.29),
    "mpv": CarShape(4.5, 1.80, 1.68, 1.00, 0.82, 1.00, (0.01, 0.06, 0.60, 0.84)),
    "coupe": CarShape(4.3, 1.80, 1.32, 0.86, 0.64, 0.92, (0.08, 0.30, 0.48, 0.68)),
}


@lru_cache(maxsize=len(SHAPES))
def car(shape: CarShape) -> Mesh:
    """Car of white paint; colour it by ``mesh.tinted(PAINT, colour)``."""
    axles = [shape.along(share) for share in shape.axles]
    turning = wheels(axles, shape.width / 2, shape.wheel)
    return merge(
        [_body(shape), _cabin(shape), turning, *_details(shape), shade_below(shape.length, shape.width)]
    )


def _body(shape: CarShape) -> Mesh:
    """Lower body up to the belt line, rounded at nose, tail and shoulders."""
    low, (rear, _, _, front) = shape.floor, shape.cabin
    sloping = 0.45 * shape.belt + 0.55 * shape.bonnet + 0.03
    stations = (  # position, share of the width, bottom, top
        (0.000, 0.80, low + 0.18, shape.boot - 0.22),
        (0.008, 0.90, low + 0.08, shape.boot - 0.06),
        (0.030, 0.96, low, shape.boot),
        (max(rear, 0.06), 0.99, low, shape.belt + 0.01),
        (0.35, 1.00, low, shape.belt),
        (0.60, 1.00, low, shape.belt),
        (front, 0.99, low, shape.belt - 0.01),
        (0.5 * front + 0.49, 0.97, low, sloping),
        (0.965, 0.93, low, shape.bonnet),
        (0.990, 0.87, low + 0.05, shape.bonnet - 0.10),
        (1.000, 0.76, low + 0.16, shape.bonnet - 0.26),
    )
    across = np.array([0.0, 0.90, 0.97, 1.0, 0.99, 0.95, 0.86, 0.45, 0.0])
    up = np.array([0.0, 0.0, 0.12, 0.45, 0.75, 0.92, 1.0, 1.02, 1.03])
    across, up = np.concatenate([across, -across[-2:0:-1]]), np.concatenate([up, up[-2:0:-1]])
    sections = [
        np.stack(
            [np.full(len(up), shape.along(x)), across * wide * shape.width / 2, bottom + up * (top - bottom)],
            1,
        )
        for x, wide, bottom, top in stations
    ]
    return loft(np.array(sections), PAINT, closed=True)


def _cabin(shape: CarShape) -> Mesh:
    """Roof, pillars and windows."""
    x = [shape.along(share) for share in shape.cabin]
    foot, roof = 0.93 * shape.width / 2, 0.74 * shape.width / 2
    low, shoulder = shape.belt - 0.02, shape.height - 0.05

    def rim(side: int) -> list[tuple[float, float, float]]:
        lower = [(x[0], side * foot, low), (x[3], side * foot, low)]
        return [*lower, (x[2], side * roof, shoulder), (x[1], side * roof, shoulder)]

    left, right = rim(1), rim(-1)
    sides = (right, [left[1], left[0], left[3], left[2]])
    ends = ([right[1], left[1], left[2], right[2]], [left[0], right[0], right[3], left[3]])
    parts = [panel(face, (0, 1, 0, 1), pane=False, lift=0.0) for face in (*sides, *ends)]
    parts += [panel(face, (0.06, 0.94, 0.08, 0.93), pane=True) for face in ends]
    windows = ((0.07, 0.30), (0.33, 0.60), (0.63, 0.93))
    parts += [panel(face, (start, end, 0.10, 0.90), pane=True) for face in sides for start, end in windows]
    sections = []
    for share, drop in ((0.0, 0.035), (0.3, 0.012), (0.7, 0.012), (1.0, 0.035)):
        at, high = x[1] + share * (x[2] - x[1]), shape.height
        ridge = [(at, 0.9 * roof, high - drop), (at, 0.0, high), (at, -0.9 * roof, high - drop)]
        sections.append([(at, roof, shoulder), *ridge, (at, -roof, shoulder)])
    parts.append(loft(np.array(sections), PAINT))
    return merge(parts)


def _details(shape: CarShape) -> list[Mesh]:
    """Lamps, plates, grille, bumpers, mirrors, door seams and handles."""
    nose, tail, half, low = shape.length / 2, -shape.length / 2, shape.width / 2, shape.floor
    front_door = (shape.along(shape.cabin[2]) + shape.along(shape.cabin[3])) / 2
    seams = [
        s for s in (front_door, front_door - 1.05, front_door - 1.95) if s > shape.along(shape.axles[0]) + 0.2
    ]
    seam_height = shape.belt - low - 0.2
    parts = [
        trim((nose - 0.03, 0, low + 0.12), (0.12, 1.3 * half, 0.12)),
        trim((tail + 0.05, 0, low + 0.12), (0.12, 1.5 * half, 0.14)),
        quads(
            (nose + 0.006, -0.32, shape.bonnet - 0.3), (0, 0.64, 0), (0, 0, 0.18), INDEX["grille"], tile=None
        ),
        plate(nose + 0.035, low + 0.08, forward=True),
        plate(tail - 0.015, low + 0.22, forward=False),
    ]
    for side in (1, -1):
        parts += [
            head_lamp((nose - 0.10, side * 0.70 * half, shape.bonnet - 0.13), (0.2, 0.26, 0.15)),
            tail_lamp((tail + 0.07, side * 0.74 * half, shape.boot - 0.22), (0.16, 0.2, 0.26)),
            boxes(
                (shape.along(shape.cabin[3]) - 0.35, side * (half + 0.08), shape.belt + 0.06),
                (0.12, 0.18, 0.13),
                PAINT,
            ),
            trim((0, side * half * 0.985, low + 0.06), (0.42 * shape.length, 0.04, 0.1)),
        ]
        for seam in seams:
            parts.append(
                trim((seam, side * half * 0.995, low + 0.12 + seam_height / 2), (0.015, 0.02, seam_height))
            )
            parts.append(handle((seam - 0.85, side * half, shape.belt - 0.14)))
    return parts
