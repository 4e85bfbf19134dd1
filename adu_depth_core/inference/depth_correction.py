"""A smooth correction of predicted depth, part of a camera profile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PIVOT = 10.0
"""Depth in metres at which ``distance_exponent`` has no effect."""


@dataclass(frozen=True)
class DepthCorrection:
    """``depth * exp(log_scale + row(slope)) * (depth / PIVOT) ** distance_exponent`` (ours).

    :param log_scale: logarithm of the factor of all depth
    :param distance_exponent: makes distant points farther (above 0) or nearer (below 0); above -1, so that
        depth stays monotonic
    :param row_slopes: rising; slope of a pixel's ray, ``(v - cy) / fy``: positive below the optical axis, the
        same for a row of the image at any size
    :param row_logs: logarithm of a factor at each of these, interpolated linearly between them and constant
        beyond
    """

    log_scale: float = 0.0
    distance_exponent: float = 0.0
    row_slopes: tuple[float, ...] = ()
    row_logs: tuple[float, ...] = ()

    @property
    def scale(self) -> float:
        """Factor of depth at ``PIVOT``, rows aside."""
        return math.exp(self.log_scale)

    def log_factor(self, depth: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Logarithm of the factor of depth.

        :param depth: metres, above 0
        :param slope: of each pixel's ray, of the shape of ``depth`` or one that broadcasts to it
        :return: of the shape of ``depth``, float32 where that is
        """
        change = np.full(depth.shape, self.log_scale, depth.dtype)
        if self.distance_exponent:
            change += depth.dtype.type(self.distance_exponent) * np.log(depth / depth.dtype.type(PIVOT))
        if self.row_slopes:
            change += np.interp(slope, self.row_slopes, self.row_logs).astype(depth.dtype)
        return change

    def __str__(self) -> str:
        """In the words of a log line: ``depth x 1.234 x (depth / 10 m)^-0.100``."""
        text = f"depth x {self.scale:.3f}"
        if self.distance_exponent:
            text += f" x (depth / {PIVOT:g} m)^{self.distance_exponent:+.3f}"
        if self.row_slopes:
            factors = np.exp(self.row_logs)
            text += f" x {factors[0]:.3f} at the top to {factors[-1]:.3f} at the bottom"
        return text
