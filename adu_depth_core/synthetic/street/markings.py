"""Road markings and details: lines, crossings, arrows, repairs, manhole covers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.centreline import STEP, Centreline
from adu_depth_core.synthetic.geometry.mesh import Mesh, merge, quads
from adu_depth_core.synthetic.street.road import Layout
from adu_depth_core.synthetic.surfaces.materials import INDEX

_THICKNESS = 0.008  # of paint: enough for a ray caster to tell it from the asphalt at any range
Place = float | np.ndarray
_DASHES = {"dashed": (3.0, 9.0), "short": (1.5, 3.0), "solid": (STEP, STEP)}  # length and period, metres


class Markings:
    """Everything flat on the road's surface.

    :param junctions: ``(start, end)`` of side roads along the road
    """

    def __init__(
        self, rng: np.random.Generator, line: Centreline, layout: Layout, junctions: list[tuple[float, float]]
    ) -> None:
        self._rng, self._line, self._layout, self._junctions = rng, line, layout, junctions
        self._paint = np.full(3, rng.uniform(0.7, 1.0))

    def pieces(self) -> list[tuple[float, Mesh]]:
        """Meshes, each with its place along the road."""
        found = list(self._lines())
        for start, end in self._junctions:
            found += self._at_junction(start, end)
        return [*found, *self._repairs()]

    def _patch(
        self,
        s0: Place,
        s1: Place,
        lateral0: Place,
        lateral1: Place,
        material: str = "road_paint",
        tint: np.ndarray | None = None,
        tile: float = 2.0,
        thickness: float = _THICKNESS,
    ) -> Mesh:
        """Parallelogram from s0 to s1, lateral0 to lateral1: numbers, or arrays of one length for many."""
        origin = self._line.point(s0, lateral0, thickness)
        along = self._line.point(s1, lateral0, thickness) - origin
        across = self._line.point(s0, lateral1, thickness) - origin
        colour = self._paint if tint is None else tint
        return quads(origin, along, across, INDEX[material], colour, tile).labelled(PixelClass.GROUND)

    def _lines(self) -> Iterator[tuple[float, Mesh]]:
        layout = self._layout
        if layout.centre_line == "double":
            yield from self._line_at(0.12, "solid")
            yield from self._line_at(-0.12, "solid")
        elif layout.centre_line != "none":
            yield from self._line_at(0.0, layout.centre_line)
        for side in (1, -1):
            for lane in range(1, layout.lanes):
                yield from self._line_at(side * lane * layout.lane_width, "dashed")
            if layout.edge_line or layout.parking[0 if side > 0 else 1]:
                yield from self._line_at(side * (layout.half - 0.1), "solid" if layout.edge_line else "short")

    def _line_at(self, lateral: float, style: str, width: float = 0.12) -> Iterator[tuple[float, Mesh]]:
        """A line along the whole road, in pieces of 20 dashes, that leaves out junctions."""
        dash, period = _DASHES[style]
        starts = np.arange(self._line.start, self._line.end - dash, period)
        if style != "solid":
            starts = starts + self._rng.uniform(0, period)
        for start, end in self._junctions:
            starts = starts[(starts < start - 2 * dash) | (starts > end + dash)]
        for chunk in np.array_split(starts, max(1, len(starts) // 20)):
            if len(chunk):
                mesh = self._patch(chunk, chunk + dash, lateral - width / 2, lateral + width / 2)
                yield float(chunk.mean()), mesh

    def _at_junction(self, start: float, end: float) -> Iterator[tuple[float, Mesh]]:
        """Stop lines, a zebra crossing, broken edge lines, an arrow: each perhaps."""
        rng, half, lane_width = self._rng, self._layout.half, self._layout.lane_width
        if rng.random() < 0.7:
            yield start, self._patch(start - 1.6, start - 1.2, 0.15 - half, -0.2)
            yield end, self._patch(end + 1.2, end + 1.6, 0.2, half - 0.15)
        if rng.random() < 0.5:
            bars = np.arange(0.4 - half, half - 0.4, 1.0)
            at = start - 5.0 if rng.random() < 0.5 else end + 2.0
            yield at, self._patch(np.full(len(bars), at), at + 3.0, bars, bars + 0.5)
        if rng.random() < 0.5:
            dashes = np.arange(start, end - 0.5, 1.0)
            for lateral in (-half, half):
                yield start, self._patch(dashes, dashes + 0.5, lateral - 0.15, lateral + 0.15)
        if rng.random() < 0.6:
            tail = start - rng.uniform(8, 16)
            yield tail, self._arrow(tail, lane_width / 2 - half)

    def _arrow(self, s: float, lateral: float) -> Mesh:
        """Straight-ahead arrow: a shaft, and a head stepped from bars."""
        steps = np.arange(8)
        reach = 0.35 * (1 - steps / 8)
        bars = s + 2.6 + 0.2 * steps
        head = self._patch(bars, bars + 0.2, lateral - reach, lateral + reach)
        return merge([self._patch(s, s + 2.6, lateral - 0.09, lateral + 0.09), head])

    def _repairs(self) -> Iterator[tuple[float, Mesh]]:
        """Patches of other asphalt, tar-filled cracks, manhole covers."""
        rng, line, half = self._rng, self._line, self._layout.half
        for _ in range(int((line.end - line.start) / 9)):
            s, lateral, kind = rng.uniform(line.start, line.end), rng.uniform(-half, half - 1.5), rng.random()
            if kind >= 0.8:
                yield s, self._patch(s, s + 0.6, lateral, lateral + 0.6, "grille", np.full(3, 2.0), 0.6)
                continue
            if kind < 0.35:
                length, width = rng.uniform(1, 12), rng.uniform(0.6, 2.4)
                material, shade = self._layout.surface, rng.uniform(0.45, 1.4)
            else:
                length, width = (
                    (rng.uniform(4, 25), 0.05) if rng.random() < 0.6 else (0.06, rng.uniform(1, 4))
                )
                material, shade = "tar", 0.3
            far = min(lateral + width, half)
            # Thinner than paint, which goes over it.
            mesh = self._patch(s, s + length, lateral, far, material, np.full(3, shade), 4.0, _THICKNESS / 2)
            yield s, mesh
