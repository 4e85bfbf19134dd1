"""What one can drive and walk on: lanes, parking strips, kerbs, pavements, verges, the ground beyond."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from adu_depth_core.synthetic.centreline import STEP, Centreline
from adu_depth_core.synthetic.materials import INDEX
from adu_depth_core.synthetic.mesh import Mesh, loft, merge, quads


@dataclass(frozen=True)
class Layout:
    """Cross-section of the road; widths in metres, the ego lane is the right lane of the right half.

    :param lanes: lanes for each direction
    :param parking: width of the parking strip at each side (left, right), 0 for none
    :param verge: width of grass between kerb and pavement at each side
    :param pavement: width of the pavement at each side, 0 for none
    :param kerb: height of the kerb, 0 for none
    """

    lanes: int
    lane_width: float
    parking: tuple[float, float]
    verge: tuple[float, float]
    pavement: tuple[float, float]
    kerb: float
    surface: str
    pavement_surface: str
    ground: str
    centre_line: str
    edge_line: bool

    @property
    def half(self) -> float:
        """Centreline to the edge of the outer lane."""
        return self.lanes * self.lane_width

    def edge(self, side: int) -> float:
        """Distance from the centreline to the kerb; ``side`` is +1 left, -1 right."""
        return self.half + self.parking[0 if side > 0 else 1]

    def back(self, side: int) -> float:
        """Distance from the centreline to where private ground begins."""
        index = 0 if side > 0 else 1
        return self.edge(side) + self.verge[index] + self.pavement[index] + (0.15 if self.kerb else 0.0)


def _strip(
    line: Centreline, s0: float, s1: float, lateral: tuple[float, float], height: tuple[float, float],
    material: str, tint, tile: float,
) -> Mesh:  # fmt: skip
    s = np.linspace(s0, s1, max(2, int(np.ceil((s1 - s0) / STEP)) + 1))
    sections = np.stack([line.point(s, lat, z) for lat, z in zip(lateral, height, strict=True)], axis=1)
    across = np.array([0.0, np.hypot(lateral[1] - lateral[0], height[1] - height[0])]) + lateral[0]
    uv = np.stack(np.broadcast_arrays(across[None, :] / tile, s[:, None] / tile), axis=-1)
    return loft(sections, INDEX[material], tint, smooth=True, uv=uv)


def surfaces(
    rng: np.random.Generator,
    line: Centreline,
    layout: Layout,
    junctions: list[tuple[float, float]],
    reach: float,
) -> list[tuple[float, Mesh]]:
    """Everything one can drive or walk on, in pieces along the road.

    :param junctions: ``(start, end)`` of side roads along s
    :param reach: how far private ground extends from the centreline
    :return: pairs of s and mesh
    """
    tone = rng.uniform(0.6, 1.35)
    road_tint = tone * rng.uniform(0.95, 1.05, 3)
    walk_tint = rng.uniform(0.7, 1.3) * rng.uniform(0.93, 1.07, 3)
    ground_tint = rng.uniform(0.7, 1.2) * rng.uniform(0.9, 1.1, 3)
    walk_tile = {"paving": 1.6, "paving_bricks": 1.6, "cobbles": 1.6}.get(layout.pavement_surface, 3.0)
    parking_surface = str(rng.choice([layout.surface, "cobbles", "paving_bricks"]))
    pieces: list[tuple[float, Mesh]] = []
    for s0, s1, in_junction in _spans(line, junctions):
        parts = [_strip(line, s0, s1, (-layout.half, layout.half), (0, 0), layout.surface, road_tint, 4.0)]
        for side in (1, -1):
            index = 0 if side > 0 else 1
            bands: list[tuple[float, float, str, np.ndarray, float]] = []
            if in_junction:
                bands.append((reach, 0.0, layout.surface, road_tint * 0.95, 4.0))
            else:
                if layout.parking[index]:
                    bands.append((layout.edge(side), 0.0, parking_surface, road_tint, 3.0))
                if layout.kerb:
                    bands.append((layout.edge(side) + 0.01, layout.kerb, "concrete", np.full(3, 0.8), 1.0))
                    bands.append((layout.edge(side) + 0.15, layout.kerb, "concrete", np.full(3, 1.0), 1.0))
                if layout.verge[index]:
                    bands.append(
                        (
                            layout.edge(side) + layout.verge[index] + (0.15 if layout.kerb else 0),
                            layout.kerb,
                            layout.ground,
                            ground_tint,
                            2.5,
                        )
                    )
                if layout.pavement[index]:
                    bands.append(
                        (layout.back(side), layout.kerb, layout.pavement_surface, walk_tint, walk_tile)
                    )
                bands.append((reach, layout.kerb, layout.ground, ground_tint, 2.5))
            inner, low = layout.half, 0.0
            for outer, high, material, tint, tile in bands:
                parts.append(
                    _strip(line, s0, s1, (side * inner, side * outer), (low, high), material, tint, tile)
                )
                inner, low = outer, high
        pieces.append(((s0 + s1) / 2, merge(parts)))
    for start, end in junctions:
        if layout.kerb:
            for side in (1, -1):
                for s in (start, end):
                    a, b = line.point(s, side * layout.edge(side)), line.point(s, side * reach)
                    pieces.append(
                        (s, quads(a - (0, 0, 0.2), b - a, (0, 0, 0.2 + layout.kerb), INDEX["concrete"]))
                    )
    ground = line.lowest - 1.5
    edge = 2500.0
    plain = quads(
        (-edge, -edge, ground),
        (2 * edge, 0, 0),
        (0, 2 * edge, 0),
        INDEX[layout.ground],
        ground_tint * 0.9,
        3.0,
    )
    for s0, s1, _ in _spans(line, []):
        for side in (1, -1):
            slope = _strip(
                line, s0, s1, (side * reach, side * (reach + 30)), (0, -6), layout.ground, ground_tint, 2.5
            )
            pieces.append(((s0 + s1) / 2, slope))
    pieces.append((np.nan, plain))
    return pieces


def _spans(line: Centreline, junctions: list[tuple[float, float]]) -> list[tuple[float, float, bool]]:
    """The road cut at junctions and into pieces of at most 60 m."""
    cuts = sorted({line.start, line.end, *(x for j in junctions for x in j)})
    spans = []
    for s0, s1 in pairwise(cuts):
        inside = any(a <= s0 and s1 <= b for a, b in junctions)
        ends = np.linspace(s0, s1, int(np.ceil((s1 - s0) / 60.0)) + 1)
        spans += [(a, b, inside) for a, b in pairwise(ends)]
    return spans
