"""Vehicles and people, parked, waiting and moving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.geometry.mesh import Mesh
from adu_depth_core.synthetic.objects.people import cyclist, person
from adu_depth_core.synthetic.street.site import Site
from adu_depth_core.synthetic.vehicles.random_vehicles import random_vehicle

_LONGEST_DRIVE = 2000.0  # metres of oncoming traffic that are enough for any


@dataclass(frozen=True)
class Mover:
    """Something that moves along the road.

    :param place: ``place(time)`` is how far along the road it is after so many seconds, metres
    :param lateral: metres left of the centreline
    :param turn: its heading relative to the road's, radians
    """

    mesh: Mesh
    place: Callable[[float], float]
    lateral: float
    turn: float


def _steady(s: float, speed: float) -> Callable[[float], float]:
    return lambda time: s + speed * time


def park(site: Site, side: int) -> None:
    """Fill the parking strip of one side, if it has one."""
    rng, layout = site.rng, site.layout
    width = layout.parking[0 if side > 0 else 1]
    if not width:
        return
    occupied, s = rng.uniform(0.35, 0.95), site.line.start
    while s < site.line.end:
        mesh, length = random_vehicle(rng)
        junction = site.junction_within(s, s + length, 4.0)
        if junction is not None:
            s = junction[1] + 4.0
            continue
        if rng.random() < occupied and length < 7:
            with_traffic = (side < 0) ^ (rng.random() < 0.12)
            turn = (0.0 if with_traffic else np.pi) + rng.normal(0, 0.02)
            site.add(mesh, s + length / 2, side * (layout.half + width / 2 + rng.normal(0, 0.08)), turn)
        s += length + rng.uniform(0.5, 2.0)


def wait_at_junctions(site: Site) -> None:
    """Vehicles that stand in the side roads."""
    rng = site.rng
    for start, end in site.junctions:
        for side in (1, -1):
            if rng.random() < 0.5:
                mesh, length = random_vehicle(rng)
                lane = start + (end - start) * (0.27 if side > 0 else 0.73)
                distance = site.layout.edge(side) + length / 2 + rng.uniform(1.0, 25)
                site.add(mesh, lane, side * distance, -side * np.pi / 2)


def walkers(site: Site, side: int) -> list[Mover]:
    """People on the pavement of one side."""
    rng, layout, line = site.rng, site.layout, site.line
    pavement = layout.pavement[0 if side > 0 else 1]
    if not pavement:
        return []
    found = []
    for s in rng.uniform(
        line.start, line.end, rng.poisson(site.style.people * 0.05 * (line.end - line.start))
    ):
        lateral = side * (layout.back(side) - rng.uniform(0.2, pavement - 0.4))
        speed = rng.choice([0.0, 1.0, -1.0], p=[0.3, 0.35, 0.35]) * rng.uniform(0.9, 1.6)
        turn = np.pi * (speed < 0) if speed else rng.uniform(0, 2 * np.pi)
        found.append(Mover(person(rng).placed((0, 0, layout.kerb)), _steady(s, speed), lateral, turn))
    return found


def vehicles(site: Site, travelled: Callable[[float], float]) -> list[Mover]:
    """Traffic in all lanes; those of a lane keep their distance from each other and from the ego vehicle.

    :param travelled: metres of the ego vehicle along the road after a time in seconds
    """
    rng, style, layout = site.rng, site.style, site.layout
    found = []
    for lane in (np.arange(layout.lanes) + 0.5) * layout.lane_width:
        speed, s = rng.uniform(6, 13), rng.uniform(8, 60)
        while rng.random() < style.traffic and s < _LONGEST_DRIVE:
            mesh, length = random_vehicle(rng)
            found.append(Mover(mesh, _steady(s + length / 2, -speed), lane, np.pi))
            s += length + rng.uniform(8, 70)
        # Ahead of the ego vehicle the others drive as it does, only a little faster.
        gap, faster = rng.uniform(9, 45), rng.uniform(1.0, 1.08)
        while rng.random() < style.traffic * 0.75:
            mesh, length = random_vehicle(rng)
            found.append(Mover(mesh, _ahead(travelled, faster, gap + length / 2), -lane, 0.0))
            gap += length + rng.uniform(7, 40)
    if rng.random() < 0.05 + 0.25 * style.people:
        place = _steady(rng.uniform(10, 60), -rng.uniform(3, 6))
        found.append(Mover(cyclist(rng), place, layout.half - 0.35, np.pi))
    return found


def _ahead(travelled: Callable[[float], float], faster: float, gap: float) -> Callable[[float], float]:
    return lambda time: faster * travelled(time) + gap
