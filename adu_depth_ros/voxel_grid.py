"""Downsampling to one point per voxel, whose size follows the points' uncertainty."""

from __future__ import annotations

import numpy as np

LEVELS = 24
"""Maximum number of doublings of the voxel size."""

BITS = 18
"""Bits of each coordinate in a voxel's key."""


def thin_out(
    points: np.ndarray, rgb: np.ndarray, sigma: np.ndarray, size: float, sigmas: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One point per voxel: redundant pixels on one place are merged, and distant, uncertain points do not
    need the grid of near ones.

    A point whose sigma is large lies in a voxel of 2, 4, 8, ... times the size: the smallest that is at
    least ``sigmas * sigma``. A voxel's point is the inverse-variance weighted mean of its points; its sigma
    is the mean, because errors of neighbouring pixels are correlated; its colour is the mean.

    :param points: float32 ``(N, 3)`` metres
    :param rgb: uint8 ``(N, 3)``
    :param sigma: float32 ``(N,)`` metres, > 0
    :param size: metres, the smallest voxel's edge
    :param sigmas: edge in sigmas
    :return: points, rgb and sigma of the voxels, likewise
    """
    wanted = np.maximum(np.float32(sigmas) * sigma / np.float32(size), np.float32(1.0))
    level = np.minimum(np.ceil(np.log2(wanted)), LEVELS).astype(np.int64)
    edge = np.float32(size) * np.exp2(level).astype(np.float32)
    place = np.floor(points / edge[:, None]).astype(np.int64) & ((1 << BITS) - 1)
    key = ((level << BITS | place[:, 0]) << BITS | place[:, 1]) << BITS | place[:, 2]
    _, voxel, count = np.unique(key, return_inverse=True, return_counts=True)
    weight = 1.0 / np.square(sigma.astype(np.float64))
    total = np.bincount(voxel, weight)

    def mean(values: np.ndarray, weights: np.ndarray | None, by: np.ndarray) -> np.ndarray:
        columns = [
            np.bincount(voxel, column if weights is None else weights * column) / by for column in values.T
        ]
        return np.stack(columns, axis=1)

    return (
        mean(points, weight, total).astype(np.float32),
        np.round(mean(rgb, None, count)).astype(np.uint8),
        mean(sigma[:, None], None, count)[:, 0].astype(np.float32),
    )
