"""Additional obstacles around one viewpoint: for training images, not for drives.

A drive's traffic keeps to its lanes and its people to the pavements. Here they also cross, stand in the way,
ride along the kerb, wait between lanes; cones and signs stand where roadworks put them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adu_depth_core.synthetic.geometry.centreline import Centreline
from adu_depth_core.synthetic.geometry.mesh import Mesh
from adu_depth_core.synthetic.objects import furniture
from adu_depth_core.synthetic.objects.people import cyclist, person
from adu_depth_core.synthetic.street.site import Site
from adu_depth_core.synthetic.vehicles.random_vehicles import random_lorry, random_vehicle

_NEAREST, _FARTHEST = 4.0, 45.0  # metres from the camera
_KNEE, _HEAD = 0.3, 2.0  # obstacles occupy these heights, metres
_CELL = 0.2
_ATTEMPTS = 3


def crowd(rng: np.random.Generator, site: Site, here: float, ego_lane: float, around: Mesh) -> list[Mesh]:
    """Things in free places of the road and beside it.

    :param here: position of the vehicle along the road, metres
    :param ego_lane: its position across the road, metres
    :param around: existing objects
    """
    layout = site.layout
    room = _Room(around, site.line, here, site.line.point(here, ego_lane))
    edges = [(side * (layout.edge(side) + 0.2), side * (layout.back(side) + 0.5)) for side in (1, -1)]
    pavements = [tuple(sorted(pair)) for pair in edges]
    road, lanes = (-layout.half, layout.half), (np.arange(layout.lanes) + 0.5) * layout.lane_width
    kerbs = [(a - 0.6, a + 0.2) for a in (-layout.edge(-1), layout.edge(1))]

    def across(*bands: tuple[float, float]) -> Callable[[], float]:
        return lambda: rng.uniform(*bands[rng.integers(len(bands))])

    def lane() -> float:
        return float(rng.choice([*lanes, *-lanes]) + rng.normal(0, 0.25))

    def anyhow(_: float) -> float:
        return rng.uniform(0, 2 * np.pi)

    def with_traffic(lateral: float) -> float:
        return np.pi * (lateral > 0) + rng.normal(0, 0.05)

    def to_traffic(lateral: float) -> float:
        return np.pi * (lateral > 0) + rng.normal(0, 0.3)

    kinds = (  # mean count, what, where, heading
        (5.0, lambda: random_vehicle(rng)[0], lane, with_traffic),
        (1.0, lambda: random_vehicle(rng)[0], across(road), anyhow),
        (0.6, lambda: random_lorry(rng), lane, with_traffic),
        (7.0, lambda: person(rng), across(*pavements), anyhow),
        (4.0, lambda: person(rng), across(road), anyhow),
        (1.5, lambda: cyclist(rng), across(*kerbs, road), with_traffic),
        (3.0, lambda: furniture.traffic_sign(rng), across(*pavements), to_traffic),
        (1.5, lambda: furniture.bollard(rng), across(*pavements), anyhow),
        (0.8, lambda: furniture.traffic_light(rng, 0.0), across(*kerbs), to_traffic),
        (0.8, lambda: furniture.street_lamp(rng.uniform(5, 9), rng.uniform(0.4, 2)), across(*kerbs), anyhow),
        (1.2, furniture.cone, across(road), anyhow),
        (1.0, lambda: furniture.bin_or_cabinet(rng), across(*pavements), anyhow),
    )
    busy = rng.gamma(3.0, 0.5)  # some streets are full, some nearly empty
    found = []
    for mean, make, lateral_of, heading_of in kinds:
        for _ in range(rng.poisson(mean * busy)):
            mesh = make()
            for _ in range(_ATTEMPTS):
                distance = np.exp(rng.uniform(np.log(_NEAREST), np.log(_FARTHEST)))
                s, lateral = here + rng.choice([1, -1], p=[0.65, 0.35]) * distance, lateral_of()
                side = 1 if lateral > 0 else -1
                up = layout.kerb if abs(lateral) > layout.edge(side) else 0.0
                heading = site.line.heading(s) + heading_of(lateral)
                placed = mesh.placed(site.line.point(s, lateral, up), heading)
                if room.take(placed):
                    found.append(placed)
                    break
    return found


class _Room:
    """Occupancy grid on the ground, which keeps objects apart from each other and from the vehicle."""

    def __init__(self, around: Mesh, line: Centreline, here: float, vehicle: np.ndarray) -> None:
        self._vehicle = vehicle[:2]
        self._half = _FARTHEST + 15
        self._taken = np.zeros((2 * round(self._half / _CELL),) * 2, bool)
        corners = around.corners.reshape(-1, 3)
        cells = self._cells(corners[:, :2])
        inside = ((cells >= 0) & (cells < len(self._taken))).all(axis=1)
        cells, corners = cells[inside], corners[inside]
        heading = line.heading(here)
        along = (corners[:, :2] - self._vehicle) @ [np.cos(heading), np.sin(heading)]
        above = corners[:, 2] - line.point(here + along, 0.0)[:, 2]
        self._taken[tuple(cells[(above > _KNEE) & (above < _HEAD)].T)] = True

    def _cells(self, points: np.ndarray) -> np.ndarray:
        return np.floor((points - self._vehicle + self._half) / _CELL).astype(int)

    def take(self, mesh: Mesh) -> bool:
        """Occupy the mesh's bounding box on the ground, if it is free."""
        points = mesh.corners.reshape(-1, 3)[:, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        if np.linalg.norm(np.clip(self._vehicle, low, high) - self._vehicle) < _NEAREST - 0.5:
            return False
        (u0, v0), (u1, v1) = self._cells(np.stack([low, high]))
        footprint = slice(u0, u1 + 1), slice(v0, v1 + 1)
        if self._taken[footprint].any():
            return False
        self._taken[footprint] = True
        return True
