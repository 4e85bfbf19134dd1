"""Vans, buses and lorries."""

from __future__ import annotations

import numpy as np

from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, loft, merge, quads
from adu_depth_core.synthetic.surfaces.materials import INDEX
from adu_depth_core.synthetic.vehicles.vehicle_parts import (
    PAINT,
    glass,
    head_lamp,
    panel,
    plate,
    shade_below,
    tail_lamp,
    trim,
    wheels,
)


def van(length: float, height: float, poster: int | None) -> Mesh:
    """Delivery van: a tall box behind a short bonnet, of white paint.

    :param poster: material index of a picture on its sides, or None
    """
    half, low, rear = 1.0, 0.35, -length / 2

    def along(share: float) -> float:
        return (share - 0.5) * length

    lower = [(0, low), (0.98, low), (1.0, low + 0.15), (1.0, 0.85), (0.93, 1.12)]
    upper = [(0.80, height - 0.06), (0.77, height), (0.02, height), (0.0, height - 0.1)]
    share, up = np.array(lower + upper).T
    lean = half * (1 - 0.1 * np.clip((up - 1.1) / (height - 1.1), 0, 1))
    sides = [np.stack([along(share), side * lean, up], axis=1) for side in (-1, 1)]
    bonnet, brow = np.array([along(0.93), 0, 1.12]), np.array([along(0.80), 0, height - 0.06])
    wide = np.array([0, 0.88, 0])
    windscreen = np.array([bonnet - wide, bonnet + wide, brow + 0.93 * wide, brow - 0.93 * wide])
    parts = [
        loft(np.array(sides), PAINT, closed=True, smooth=False),
        wheels([along(0.18), along(0.83)], half, 0.36),
        shade_below(length, 2 * half),
        panel(windscreen, (0.04, 0.96, 0.06, 0.8), pane=True, lift=0.012),
        trim((rear - 0.004, 0, 0.56), (0.01, 1.2, 0.12)),
        trim((rear - 0.005, 0, height / 2 + 0.1), (0.01, 0.02, height - 0.8)),
        plate(rear - 0.012, 0.7, forward=False),
        glass([(rear - 0.006, 0.8, 1.35), (rear - 0.006, -0.1, 1.35)], (0, -0.7, 0), (0, 0, 0.5)),
    ]
    for side in (1, -1):
        outline = [(0.70, 1.15), (0.90, 1.15), (0.80, 1.75), (0.70, 1.75)]
        window = np.array([(along(u), side * (1.004 - 0.055 * (z - 1.1)), z) for u, z in outline])
        parts += [
            panel(
                window if side < 0 else window[[1, 0, 3, 2]], (0.05, 0.95, 0.05, 0.95), pane=True, lift=0.01
            ),
            trim((along(0.9), side * 1.1, 1.3), (0.12, 0.2, 0.3)),
            trim((0, side * half, 0.5), (0.5 * length, 0.04, 0.12)),
            head_lamp((length / 2 - 0.06, side * 0.75, 0.78), (0.16, 0.3, 0.2)),
            tail_lamp((rear + 0.03, side * 0.9, 1.1), (0.1, 0.14, 0.5)),
        ]
        if poster is not None:
            start = (-0.44 * length if side < 0 else 0.16 * length, side * 1.006, 0.75)
            parts.append(
                quads(start, (-side * 0.6 * length, 0, 0), (0, -side * 0.06, 0.9), poster, tile=None)
            )
    return merge(parts)


def bus(length: float) -> Mesh:
    """City bus of white paint, with a band of windows, and doors on the right."""
    half, low, high = 1.27, 0.32, 3.0
    front, rear = length / 2, -length / 2
    parts = [
        boxes((0, 0, (low + high) / 2), (length, 2 * half, high - low), PAINT),
        boxes((0, 0, high + 0.12), (0.5 * length, 1.8, 0.24), PAINT),
        wheels([-0.25 * length, 0.28 * length], half, 0.48),
        shade_below(length, 2 * half),
        glass((front + 0.004, -1.15, 1.1), (0, 2.3, 0), (0, 0, 1.35)),
        glass((rear - 0.004, 1.0, 1.6), (0, -2.0, 0), (0, 0, 0.9)),
        quads((front + 0.006, -0.8, 2.55), (0, 1.6, 0), (0, 0, 0.32), INDEX["direction"], tile=None),
        plate(rear - 0.006, 0.6, forward=False),
        trim((0, 0, low + 0.06), (length + 0.02, 2 * half + 0.02, 0.12)),
        glass(
            [(-0.1 * length, -half - 0.008, 0.4), (0.38 * length, -half - 0.008, 0.4)],
            (1.2, 0, 0),
            (0, 0, 2.1),
        ),
    ]
    for side in (1, -1):
        x = np.arange(rear + (0.35 if side > 0 else 1.65), front - 1.3, 1.45)
        columns = np.stack([x, np.full(len(x), side * (half + 0.004)), np.full(len(x), 1.25)], axis=1)
        parts += [
            glass(columns, (1.3, 0, 0), (0, 0, 1.25)),
            head_lamp((front, side * 0.95, 0.75), (0.06, 0.35, 0.22)),
            tail_lamp((rear, side * 1.05, 1.0), (0.06, 0.22, 0.5)),
        ]
    return merge(parts)


def lorry(length: float, height: float, load: tuple[float, float, float], poster: int | None) -> Mesh:
    """Lorry: a cab of white paint, and behind it a box up to ``height``, of which one sees the underside.

    :param load: colour of the box, linear RGB
    :param poster: material index of a picture on its sides, or None
    """
    half, floor, cab = 1.22, 1.1, 2.2
    front, rear = length / 2, -length / 2
    middle, high = (rear + front - cab - 0.3) / 2, (height - floor) / 2
    parts = [
        boxes((middle, 0, floor + high), (length - cab - 0.3, 2 * half, 2 * high), INDEX["matt"], load),
        boxes((front - cab / 2, 0, 1.65), (cab, 2.3, 2.3), PAINT),
        trim((-0.2, 0, 0.85), (length - 0.8, 1.0, 0.3)),
        trim((front - 0.02, 0, 0.65), (0.12, 2.3, 0.4)),
        trim((rear + 0.06, 0, 0.6), (0.1, 2.2, 0.14)),
        glass((front + 0.004, -1.05, 1.75), (0, 2.1, 0), (0, 0, 0.85)),
        wheels([rear + 1.0, rear + 2.1, front - 1.3], 1.2, 0.5),
        shade_below(length, 2 * half),
        plate(rear, 0.75, forward=False),
    ]
    for side in (1, -1):
        start = (front - cab + 0.9 if side < 0 else front - 0.1, side * 1.154, 1.7)
        parts += [
            glass(start, (-side * (cab - 1.0), 0, 0), (0, 0, 0.8)),
            trim((front - 0.1, side * 1.3, 2.1), (0.12, 0.2, 0.6)),
            head_lamp((front, side * 0.85, 0.95), (0.06, 0.35, 0.2)),
            tail_lamp((rear + 0.02, side * 0.95, 0.8), (0.08, 0.35, 0.14)),
        ]
        if poster is not None:
            corner = (rear + 0.5 if side < 0 else middle + 1.5, side * (half + 0.006), floor + 0.3)
            parts.append(
                quads(corner, (-side * (middle + 1.0 - rear), 0, 0), (0, 0, 1.4 * high), poster, tile=None)
            )
    return merge(parts)
