"""The course of a road through the world.

Places along a road are given as ``s`` (metres travelled along its centreline) and ``lateral`` (metres to the
left of it).
"""

from __future__ import annotations

import numpy as np

STEP = 2.0
"""Metres between the points that define the course; it is straight between them."""


class Centreline:
    """A smooth course with bends and gentle hills, from ``start`` to ``end`` metres.

    :param bend: typical curvature in 1/m
    :param hill: typical slope (rise over run)
    """

    def __init__(self, rng: np.random.Generator, start: float, end: float, bend: float, hill: float) -> None:
        self.start, self.end = start, end
        self._s = np.arange(start - STEP, end + 2 * STEP, STEP)
        curvature = bend * _waves(rng, self._s, (90.0, 350.0))
        slope = hill * _waves(rng, self._s, (120.0, 500.0))
        heading = np.cumsum(curvature) * STEP
        self._heading = heading - np.interp(0.0, self._s, heading)
        self._points = np.stack(
            [np.cumsum(f) * STEP for f in (np.cos(self._heading), np.sin(self._heading), slope)], axis=1
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

    def path(self, s0: float, s1: float, lateral: float, step: float = STEP) -> np.ndarray:
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
