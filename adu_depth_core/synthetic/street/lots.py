"""Lots beside the road: houses, gardens, woods, car parks, and their boundaries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adu_depth_core.synthetic.objects import barriers, furniture, vegetation
from adu_depth_core.synthetic.objects.buildings import building
from adu_depth_core.synthetic.street.site import Site
from adu_depth_core.synthetic.surfaces.materials import INDEX
from adu_depth_core.synthetic.vehicles.random_vehicles import random_vehicle

_LEAST_WIDTH = 9.0
_WIDTHS = {"row": (9, 20), "house": (11, 22), "hall": (25, 55)}


def fill(site: Site, side: int) -> None:
    """Line one side of the road with lots; ``side`` is +1 left, -1 right."""
    rng, style, line = site.rng, site.style, site.line
    names, weights = list(style.lots), np.array(list(style.lots.values()))
    common_setback = rng.uniform(*style.setback)
    s = line.start
    while s < line.end - 60:
        kind = str(rng.choice(names, p=weights / weights.sum()))
        width = rng.uniform(*_WIDTHS.get(kind, (10, 30)))
        junction = site.junction_within(s, s + width, 2.5)
        if junction is not None:
            width = min(width, junction[0] - 2.5 - s)
            if width < _LEAST_WIDTH:
                s = junction[1] + 2.5
                continue
        setback = common_setback if rng.random() < 0.7 else rng.uniform(*style.setback)
        LOTS[kind](site, side, s, width, site.layout.back(side) + setback)
        if kind != "row" and rng.random() < style.boundary:
            _boundary(site, side, s, s + width)
        s += width + (0.02 if kind == "row" else rng.uniform(0, 4))


def house(
    site: Site, side: int, s: float, width: float, front: float, depth: float, storeys: int, shops: bool
) -> None:
    """Put up a building that faces the road.

    :param front: metres from the centreline to its front, which runs from s to s + width
    """
    mesh = building(site.rng, width, depth, storeys, shops)
    middle = s + width / 2
    yaw = site.line.heading(middle) + (0.0 if side > 0 else np.pi)
    along = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    corner = site.line.point(middle, side * front, site.layout.kerb) - along * width / 2
    site.standing.append((middle, mesh.placed(corner, yaw)))


def _storeys(site: Site) -> int:
    return int(site.rng.integers(site.style.storeys[0], site.style.storeys[1] + 1))


def _shops(site: Site) -> bool:
    return bool(site.rng.random() < site.style.shops)


def _row(site: Site, side: int, s: float, width: float, front: float) -> None:
    """House that fills its lot, wall to wall with the next."""
    house(site, side, s, width, front, site.rng.uniform(9, 13), _storeys(site), _shops(site))


def _detached(site: Site, side: int, s: float, width: float, front: float) -> None:
    """House in a garden."""
    rng = site.rng
    wide = width * rng.uniform(0.55, 0.85)
    start = s + rng.uniform(0, width - wide)
    house(site, side, start, wide, front, rng.uniform(8, 12), _storeys(site), _shops(site))
    _plants(site, side, s, width, (site.layout.back(side) + 0.8, front - 0.8), int(rng.integers(0, 4)))


def _hall(site: Site, side: int, s: float, width: float, front: float) -> None:
    """Workshop or warehouse."""
    house(site, side, s, width, front, site.rng.uniform(15, 25), int(site.rng.integers(1, 4)), False)


def _garden(site: Site, side: int, s: float, width: float, front: float) -> None:
    back = site.layout.back(side)
    _plants(site, side, s, width, (back + 0.8, max(front, back + 18)), int(site.rng.integers(4, 9)))


def _wood(site: Site, side: int, s: float, width: float, front: float) -> None:
    """Trees, dense with undergrowth at the edge."""
    rng, back = site.rng, site.layout.back(side)
    for _ in range(int(width / 2.2)):
        depth = rng.uniform(1.5, max(22, front - back))
        site.tree(s + rng.uniform(0, width), side * (back + depth), near=bool(depth < 14))
    for _ in range(int(width / 2.5)):
        site.bush(s + rng.uniform(0, width), side * (back + rng.uniform(1.2, 7)))


def _open(site: Site, side: int, s: float, width: float, front: float) -> None:
    """Open ground: empty, a car park, or with an advertisement."""
    rng, back = site.rng, site.layout.back(side)
    kind = rng.random()
    if kind < 0.5:
        for place in np.arange(s + 2, s + width - 2, 2.7):
            if rng.random() < 0.75:
                turn = rng.choice([1, -1]) * np.pi / 2
                site.add(random_vehicle(rng)[0], place, side * (back + max(5.0, (front - back) / 2)), turn)
    elif kind < 0.7:
        site.add(furniture.billboard(rng), s + width / 2, side * (back + 2.5), rng.normal(0, 0.3))


LOTS: dict[str, Callable[[Site, int, float, float, float], None]] = {
    "row": _row,
    "house": _detached,
    "wood": _wood,
    "garden": _garden,
    "hall": _hall,
    "open": _open,
}
"""Builders of lots; called with the site, the side, start and width along the road, the building line."""


def _plants(site: Site, side: int, s: float, width: float, depth: tuple[float, float], count: int) -> None:
    rng = site.rng
    for _ in range(count):
        place, lateral = (
            s + rng.uniform(0, width),
            side * rng.uniform(depth[0], max(depth[1], depth[0] + 0.5)),
        )
        if rng.random() < 0.4:
            site.tree(place, lateral, near=True)
        else:
            site.bush(place, lateral)


def _boundary(site: Site, side: int, s0: float, s1: float) -> None:
    """Hedge, wall, fence or guard rail between the pavement and a lot, with a gap for the gate."""
    rng = site.rng
    gate, kind, height = rng.uniform(s0 + 1, s1 - 3), rng.random(), rng.uniform(0.8, 2.0)
    lateral = side * (site.layout.back(side) + 0.45)
    colour = np.array([(0.8, 0.8, 0.8), (0.05, 0.05, 0.05), (0.35, 0.2, 0.1), (0.1, 0.2, 0.12)])[
        rng.integers(4)
    ]
    masonry, tile = [("brick", 1.9), ("stone", 3.0), ("plaster", 4.0)][rng.integers(3)]
    for start, end in ((s0, gate), (gate + 2.2, s1)):
        if end - start < 1.5:
            continue
        path = site.line.path(start, end, lateral, step=1.0) + np.array([0, 0, site.layout.kerb])
        if kind < 0.42:
            mesh = vegetation.hedge(rng, path, height, rng.uniform(0.6, 1.1))
        elif kind < 0.68:
            mesh = barriers.garden_wall(path, 0.7 * height, INDEX[masonry], colour * 0.5 + 0.4, tile)
        elif kind < 0.92:
            material = INDEX["wood" if colour[0] > 0.3 else "metal"]
            mesh = barriers.picket_fence(path, 0.8 * height, material, colour)
        else:
            mesh = barriers.guard_rail(path)
        site.standing.append(((start + end) / 2, mesh))


def backdrop(site: Site, both_ends: bool) -> None:
    """Background behind gaps and at the end of the road: more houses, trees, the edge of a wood.

    :param both_ends: close the street at its start too
    """
    rng, line = site.rng, site.line
    for side in (1, -1):
        s = line.start
        while s < line.end:
            lateral, kind = rng.uniform(34, 55), rng.random()
            if kind < 0.3 and site.junction_within(s - 10, s + 25) is None:
                house(site, side, s, rng.uniform(10, 20), lateral, 10, int(rng.integers(2, 6)), False)
            elif kind < 0.85:
                site.tree(s, side * lateral, near=False)
            s += rng.uniform(3, 16)
        path = line.path(line.start, line.end, side * rng.uniform(66, 85), step=rng.uniform(6, 10)) - (
            0,
            0,
            2,
        )
        site.standing.append((np.nan, vegetation.tree_line(rng, path, rng.uniform(8, 16))))
    for s in (line.end + 2, line.start - 2) if both_ends else (line.end + 2,):
        jitter = rng.normal(0, 3, (30, 3)) * (1, 1, 0)
        across = line.point(np.full(30, s), np.linspace(-110, 110, 30)) + jitter
        site.standing.append((np.nan, vegetation.tree_line(rng, across, rng.uniform(8, 18))))
