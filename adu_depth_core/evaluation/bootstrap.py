"""How far a mean over frames can be trusted."""

from __future__ import annotations

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95


def mean_intervals(values: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of each column and its 95 % percentile interval by the circular block bootstrap.

    Neighbouring frames of a drive look alike, so whole blocks of about the cube root of the number of
    frames are drawn (Politis and Romano 1992): single frames would promise more certainty than there is.
    Frames without a value (NaN) are left out of the mean.

    :param values: ``(frames, columns)``, in order of time
    :param seed: of the random draws
    :return: mean, low and high, each ``(columns,)``; NaN where no frame has a value
    """
    count = len(values)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    block = max(1, round(count ** (1 / 3)))
    rng = np.random.default_rng(seed)
    means = np.empty((RESAMPLES, values.shape[1]))
    with np.errstate(invalid="ignore", divide="ignore"):
        for row in range(RESAMPLES):
            starts = rng.integers(0, count, -(-count // block))
            drawn = ((starts[:, None] + np.arange(block)) % count).ravel()[:count]
            weight = np.bincount(drawn, minlength=count).astype(float)
            means[row] = weight @ filled / (weight @ known)
        mean = filled.sum(axis=0) / known.sum(axis=0)
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    some = known.any(axis=0)
    low[some], high[some] = np.nanquantile(means[:, some], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return mean, low, high
