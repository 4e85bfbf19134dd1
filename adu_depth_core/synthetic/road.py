"""The road: its course, its surfaces from kerb to kerb and beyond, and what is painted on it.

Places along the road are given as ``s`` (metres travelled along the centreline) and ``lateral`` (metres to
the left of it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.materials import INDEX
from adu_depth_core.synthetic.mesh import Mesh, loft, merge, quads

_STEP = 2.0
_DECAL = 0.008  # height of paint over the asphalt: enough for a ray caster to tell them apart at any range


class Centreline:
    """A smooth course with bends and gentle hills, from ``start`` to ``end`` metres.

    :param bend: typical curvature in 1/m
    :param hill: typical slope (rise over run)
    """

    def __init__(self, rng: np.random.Generator, start: float, end: float, bend: float, hill: float) -> None:
        self.start, self.end = start, end
        self._s = np.arange(start - _STEP, end + 2 * _STEP, _STEP)
        curvature = bend * _waves(rng, self._s, (90.0, 350.0))
        slope = hill * _waves(rng, self._s, (120.0, 500.0))
        heading = np.cumsum(curvature) * _STEP
        self._heading = heading - np.interp(0.0, self._s, heading)
        self._points = np.stack(
            [np.cumsum(f) * _STEP for f in (np.cos(self._heading), np.sin(self._heading), slope)], axis=1
        )
        self._points -= [np.interp(0.0, self._s, self._points[:, k]) for k in range(3)]
        self._slope = slope

    def heading(self, s: np.ndarray | float) -> np.ndarray | float:
        """Direction of travel, radians from world x."""
        return np.interp(s, self._s, self._heading)

    def slope(self, s: np.ndarray | float) -> np.ndarray | float:
        """Rise over run in the direction of travel."""
        return np.interp(s, self._s, self._slope)

    def point(
        self, s: np.ndarray | float, lateral: np.ndarray | float, above: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """World position ``(..., 3)`` of places given along and beside the road."""
        s, lateral, above = np.broadcast_arrays(s, lateral, above)
        base = np.stack([np.interp(s, self._s, self._points[:, k]) for k in range(3)], axis=-1)
        heading = self.heading(s)
        return base + np.stack([-np.sin(heading) * lateral, np.cos(heading) * lateral, above], axis=-1)

    def path(self, s0: float, s1: float, lateral: float, step: float = _STEP) -> np.ndarray:
        """Ground points ``(n, 3)`` beside the road from ``s0`` to ``s1``."""
        return self.point(np.linspace(s0, s1, max(2, int(np.ceil(abs(s1 - s0) / step)) + 1)), lateral)

    @property
    def lowest(self) -> float:
        """Lowest height of the road, metres."""
        return float(self._points[:, 2].min())


def _waves(rng: np.random.Generator, s: np.ndarray, lengths: tuple[float, float]) -> np.ndarray:
    """Sum of sines with wavelengths in the given range, about 1 at its peaks."""
    waves = [np.sin(2 * np.pi * (s / rng.uniform(*lengths) + rng.random())) for _ in range(3)]
    return np.mean(waves, axis=0) * 1.4


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
    s = np.linspace(s0, s1, max(2, int(np.ceil((s1 - s0) / _STEP)) + 1))
    sections = np.stack([line.point(s, lat, z) for lat, z in zip(lateral, height, strict=True)], axis=1)
    across = np.array([0.0, np.hypot(lateral[1] - lateral[0], height[1] - height[0])]) + lateral[0]
    uv = np.stack(np.broadcast_arrays(across[None, :] / tile, s[:, None] / tile), axis=-1)
    return loft(sections, INDEX[material], tint, smooth=True, uv=uv)


def surfaces(
    rng: np.random.Generator, line: Centreline, layout: Layout, junctions: list[tuple[float, float]], reach: float
) -> list[tuple[float, Mesh]]:  # fmt: skip
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
    for s0, s1 in zip(cuts, cuts[1:], strict=False):
        inside = any(a <= s0 and s1 <= b for a, b in junctions)
        ends = np.linspace(s0, s1, int(np.ceil((s1 - s0) / 60.0)) + 1)
        spans += [(a, b, inside) for a, b in zip(ends, ends[1:], strict=False)]
    return spans


def _patch(
    line: Centreline, s0, s1, lateral0, lateral1, material: str, tint=(1.0, 1.0, 1.0), tile=2.0, level=1
) -> Mesh:
    """Flat four-sided decals; ``s0`` .. ``lateral1`` are numbers or arrays of one length."""
    height = _DECAL * level
    origin = line.point(s0, lateral0, height)
    # Parallelograms, so that short marks follow a bend closely enough.
    return quads(
        origin,
        line.point(s1, lateral0, height) - origin,
        line.point(s0, lateral1, height) - origin,
        INDEX[material],
        tint,
        tile,
    )


def markings(
    rng: np.random.Generator, line: Centreline, layout: Layout, junctions: list[tuple[float, float]]
) -> list[tuple[float, Mesh]]:  # fmt: skip
    """Lane lines, stop lines, crossings, arrows, repairs and manhole covers: pairs of s and mesh."""
    paint = (rng.uniform(0.7, 1.0),) * 3
    pieces: list[tuple[float, Mesh]] = []

    def clear_of_junctions(s: np.ndarray, margin: float = 1.0) -> np.ndarray:
        keep = np.ones(len(s), bool)
        for a, b in junctions:
            keep &= (s < a - margin) | (s > b + margin)
        return keep

    def line_at(lateral: float, style: str, width: float) -> None:
        dash, period = {"dashed": (3.0, 9.0), "short": (1.5, 3.0), "solid": (_STEP, _STEP)}[style]
        starts = np.arange(line.start, line.end - dash, period) + (
            rng.uniform(0, period) if style != "solid" else 0.0
        )
        starts = starts[clear_of_junctions(starts, dash)]
        for chunk in np.array_split(starts, max(1, len(starts) // 20)):
            if len(chunk):
                ends = chunk + dash * (1.001 if style == "solid" else 1.0)
                mesh = _patch(
                    line, chunk, ends, lateral - width / 2, lateral + width / 2, "road_paint", paint
                )
                pieces.append((float(chunk.mean()), mesh))

    if layout.centre_line == "double":
        line_at(0.12, "solid", 0.12)
        line_at(-0.12, "solid", 0.12)
    elif layout.centre_line != "none":
        line_at(0.0, layout.centre_line, 0.12)
    for lane in range(1, layout.lanes):
        for side in (1, -1):
            line_at(side * lane * layout.lane_width, "dashed", 0.12)
    for side in (1, -1):
        if layout.edge_line or layout.parking[0 if side > 0 else 1]:
            line_at(side * (layout.half - 0.1), "solid" if layout.edge_line else "short", 0.12)

    for start, end in junctions:
        width = layout.half
        if rng.random() < 0.7:
            pieces.append(
                (start, _patch(line, start - 1.6, start - 1.2, -width + 0.15, -0.2, "road_paint", paint))
            )
            pieces.append((end, _patch(line, end + 1.2, end + 1.6, 0.2, width - 0.15, "road_paint", paint)))
        if rng.random() < 0.5:
            bars = np.arange(-width + 0.4, width - 0.4, 1.0)
            at = start - 5.0 if rng.random() < 0.5 else end + 2.0
            pieces.append(
                (at, _patch(line, np.full(len(bars), at), at + 3.0, bars, bars + 0.5, "road_paint", paint))
            )
        if rng.random() < 0.5:
            for lateral in (-width, width):
                dashes = np.arange(start, end - 0.5, 1.0)
                pieces.append(
                    (
                        start,
                        _patch(
                            line, dashes, dashes + 0.5, lateral - 0.15, lateral + 0.15, "road_paint", paint
                        ),
                    )
                )
        if rng.random() < 0.6:
            pieces.append(
                (
                    start,
                    _arrow(
                        line,
                        start - rng.uniform(8, 16),
                        -layout.lane_width / 2 - (layout.lanes - 1) * layout.lane_width,
                        paint,
                    ),
                )
            )

    for _ in range(int((line.end - line.start) / 9)):
        s, lateral = rng.uniform(line.start, line.end), rng.uniform(-layout.half, layout.half - 1.5)
        kind = rng.random()
        if kind < 0.35:
            length, width = rng.uniform(1, 12), rng.uniform(0.6, 2.4)
            shade = np.full(3, rng.uniform(0.45, 1.4))
            pieces.append(
                (
                    s,
                    _patch(
                        line,
                        s,
                        s + length,
                        lateral,
                        min(lateral + width, layout.half),
                        layout.surface,
                        shade,
                        4.0,
                        level=0.5,
                    ),
                )
            )
        elif kind < 0.8:
            long = rng.random() < 0.6
            size = (rng.uniform(4, 25), 0.05) if long else (0.06, rng.uniform(1, 4))
            pieces.append(
                (
                    s,
                    _patch(
                        line,
                        s,
                        s + size[0],
                        lateral,
                        min(lateral + size[1], layout.half),
                        "tar",
                        np.full(3, 0.3),
                        4.0,
                        level=0.5,
                    ),
                )
            )
        else:
            pieces.append(
                (s, _patch(line, s, s + 0.6, lateral, lateral + 0.6, "grille", np.full(3, 2.0), 0.6))
            )
    return pieces


def _arrow(line: Centreline, s: float, lateral: float, paint) -> Mesh:
    """Straight-ahead arrow: shaft, and a head stepped from bars."""
    steps = np.arange(8)
    width = 0.7 * (1 - steps / 8)
    head = _patch(
        line,
        s + 2.6 + 0.2 * steps,
        s + 2.8 + 0.2 * steps,
        lateral - width / 2,
        lateral + width / 2,
        "road_paint",
        paint,
    )
    return merge([_patch(line, s, s + 2.6, lateral - 0.09, lateral + 0.09, "road_paint", paint), head])
