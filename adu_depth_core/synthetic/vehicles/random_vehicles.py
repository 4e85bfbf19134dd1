"""Vehicles as one meets them: mostly cars, some vans, few buses, in the colours of the road."""

from __future__ import annotations

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import Mesh
from adu_depth_core.synthetic.surfaces.materials import INDEX
from adu_depth_core.synthetic.vehicles.cars import SHAPES, car
from adu_depth_core.synthetic.vehicles.large_vehicles import bus, lorry, van
from adu_depth_core.synthetic.vehicles.vehicle_parts import PAINT

_COLOURS = np.array(  # share in percent, linear RGB
    [
        (14, 0.75, 0.75, 0.75), (16, 0.42, 0.43, 0.45), (12, 0.22, 0.23, 0.24), (9, 0.07, 0.07, 0.075),
        (14, 0.015, 0.015, 0.017), (7, 0.01, 0.025, 0.09), (6, 0.02, 0.08, 0.28), (5, 0.3, 0.012, 0.015),
        (5, 0.42, 0.02, 0.015), (2, 0.02, 0.07, 0.035), (3, 0.15, 0.13, 0.1), (2, 0.5, 0.45, 0.34),
        (4, 0.18, 0.3, 0.42), (1, 0.6, 0.4, 0.03),
    ]
)  # fmt: skip
_SHAPE_SHARE = {"hatchback": 24, "saloon": 18, "estate": 18, "suv": 14, "small": 12, "mpv": 10, "coupe": 4}


def random_vehicle(rng: np.random.Generator) -> tuple[Mesh, float]:
    """A vehicle and its length in metres. Object frame as in ``vehicle_parts``."""
    mesh, length = _random_vehicle(rng)
    return mesh.labelled(PixelClass.VEHICLE), length


def random_lorry(rng: np.random.Generator) -> Mesh:
    """A lorry. Object frame as in ``vehicle_parts``."""
    colour = rng.choice(_COLOURS, p=_COLOURS[:, 0] / 100)[1:]
    load = tuple(rng.choice([0.75, 0.3, 0.1]) * rng.uniform(0.5, 1.0, 3))
    poster = INDEX[f"poster_{rng.integers(5)}"] if rng.random() < 0.5 else None
    mesh = lorry(rng.uniform(6.5, 11.0), rng.uniform(2.8, 3.8), load, poster)
    return mesh.tinted(PAINT, colour).labelled(PixelClass.VEHICLE)


def _random_vehicle(rng: np.random.Generator) -> tuple[Mesh, float]:
    colour = rng.choice(_COLOURS, p=_COLOURS[:, 0] / 100)[1:] * rng.uniform(0.85, 1.15)
    kind = rng.random()
    if kind > 0.97:
        length = rng.uniform(9.5, 12.0)
        return bus(length).tinted(PAINT, colour), length
    if kind > 0.85:
        length = rng.uniform(4.6, 6.2)
        poster = INDEX[f"poster_{rng.integers(5)}"] if rng.random() < 0.4 else None
        shade = (0.75, 0.75, 0.75) if rng.random() < 0.5 else colour
        return van(length, rng.uniform(1.95, 2.6), poster).tinted(PAINT, shade), length
    shape = SHAPES[str(rng.choice(list(_SHAPE_SHARE), p=np.array(list(_SHAPE_SHARE.values())) / 100))]
    scale = rng.uniform(0.96, 1.05)
    return car(shape).placed((0, 0, 0), scale=scale).tinted(PAINT, colour), shape.length * scale
