"""Rank correlation of two figures over the same frames."""

from __future__ import annotations

import numpy as np

FEWEST = 3
"""With fewer frames, any order is as good as another."""


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Spearman's rank correlation: Pearson's correlation of the ranks; equal values share their mean rank.

    :param first: finite numbers ``(N,)``
    :param second: finite numbers ``(N,)``
    :return: -1 to 1; None for fewer than ``FEWEST`` numbers, or if all of one are equal
    :raises ValueError: if the lengths differ
    """
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} numbers cannot be compared with {len(second)}")
    ranks = np.stack([_ranks(first), _ranks(second)])
    if ranks.shape[1] < FEWEST or not ranks.std(axis=1).all():
        return None
    return float(np.clip(np.corrcoef(ranks)[0, 1], -1.0, 1.0))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Mean rank of each value, from 0, among all."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[place]
