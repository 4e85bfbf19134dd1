"""Error against the predicted uncertainty, gathered over frames without keeping pixels."""

from __future__ import annotations

import numpy as np

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
    def count(
        truth: np.ndarray, depth: np.ndarray, sigma: np.ndarray, mask: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Counts and sums of one frame; all ``(H, W)``, metres, ``mask`` the pixels that count."""
        members = np.flatnonzero(mask)
        members = members[:: max(1, members.size // MAX_PIXELS)]
        p, g, s = depth.ravel()[members], truth.ravel()[members], sigma.ravel()[members]
        relative = s / p
        bins = np.clip(np.searchsorted(SIGMA_EDGES, relative) - 1, 0, len(SIGMA_EDGES) - 2)
        errors = np.searchsorted(_ERROR_EDGES, np.abs(p - g) / p)
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
