"""Drivable and walkable surfaces: lanes, parking strips, kerbs, pavements, verges, the ground beyond."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.centreline import STEP, Centreline
from adu_depth_core.synthetic.geometry.mesh import Mesh, loft, merge, quads
from adu_depth_core.synthetic.surfaces.materials import INDEX

_KERB_WIDTH = 0.15
_SLAB = 1.6  # metres that one repetition of a paving texture covers
_LONGEST_PIECE = 60.0


@dataclass(frozen=True)
class Layout:
    """Cross-section of the road, in metres. Pairs are for the left and the right side, 0 for none.

    :param lanes: lanes for each direction
    :param parking: width of the parking strips
    :param verge: width of the strips of ground between kerb and pavement
    :param pavement: width of the pavements
    :param kerb: height of the kerbs, 0 for none
    :param surface: material of the lanes
    :param pavement_surface: material of the pavements
    :param ground: material of verges and of the land beyond
    :param centre_line: ``dashed``, ``short``, ``double`` or ``none``
    :param edge_line: whether solid lines bound the outer lanes
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

    def kerb_back(self, side: int) -> float:
        """Distance from the centreline to the far side of the kerb."""
        return self.edge(side) + (_KERB_WIDTH if self.kerb else 0.0)

    def back(self, side: int) -> float:
        """Distance from the centreline to where private ground begins."""
        index = 0 if side > 0 else 1
        return self.kerb_back(side) + self.verge[index] + self.pavement[index]


@dataclass(frozen=True)
class _Band:
    """A strip of the cross-section, from where the last one ended.

    :param outer: distance of its outer edge from the centreline
    :param height: of its outer edge above the road
    :param tile: metres that one repetition of its texture covers
    """

    outer: float
    height: float
    material: str
    tint: np.ndarray
    tile: float


class Surfaces:
    """Everything one can drive or walk on.

    :param junctions: ``(start, end)`` of side roads along the road
    :param reach: distance from the centreline to which the ground is level with the road
    """

    def __init__(
        self,
        rng: np.random.Generator,
        line: Centreline,
        layout: Layout,
        junctions: list[tuple[float, float]],
        reach: float,
    ) -> None:
        self._line, self._layout, self._junctions, self._reach = line, layout, junctions, reach
        self._road_tint = rng.uniform(0.6, 1.35) * rng.uniform(0.95, 1.05, 3)
        self._walk_tint = rng.uniform(0.7, 1.3) * rng.uniform(0.93, 1.07, 3)
        self._ground_tint = rng.uniform(0.7, 1.2) * rng.uniform(0.9, 1.1, 3)
        self._parking_surface = str(rng.choice([layout.surface, "cobbles", "paving_bricks"]))

    def pieces(self) -> list[tuple[float, Mesh]]:
        """Meshes, each with its place along the road (NaN: seen from everywhere)."""
        layout, half = self._layout, self._layout.half
        asphalt = _Band(half, 0.0, layout.surface, self._road_tint, 4.0)
        found = []
        for start, end, in_junction in self._spans():
            parts = [self._strip(start, end, (-half, 0.0), asphalt)]
            for side in (1, -1):
                inner, height = half, 0.0
                for band in self._side_road() if in_junction else self._bands(side):
                    parts.append(self._strip(start, end, (side * inner, height), band, side))
                    inner, height = band.outer, band.height
            found.append(((start + end) / 2, merge(parts)))
        found += [*self._kerbs_of_side_roads(), (np.nan, self._plain())]
        return [(s, mesh.labelled(PixelClass.GROUND)) for s, mesh in found]

    def _spans(self) -> list[tuple[float, float, bool]]:
        """Start and end of pieces along the road, and whether they lie in a junction."""
        line = self._line
        inside = {cut for junction in self._junctions for cut in junction if line.start < cut < line.end}
        spans = []
        for start, end in pairwise(sorted({line.start, line.end, *inside})):
            in_junction = any(a <= start and end <= b for a, b in self._junctions)
            cuts = np.linspace(start, end, int(np.ceil((end - start) / _LONGEST_PIECE)) + 1)
            spans += [(a, b, in_junction) for a, b in pairwise(cuts)]
        return spans

    def _strip(
        self, start: float, end: float, inner: tuple[float, float], band: _Band, side: int = 1
    ) -> Mesh:
        """A band of the cross-section drawn along the road.

        :param inner: lateral position and height of its inner edge
        """
        s = np.linspace(start, end, max(2, int(np.ceil((end - start) / STEP)) + 1))
        outer = (side * band.outer, band.height)
        sections = np.stack(
            [self._line.point(s, lateral, height) for lateral, height in (inner, outer)], axis=1
        )
        across = inner[0] + np.array([0.0, np.hypot(outer[0] - inner[0], outer[1] - inner[1])])
        uv = np.stack(np.broadcast_arrays(across[None, :], s[:, None]), axis=-1) / band.tile
        return loft(sections, INDEX[band.material], band.tint, uv=uv)

    def _bands(self, side: int) -> list[_Band]:
        """Cross-section beside the lanes: parking, kerb, verge, pavement, private ground, a slope down."""
        layout, index = self._layout, 0 if side > 0 else 1
        edge, behind, kerb = layout.edge(side), layout.kerb_back(side), layout.kerb
        tile = 3.0 if layout.pavement_surface in ("concrete", "asphalt_old") else _SLAB
        return [
            band
            for wanted, band in (
                (layout.parking[index], _Band(edge, 0.0, self._parking_surface, self._road_tint, 3.0)),
                (kerb, _Band(edge + 0.01, kerb, "concrete", np.full(3, 0.8), 1.0)),
                (kerb, _Band(behind, kerb, "concrete", np.full(3, 1.0), 1.0)),
                (layout.verge[index], self._land(behind + layout.verge[index])),
                (
                    layout.pavement[index],
                    _Band(layout.back(side), kerb, layout.pavement_surface, self._walk_tint, tile),
                ),
                (True, self._land(self._reach)),
                (True, self._land(self._reach + 30.0, -6.0)),
            )
            if wanted
        ]

    def _side_road(self) -> list[_Band]:
        asphalt = _Band(self._reach, 0.0, self._layout.surface, self._road_tint * 0.95, 4.0)
        return [asphalt, self._land(self._reach + 30.0, -6.0)]

    def _land(self, outer: float, height: float | None = None) -> _Band:
        height = self._layout.kerb if height is None else height
        return _Band(outer, height, self._layout.ground, self._ground_tint, 2.5)

    def _kerbs_of_side_roads(self) -> Iterator[tuple[float, Mesh]]:
        """The step from a side road up to the ground beside it."""
        if not self._layout.kerb:
            return
        for s in (cut for junction in self._junctions for cut in junction):
            for side in (1, -1):
                near = self._line.point(s, side * self._layout.edge(side), -0.2)
                far = self._line.point(s, side * self._reach, -0.2)
                yield s, quads(near, far - near, (0, 0, 0.2 + self._layout.kerb), INDEX["concrete"])

    def _plain(self) -> Mesh:
        """Flat land to the horizon."""
        half, level = 2500.0, self._line.lowest - 1.5
        corner, x, y = (-half, -half, level), (2 * half, 0, 0), (0, 2 * half, 0)
        return quads(corner, x, y, INDEX[self._layout.ground], self._ground_tint * 0.9, 3.0)
