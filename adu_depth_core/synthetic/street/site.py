"""The building site of a street: its style, its cross-section, and how things are put beside the road."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.synthetic.geometry.centreline import Centreline
from adu_depth_core.synthetic.geometry.mesh import Mesh
from adu_depth_core.synthetic.objects import vegetation
from adu_depth_core.synthetic.street.road import Layout

_HEADROOM = 2.9  # nothing may hang lower than this over a lane


@dataclass(frozen=True)
class Style:
    """Style of a street. Pairs are ranges of metres or counts.

    :param parking: probability of a parking strip on a side
    :param verge_share: probability of a verge on a side
    :param setback: from the back of the pavement to the houses
    :param shops: probability that a house has shops
    :param lots: weights of the kinds of lots, by the names of ``lots.LOTS``
    :param street_trees: probability of a row of trees on a side
    :param boundary: probability of a hedge, wall or fence before a lot
    :param people: density of people on the pavements; 1 is a town
    :param traffic: probability that another vehicle follows the last one
    """

    lanes: tuple[int, int]
    lane_width: tuple[float, float]
    parking: float
    verge: tuple[float, float]
    verge_share: float
    pavement: tuple[float, float]
    setback: tuple[float, float]
    storeys: tuple[int, int]
    shops: float
    lots: dict[str, float]
    street_trees: float
    boundary: float
    people: float
    traffic: float


URBAN = Style(
    lanes=(1, 1), lane_width=(2.9, 3.5), parking=0.8, verge=(1.0, 2.0), verge_share=0.25, pavement=(1.8, 4.5),
    setback=(0.2, 1.5), storeys=(3, 5), shops=0.5, lots={"row": 10, "wood": 0.3, "garden": 0.5, "open": 0.3},
    street_trees=0.45, boundary=0.1, people=1.0, traffic=0.7,
)  # fmt: skip
SUBURBAN = Style(
    lanes=(1, 1), lane_width=(2.7, 3.3), parking=0.55, verge=(0.8, 2.0), verge_share=0.35,
    pavement=(1.3, 2.2), setback=(3.5, 9.0), storeys=(1, 3), shops=0.03,
    lots={"row": 0.5, "house": 9, "wood": 0.6, "garden": 1.2, "open": 0.6},
    street_trees=0.35, boundary=0.85, people=0.4, traffic=0.5,
)  # fmt: skip
AVENUE = Style(
    lanes=(1, 2), lane_width=(3.1, 3.6), parking=0.35, verge=(2.0, 6.0), verge_share=0.8, pavement=(1.6, 3.0),
    setback=(4.0, 16.0), storeys=(2, 5), shops=0.15,
    lots={"row": 3, "house": 2, "wood": 3, "garden": 2, "hall": 0.4, "open": 1.5},
    street_trees=0.85, boundary=0.45, people=0.6, traffic=0.9,
)  # fmt: skip
PARK = Style(
    lanes=(1, 2), lane_width=(3.1, 3.7), parking=0.1, verge=(1.5, 5.0), verge_share=0.7, pavement=(1.2, 2.5),
    setback=(8.0, 20.0), storeys=(1, 2), shops=0.0,
    lots={"house": 0.6, "wood": 7, "garden": 1.5, "hall": 0.2, "open": 2.5},
    street_trees=0.6, boundary=0.3, people=0.2, traffic=0.7,
)  # fmt: skip
WORKS = Style(
    lanes=(1, 2), lane_width=(3.2, 3.7), parking=0.25, verge=(1.0, 3.0), verge_share=0.5, pavement=(1.2, 2.0),
    setback=(5.0, 15.0), storeys=(1, 3), shops=0.0,
    lots={"row": 0.5, "house": 0.5, "wood": 1, "garden": 0.5, "hall": 6, "open": 2},
    street_trees=0.25, boundary=0.7, people=0.2, traffic=0.8,
)  # fmt: skip
ARTERIAL = Style(
    lanes=(2, 4), lane_width=(3.0, 3.7), parking=0.1, verge=(1.0, 3.0), verge_share=0.4, pavement=(1.5, 4.0),
    setback=(3.0, 22.0), storeys=(2, 6), shops=0.35,
    lots={"row": 3, "house": 1, "wood": 1, "garden": 1, "hall": 3, "open": 3},
    street_trees=0.5, boundary=0.35, people=0.5, traffic=0.95,
)  # fmt: skip
STYLE_SHARE = ((URBAN, 0.28), (SUBURBAN, 0.26), (AVENUE, 0.22), (PARK, 0.14), (WORKS, 0.10))
"""Styles of drives, and how often each comes up."""

VIEW_STYLE_SHARE = (
    (URBAN, 0.24),
    (SUBURBAN, 0.2),
    (AVENUE, 0.18),
    (PARK, 0.1),
    (WORKS, 0.1),
    (ARTERIAL, 0.18),
)
"""Those of single views, which wide roads are among."""


def random_layout(rng: np.random.Generator, style: Style) -> Layout:
    """A cross-section of the road in this style."""

    def each_side(share: float, width: tuple[float, float]) -> tuple[float, float]:
        left, right = (rng.uniform(*width) if rng.random() < share else 0.0 for _ in range(2))
        return left, right

    lines, share = ("dashed", "double", "short", "none"), (0.55, 0.1, 0.1, 0.25)
    return Layout(
        lanes=int(rng.integers(style.lanes[0], style.lanes[1] + 1)),
        lane_width=rng.uniform(*style.lane_width),
        parking=each_side(style.parking, (2.0, 2.4)),
        verge=each_side(style.verge_share, style.verge),
        pavement=each_side(0.5 if style is PARK else 0.95, style.pavement),
        kerb=rng.uniform(0.06, 0.15) if style is URBAN or rng.random() < 0.85 else 0.0,
        surface=str(rng.choice(["asphalt", "asphalt_old"])),
        pavement_surface=str(rng.choice(["paving", "paving_bricks", "concrete", "asphalt_old"])),
        ground=str(rng.choice(["grass", "grass", "dry_grass", "soil", "gravel"])),
        centre_line=str(rng.choice(lines, p=share)),
        edge_line=bool(rng.random() < 0.35),
    )


@dataclass
class Site:
    """Static objects along a road.

    :param junctions: ``(start, end)`` of side roads, metres along the road
    :param autumn: whether trees may have autumn colours
    :param standing: objects so far: position along the road (NaN: visible from everywhere) and mesh
    """

    rng: np.random.Generator
    style: Style
    layout: Layout
    line: Centreline
    junctions: list[tuple[float, float]]
    autumn: bool
    standing: list[tuple[float, Mesh]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._near_trees = [self._grow(near=True) for _ in range(4)]
        self._far_trees = [self._grow(near=False) for _ in range(4)]
        turned = [self.autumn and self.rng.random() < 0.5 for _ in range(4)]
        self._bushes = [vegetation.bush(self.rng, self.rng.uniform(0.7, 2.2), t) for t in turned]

    def _grow(self, near: bool) -> Mesh:
        rng = self.rng
        if rng.random() < 0.2:
            return vegetation.conifer(rng, rng.uniform(8, 16), near)
        return vegetation.broadleaf_tree(rng, rng.uniform(6, 14), self.autumn and rng.random() < 0.7, near)

    def junction_within(self, s0: float, s1: float, margin: float = 1.0) -> tuple[float, float] | None:
        """The first side road that the stretch from s0 to s1 comes closer to than ``margin``, or None."""
        return next((j for j in self.junctions if s0 < j[1] + margin and s1 > j[0] - margin), None)

    def spots(self, spacing: float, jitter: float = 0.0) -> list[float]:
        """Places along the road about every ``spacing`` metres, clear of side roads."""
        first = self.line.start + self.rng.uniform(0, spacing)
        places = np.arange(first, self.line.end, spacing)
        places = places + self.rng.normal(0, jitter, len(places)) if jitter else places
        return [float(s) for s in places if self.junction_within(s, s, 1.5) is None]

    def add(self, mesh: Mesh, s: float, lateral: float, turn: float = 0.0, scale: float = 1.0) -> None:
        """Put a mesh beside the road.

        :param turn: its heading relative to the road's, radians
        """
        side = 1 if lateral > 0 else -1
        beyond_kerb = abs(lateral) > self.layout.edge(side) and self.junction_within(s, s, 0.0) is None
        position = self.line.point(s, lateral, self.layout.kerb if beyond_kerb else 0.0)
        self.standing.append((s, mesh.placed(position, self.line.heading(s) + turn, scale)))

    def tree(self, s: float, lateral: float, near: bool) -> None:
        """Plant a tree, farther out if its lower branches would hang into the road.

        :param near: with a crown fine enough for a look from the road's edge
        """
        rng = self.rng
        trees = self._near_trees if near else self._far_trees
        tree, scale = trees[rng.integers(len(trees))], rng.uniform(0.75, 1.25)
        corners = tree.corners.reshape(-1, 3) * scale
        low = corners[corners[:, 2] < _HEADROOM]
        clearance = self.layout.half + np.hypot(low[:, 0], low[:, 1]).max() + 0.4
        side = 1 if lateral > 0 else -1
        self.add(tree, s, side * max(abs(lateral), clearance), rng.uniform(0, 2 * np.pi), scale)

    def bush(self, s: float, lateral: float) -> None:
        """Plant a bush."""
        rng = self.rng
        self.add(self._bushes[rng.integers(4)], s, lateral, rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.3))
