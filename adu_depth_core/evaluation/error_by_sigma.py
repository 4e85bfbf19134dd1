"""Error against the predicted uncertainty, gathered over frames without keeping pixels."""

from __future__ import annotations

import math

import numpy as np

from adu_depth_core.evaluation.pixels import Pixels
from adu_depth_core.evaluation.uncertainty import ONE_SIGMA

SIGMA_EDGES = np.geomspace(0.005, 2.0, 17)
"""Edges of the bins of sigma / depth."""

_ERROR_EDGES = np.geomspace(1e-4, 10.0, 401)
MAX_PIXELS = 20_000
"""About as many pixels of a frame are taken, evenly spread over those that count."""


class ErrorHistogram:
    """Counts pixels by relative sigma and relative error."""

    def __init__(self) -> None:
        self._counts = np.zeros((len(SIGMA_EDGES) - 1, len(_ERROR_EDGES) + 1), np.int64)
        self._sigma_sums = np.zeros(len(SIGMA_EDGES) - 1)

    def add(self, counts: np.ndarray, sigma_sums: np.ndarray) -> None:
        """Take what ``count`` made of a frame."""
        self._counts += counts
        self._sigma_sums += sigma_sums

    @staticmethod
    def count(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
        """Counts and sums of one frame.

        :raises ValueError: if its pixels have no sigma
        """
        if pixels.sigma is None:
            raise ValueError("the pixels have no sigma")
        some = slice(None, None, max(1, pixels.truth.size // MAX_PIXELS))
        # Single precision is much finer than the bins, and its logarithm several times as fast.
        p, g, s = (v[some].astype(np.float32) for v in (pixels.prediction, pixels.truth, pixels.sigma))
        relative = s / p
        bins = np.clip(_edges_below(relative, SIGMA_EDGES) - 1, 0, len(SIGMA_EDGES) - 2)
        errors = _edges_below(np.abs(p - g) / p, _ERROR_EDGES)
        shape = (len(SIGMA_EDGES) - 1, len(_ERROR_EDGES) + 1)
        counts = np.bincount(bins * shape[1] + errors, minlength=shape[0] * shape[1]).reshape(shape)
        return counts, np.bincount(bins, relative, minlength=shape[0])

    def summary(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean sigma / depth, 68.3 % quantile of \\|error\\| / depth and pixels of each bin that has any."""
        pixels = self._counts.sum(axis=1)
        some = np.flatnonzero(pixels)
        edges = np.concatenate([[0.0], _ERROR_EDGES, [_ERROR_EDGES[-1]]])
        quantiles = []
        for row in self._counts[some]:
            covered = np.concatenate([[0], np.cumsum(row)]) / row.sum()
            quantiles.append(np.interp(ONE_SIGMA, covered, edges))
        return self._sigma_sums[some] / pixels[some], np.array(quantiles), pixels[some]


def _edges_below(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number of ``edges``, which are in geometric progression, below each value."""
    lowest, step = float(edges[0]), math.log(edges[1] / edges[0])
    position = np.log(np.maximum(values, 0.5 * lowest) / lowest) / step
    below: np.ndarray = np.clip(np.ceil(position), 0, len(edges)).astype(np.intp)
    return below
