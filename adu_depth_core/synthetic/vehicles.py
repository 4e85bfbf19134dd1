"""Cars, vans and buses: a lofted body, a glazed cabin, wheels, lights, plates.

Object frame: origin on the ground under the middle, x forward, y left, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adu_depth_core.synthetic.materials import INDEX
from adu_depth_core.synthetic.mesh import Mesh, boxes, cylinder, loft, merge, quads

PAINT = INDEX["car_paint"]
_GLASS, _RUBBER, _METAL = INDEX["car_glass"], INDEX["rubber"], INDEX["metal"]


@dataclass(frozen=True)
class CarShape:
    """Side view of a car; lengths in metres, positions along the car as a share of its length from the rear.

    :param belt: height where the windows start
    :param bonnet: height of the bonnet at the front edge
    :param cabin: where the cabin touches the body and where its roof lies: rear foot, roof rear, roof front, front foot
    :param boot: height of the body behind the cabin
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
    """Car of white paint; tint it by ``mesh.tinted(PAINT, colour)``."""
    return merge(
        [_body(shape), _cabin(shape), *_wheels(shape), _trim(shape), _shade_below(shape.length, shape.width)]
    )


def _shade_below(length: float, width: float) -> Mesh:
    """The dark ground under a car, where no sky light reaches."""
    long, wide = 0.9 * length, 0.86 * width
    return quads((-long / 2, -wide / 2, 0.016), (long, 0, 0), (0, wide, 0), _RUBBER, (0.012, 0.012, 0.012))


def _body(shape: CarShape) -> Mesh:
    """Lower body up to the belt line, rounded at nose, tail and shoulders."""
    half, low = shape.width / 2, 0.62 * shape.wheel
    rear, _, _, front = shape.cabin
    # Along the car: position, width factor, bottom and top height.
    stations = np.array(
        [
            (0.000, 0.80, low + 0.18, shape.boot - 0.22),
            (0.008, 0.90, low + 0.08, shape.boot - 0.06),
            (0.030, 0.96, low, shape.boot),
            (max(rear, 0.06), 0.99, low, shape.belt + 0.01),
            (0.35, 1.00, low, shape.belt),
            (0.60, 1.00, low, shape.belt),
            (front, 0.99, low, shape.belt - 0.01),
            (0.5 * front + 0.49, 0.97, low, 0.45 * shape.belt + 0.55 * shape.bonnet + 0.03),
            (0.965, 0.93, low, shape.bonnet),
            (0.990, 0.87, low + 0.05, shape.bonnet - 0.10),
            (1.000, 0.76, low + 0.16, shape.bonnet - 0.26),
        ]
    )
    outline = np.array(  # across: share of the half width, share of the height
        [
            (0.0, 0.0),
            (0.90, 0.0),
            (0.97, 0.12),
            (1.0, 0.45),
            (0.99, 0.75),
            (0.95, 0.92),
            (0.86, 1.0),
            (0.45, 1.02),
            (0.0, 1.03),
        ]
    )
    outline = np.concatenate([outline, outline[-2:0:-1] * (-1, 1)])
    sections = np.empty((len(stations), len(outline), 3))
    for section, (x, width, bottom, top) in zip(sections, stations, strict=True):
        section[:, 0] = (x - 0.5) * shape.length
        section[:, 1] = outline[:, 0] * half * width
        section[:, 2] = bottom + outline[:, 1] * (top - bottom)
    return loft(sections, PAINT, closed=True)


def _panel(
    corners: np.ndarray, inset: tuple[float, float, float, float], material: int, tint=(1, 1, 1), lift=0.004
) -> Mesh:
    """Part of the four-sided face ``corners`` (rear low, front low, front high, rear high), a little above it.

    :param inset: start and end along, start and end up, as shares of the face
    """
    a, b, c, d = (np.asarray(p, float) for p in corners)
    u0, u1, v0, v1 = inset

    def point(u: float, v: float) -> np.ndarray:
        return (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v

    points = np.array([point(u, v) for u, v in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))])
    normal = np.cross(b - a, d - a)
    points += lift * normal / np.linalg.norm(normal)
    return loft(
        np.array([[points[0], points[3]], [points[1], points[2]]])[::-1], material, tint, smooth=False
    )


def _cabin(shape: CarShape) -> Mesh:
    """Roof, pillars and windows."""
    x = (np.array(shape.cabin) - 0.5) * shape.length
    foot, roof = 0.93 * shape.width / 2, 0.74 * shape.width / 2
    low, high = shape.belt - 0.02, shape.height
    shoulder = high - 0.05
    parts, dark = [], (0.02, 0.024, 0.028)
    rim = {
        side: [
            (x[0], side * foot, low),
            (x[3], side * foot, low),
            (x[2], side * roof, shoulder),
            (x[1], side * roof, shoulder),
        ]
        for side in (1, -1)
    }
    left, right = rim[1], rim[-1]
    # Faces whose corners run counter-clockwise seen from outside.
    faces = {
        "right": [right[0], right[1], right[2], right[3]],
        "left": [left[1], left[0], left[3], left[2]],
        "front": [right[1], left[1], left[2], right[2]],
        "rear": [left[0], right[0], right[3], left[3]],
    }
    for name, face in faces.items():
        parts.append(_panel(np.array(face), (0, 1, 0, 1), PAINT, lift=0.0))
        if name in ("front", "rear"):
            parts.append(_panel(np.array(face), (0.06, 0.94, 0.08, 0.93), _GLASS, dark))
        else:
            spans = [(0.07, 0.30), (0.33, 0.60), (0.63, 0.93)]
            for start, end in spans:
                parts.append(_panel(np.array(face), (start, end, 0.10, 0.90), _GLASS, dark))
    crown = 0.9 * roof
    sections = np.array(
        [
            [(px, side * width, height) for side, width, height in
             ((-1, roof, shoulder), (-1, crown, high - lift), (0, 0, high), (1, crown, high - lift), (1, roof, shoulder))]
            for px, lift in ((x[1], 0.035), (0.7 * x[1] + 0.3 * x[2], 0.012), (0.3 * x[1] + 0.7 * x[2], 0.012), (x[2], 0.035))
        ]
    )  # fmt: skip
    parts.append(loft(sections[::-1], PAINT))
    return merge(parts)


def _wheels(shape: CarShape) -> list[Mesh]:
    parts = []
    r, half = shape.wheel, shape.width / 2
    for axle in shape.axles:
        x = (axle - 0.5) * shape.length
        for side in (1, -1):
            outer = side * (half + 0.008)
            parts.append(
                cylinder(
                    (x, outer - side * 0.2, r), (x, outer, r), r, _RUBBER, (0.02, 0.02, 0.022), sections=20
                )
            )
            arch = cylinder(
                (x, side * (half - 0.1), r + 0.02),
                (x, side * (half + 0.004), r + 0.02),
                1.2 * r,
                _RUBBER,
                (0.01, 0.01, 0.01),
                sections=20,
            )
            parts.append(arch)
            size = 1.36 * r
            corner = np.array([x - side * size / 2 * -1, outer + side * 0.004, r - size / 2])
            parts.append(quads(corner, (-side * size, 0, 0), (0, 0, size), INDEX["wheel"], tile=None))
    return parts


def _trim(shape: CarShape) -> Mesh:
    """Lights, plates, grille, bumper strips, mirrors, door seams and handles."""
    nose, tail, half = shape.length / 2, -shape.length / 2, shape.width / 2
    low = 0.62 * shape.wheel
    black, lamp, red = (0.012, 0.012, 0.013), (0.75, 0.78, 0.8), (0.45, 0.02, 0.02)
    parts = []
    for side in (1, -1):
        parts.append(
            boxes((nose - 0.10, side * 0.70 * half, shape.bonnet - 0.13), (0.2, 0.26, 0.15), _METAL, lamp)
        )
        parts.append(
            boxes((tail + 0.07, side * 0.74 * half, shape.boot - 0.22), (0.16, 0.2, 0.26), _METAL, red)
        )
        mirror = (shape.cabin[3] - 0.5) * shape.length - 0.35
        parts.append(boxes((mirror, side * (half + 0.08), shape.belt + 0.06), (0.12, 0.18, 0.13), PAINT))
        door = ((shape.cabin[2] + shape.cabin[3]) / 2 - 0.5) * shape.length
        for seam in (door, door - 1.05, door - 1.95):
            if seam > (shape.axles[0] - 0.5) * shape.length + 0.2:
                height = shape.belt - low - 0.2
                parts.append(
                    boxes(
                        (seam, side * half * 0.995, low + 0.12 + height / 2),
                        (0.015, 0.02, height),
                        _RUBBER,
                        black,
                    )
                )
                parts.append(
                    boxes(
                        (seam - 0.85, side * half, shape.belt - 0.14),
                        (0.16, 0.03, 0.03),
                        _METAL,
                        (0.4, 0.4, 0.4),
                    )
                )
        sill = boxes((0, side * (half * 0.985), low + 0.06), (0.42 * shape.length, 0.04, 0.1), _RUBBER, black)
        parts.append(sill)
    parts.append(boxes((nose - 0.03, 0, low + 0.12), (0.12, 1.3 * half, 0.12), _RUBBER, black))
    parts.append(boxes((tail + 0.05, 0, low + 0.12), (0.12, 1.5 * half, 0.14), _RUBBER, black))
    parts.append(
        quads(
            (nose + 0.006, -0.32, shape.bonnet - 0.3), (0, 0.64, 0), (0, 0, 0.18), INDEX["grille"], tile=None
        )
    )
    plate = INDEX["number_plate"]
    parts.append(quads((nose + 0.035, -0.26, low + 0.08), (0, 0.52, 0), (0, 0, 0.11), plate, tile=None))
    parts.append(quads((tail - 0.015, 0.26, low + 0.22), (0, -0.52, 0), (0, 0, 0.11), plate, tile=None))
    return merge(parts)


def van(length: float, height: float, poster: int | None) -> Mesh:
    """Delivery van or small lorry: a tall box behind a short bonnet.

    :param poster: material index of a picture on its sides, or None
    """
    shape = CarShape(
        length,
        2.0,
        height,
        1.15,
        0.95,
        height - 0.1,
        (0.72, 0.74, 0.80, 0.93),
        wheel=0.36,
        axles=(0.18, 0.83),
    )
    half, low = 1.0, 0.35
    profile = np.array(
        [
            (0, low),
            (0.02, low),
            (0.98, low),
            (1.0, low + 0.15),
            (1.0, 0.85),
            (0.93, 1.12),
            (0.80, height - 0.06),
            (0.77, height),
            (0.02, height),
            (0.0, height - 0.1),
        ]
    )
    points = np.stack([(profile[:, 0] - 0.5) * length, np.zeros(len(profile)), profile[:, 1]], axis=1)
    lean = 1 - 0.1 * np.clip((profile[:, 1] - 1.1) / (height - 1.1), 0, 1)
    sections = np.stack([points + np.stack([0 * lean, y * half * lean, 0 * lean], axis=1) for y in (-1, 1)])
    parts = [loft(sections, PAINT, closed=True, smooth=False), *_wheels(shape), _shade_below(length, 2.0)]
    dark = (0.02, 0.024, 0.028)
    front_low = np.array([(0.93 - 0.5) * length, 0, 1.12])
    front_high = np.array([(0.80 - 0.5) * length, 0, height - 0.06])
    wide = np.array([0, 0.88, 0])
    parts.append(
        _panel(
            np.array(
                [front_low - wide, front_low + wide, front_high + wide * 0.93, front_high - wide * 0.93]
            ),
            (0.04, 0.96, 0.06, 0.8),
            _GLASS,
            dark,
            0.012,
        )
    )
    for side in (1, -1):
        y = side * 1.004
        window = [(0.70, 1.15), (0.90, 1.15), (0.80, 1.75), (0.70, 1.75)]
        corners = np.array([((u - 0.5) * length, y - side * 0.055 * (z - 1.1), z) for u, z in window])
        order = corners if side < 0 else corners[[1, 0, 3, 2]]
        parts.append(_panel(order, (0.05, 0.95, 0.05, 0.95), _GLASS, dark, 0.01))
        parts.append(
            boxes(((0.9 - 0.5) * length, side * 1.1, 1.3), (0.12, 0.2, 0.3), _RUBBER, (0.015, 0.015, 0.015))
        )
        parts.append(
            boxes((length / 2 - 0.06, side * 0.75, 0.78), (0.16, 0.3, 0.2), _METAL, (0.75, 0.78, 0.8))
        )
        parts.append(
            boxes((-length / 2 + 0.03, side * 0.9, 1.1), (0.1, 0.14, 0.5), _METAL, (0.45, 0.02, 0.02))
        )
        parts.append(boxes((0, side * 1.0, 0.5), (0.5 * length, 0.04, 0.12), _RUBBER, (0.015, 0.015, 0.015)))
        if poster is not None:
            start = np.array([-0.44 * length if side < 0 else 0.16 * length, side * 1.006, 0.75])
            parts.append(
                quads(start, (-side * 0.6 * length, 0, 0), (0, -side * 0.06, 0.9), poster, tile=None)
            )
    parts.append(
        quads((-length / 2 - 0.004, 0.6, 0.5), (0, -1.2, 0), (0, 0, 0.12), _RUBBER, (0.015, 0.015, 0.015))
    )
    parts.append(
        quads((-length / 2 - 0.006, 0.26, 0.7), (0, -0.52, 0), (0, 0, 0.11), INDEX["number_plate"], tile=None)
    )
    parts.append(quads((-length / 2 - 0.005, 0.8, 1.35), (0, -0.7, 0), (0, 0, 0.5), _GLASS, dark))
    parts.append(quads((-length / 2 - 0.005, -0.1, 1.35), (0, -0.7, 0), (0, 0, 0.5), _GLASS, dark))
    parts.append(
        quads(
            (-length / 2 - 0.005, 0.01, 0.5),
            (0, -0.02, 0),
            (0, 0, height - 0.8),
            _RUBBER,
            (0.015, 0.015, 0.015),
        )
    )
    return merge(parts)


def bus(length: float) -> Mesh:
    """City bus with a band of windows and doors on the right."""
    half, low, high = 1.27, 0.32, 3.0
    dark, black = (0.02, 0.024, 0.028), (0.015, 0.015, 0.015)
    shape = CarShape(length, 2 * half, high, 1.3, 1.2, 1.3, (0, 0, 1, 1), wheel=0.48, axles=(0.25, 0.78))
    parts = [
        boxes((0, 0, (low + high) / 2), (length, 2 * half, high - low), PAINT),
        *_wheels(shape),
        _shade_below(length, 2 * half),
    ]
    parts.append(boxes((0, 0, high + 0.12), (0.5 * length, 1.8, 0.24), PAINT))
    for side in (1, -1):
        columns = np.arange(-length / 2 + 0.35, length / 2 - 1.3, 1.45)
        if side < 0:
            columns = columns + 1.3
        starts = np.stack(
            [columns, np.full(len(columns), side * (half + 0.004)), np.full(len(columns), 1.25)], axis=1
        )
        parts.append(quads(starts, (1.3, 0, 0), (0, 0, 1.25), _GLASS, dark))
        if side < 0:
            for x in (-0.1 * length, 0.38 * length):
                parts.append(
                    quads((x, -half - 0.008, 0.4), (1.2, 0, 0), (0, 0, 2.1), _GLASS, (0.05, 0.055, 0.06))
                )
        parts.append(boxes((length / 2, side * 0.95, 0.75), (0.06, 0.35, 0.22), _METAL, (0.75, 0.78, 0.8)))
        parts.append(boxes((-length / 2, side * 1.05, 1.0), (0.06, 0.22, 0.5), _METAL, (0.45, 0.02, 0.02)))
    parts.append(quads((length / 2 + 0.004, -1.15, 1.1), (0, 2.3, 0), (0, 0, 1.35), _GLASS, dark))
    parts.append(
        quads((length / 2 + 0.006, -0.8, 2.55), (0, 1.6, 0), (0, 0, 0.32), INDEX["direction"], tile=None)
    )
    parts.append(quads((-length / 2 - 0.004, 1.0, 1.6), (0, -2.0, 0), (0, 0, 0.9), _GLASS, dark))
    parts.append(
        quads((-length / 2 - 0.006, 0.26, 0.6), (0, -0.52, 0), (0, 0, 0.11), INDEX["number_plate"], tile=None)
    )
    parts.append(boxes((0, 0, low + 0.06), (length + 0.02, 2 * half + 0.02, 0.12), _RUBBER, black))
    return merge(parts)


_COLOURS = np.array(
    [
        (0.75, 0.75, 0.75), (0.42, 0.43, 0.45), (0.22, 0.23, 0.24), (0.07, 0.07, 0.075), (0.015, 0.015, 0.017),
        (0.01, 0.025, 0.09), (0.02, 0.08, 0.28), (0.3, 0.012, 0.015), (0.42, 0.02, 0.015), (0.02, 0.07, 0.035),
        (0.15, 0.13, 0.1), (0.5, 0.45, 0.34), (0.18, 0.3, 0.42), (0.6, 0.4, 0.03),
    ]
)  # fmt: skip
_COLOUR_SHARE = np.array([14, 16, 12, 9, 14, 7, 6, 5, 5, 2, 3, 2, 4, 1], float)


def random_vehicle(rng: np.random.Generator, large: bool = True) -> tuple[Mesh, float]:
    """A vehicle in a colour seen on roads, and its length in metres.

    :param large: vans and buses may occur too
    """
    colour = _COLOURS[rng.choice(len(_COLOURS), p=_COLOUR_SHARE / _COLOUR_SHARE.sum())] * rng.uniform(
        0.85, 1.15
    )
    kind = rng.random() if large else 0.0
    if kind > 0.97:
        length = rng.uniform(9.5, 12.0)
        return bus(length).tinted(PAINT, colour), length
    if kind > 0.85:
        length = rng.uniform(4.6, 6.2)
        poster = INDEX[f"poster_{rng.integers(5)}"] if rng.random() < 0.4 else None
        shade = (0.75, 0.75, 0.75) if rng.random() < 0.5 else colour
        return van(length, rng.uniform(1.95, 2.6), poster).tinted(PAINT, shade), length
    name = rng.choice(list(SHAPES), p=[0.24, 0.18, 0.18, 0.14, 0.12, 0.10, 0.04])
    scale = rng.uniform(0.96, 1.05)
    return car(SHAPES[name]).placed((0, 0, 0), scale=scale).tinted(PAINT, colour), SHAPES[name].length * scale
