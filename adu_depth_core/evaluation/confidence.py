"""Confidence interval of a mean over the frames of drives.

Frames are not independent samples: the scene of a drive changes within seconds, and drives differ from
each other. All recordings are cut into ``STRETCHES`` pieces of equal time, and the mean of a piece is
modelled as

    mean + what its drive has for itself + what lasts for longer than a piece + what it has for itself

all Gaussian; the third part decays exponentially (an Ornstein-Uhlenbeck process: AR(1) at any times). How
long it lasts, and how much of the variance each part has, is not known and only vaguely told by a drive: an
interval by the best guess, such as that of a block bootstrap with blocks of the best length, is too narrow.
So the interval averages over a grid of all of them, weighted by how well they explain the values (the
likelihood with the mean integrated out, as in REML: Harville 1974). Given the parts the mean has Student's t
distribution. The likelihood comes from a Kalman filter (Jones 1981). That only low frequencies tell of the
uncertainty of a mean is the idea of Müller and Watson (2008).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

LEVEL = 0.95

ENOUGH = 5.0
"""Minimum effective sample size for a decision."""

SHORTEST = 10.0
"""Minimum seconds of driving: shorter drives cannot separate effects that last for seconds from permanent
ones."""

LONGEST_MEMORY = 10.0
"""Maximum correlation time in seconds for short drives; for long ones a quarter of the drive."""

STRETCHES = 20
"""Number of pieces into which all recordings are cut. Correlation within a piece, of any kind, is noise
in their means; only longer correlation matters for the overall mean, and is modelled."""

_MEMORY_STEP = 1.8
"""Ratio of neighbouring correlation times in the grid."""

_SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97)
"""Candidate shares of the correlated part in the variance within a drive, other than all or none."""

_KINDS = (0.7, 0.15, 0.15)
"""Prior probabilities that none, all, or a share of the variance is correlated over time. With these
numbers intervals have nominal coverage on simulated drives of many kinds (see the tests)."""

_BETWEEN = np.array([0.0, *np.geomspace(0.01, 1e4, 13)])
"""Variance between drives over that of pieces within them."""

_BETWEEN_WEIGHT = np.array([0.15, *np.full(13, 0.85 / 13)])

_LEAST = 1e-12
"""Sum of squares, with frames of variance 1, of pieces that are all alike though their frames are not."""


class MeanIntervals(NamedTuple):
    """Means and their 95 % intervals; each array is ``(columns,)``.

    :param low: NaN, as ``high``, where fewer than two frames have a value
    :param independent: effective sample size of the mean
    :param decided: whether they are enough to say more than "unknown"
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    independent: np.ndarray
    decided: np.ndarray


def mean_intervals(values: np.ndarray, seconds: np.ndarray, drives: np.ndarray) -> MeanIntervals:
    """Mean of each column and its interval.

    With several drives the interval is for drives of their kind, with one for that drive's.

    :param values: ``(frames, columns)``; frames without a value (NaN) are left out of a column
    :param seconds: time of each frame, rising within a drive, ``(frames,)``
    :param drives: number of each frame's drive, ``(frames,)``; its frames follow each other
    """
    columns = values.shape[1]
    mean, low, high, independent = (np.full(columns, np.nan) for _ in range(4))
    result = MeanIntervals(mean, low, high, independent, np.zeros(columns, bool))
    known = np.isfinite(values)
    patterns, pattern_of = np.unique(known, axis=1, return_inverse=True)
    for number, frames in enumerate(patterns.T):
        chosen = np.flatnonzero(pattern_of.ravel() == number)
        if frames.any():
            found = _complete(values[np.ix_(frames, chosen)], seconds[frames], drives[frames])
            for all_columns, some in zip(result, found, strict=True):
                all_columns[chosen] = some
    return result


def _complete(values: np.ndarray, seconds: np.ndarray, drives: np.ndarray) -> MeanIntervals:
    """``mean_intervals`` of columns in which every frame has a value."""
    count, columns = values.shape
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    varies = deviation > 1e-9 * np.abs(mean)
    if count == 1:
        unknown = np.full(columns, np.nan)
        return MeanIntervals(mean, unknown, unknown, np.ones(columns), np.zeros(columns, bool))
    first = np.flatnonzero(np.diff(drives, prepend=drives[0] - 1))
    parts = [slice(*ends) for ends in zip(first, [*first[1:], count], strict=True)]
    durations = np.array([seconds[part][-1] - seconds[part][0] for part in parts])
    steps = np.concatenate([np.diff(seconds[part]) for part in parts])
    step = float(np.median(steps)) if steps.size else SHORTEST
    driven = float(durations.sum()) + step * len(parts)
    stretch = max(step, driven / STRETCHES)
    scaled = (values - mean) / np.where(varies, deviation, 1.0)
    stretches = [_stretches(scaled[part], seconds[part], stretch) for part in parts]
    usual = count / sum(len(frames) for _, _, frames in stretches)
    models = _models(stretch / 2, max(LONGEST_MEMORY, durations.max() / 4, stretch))
    told = [_filtered(*of_drive, usual, count, models) for of_drive in stretches]
    weights, variances, degrees = _posterior(told, models, varies)
    half = np.where(varies, _half_width(weights, np.sqrt(variances), degrees) * deviation, 0.0)
    # The sample variance of slowly varying values is too low, by about the variance of their mean.
    independent = np.where(varies, 1 / (weights * variances / (1 + variances)).sum(axis=1), count)
    independent = np.minimum(independent, count)
    enough = (independent >= ENOUGH) & (driven >= SHORTEST)
    return MeanIntervals(mean, mean - half, mean + half, independent, enough)


def _stretches(
    values: np.ndarray, seconds: np.ndarray, length: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over stretches of a drive: values ``(stretches, columns)``, their times, and how many frames."""
    number = ((seconds - seconds[0]) / length + 1e-6).astype(np.intp)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    frames = np.diff(first, append=len(number))
    return np.add.reduceat(values, first) / frames[:, None], np.add.reduceat(seconds, first) / frames, frames


class _Models(NamedTuple):
    """Models of the variation within a drive; each array is ``(models,)``.

    :param memory: correlation time in seconds (decay to 1/e)
    :param share: correlated share of the variance; the rest is independent in each piece
    :param weight: prior probability
    """

    memory: np.ndarray
    share: np.ndarray
    weight: np.ndarray


def _models(shortest: float, longest: float) -> _Models:
    """The grid: ``_KINDS`` by memory and share."""
    count = 1 + math.ceil(math.log(longest / shortest) / math.log(_MEMORY_STEP))
    memories = np.geomspace(shortest, longest, count)
    kinds = [(memories[:1], (0.0,)), (memories, (1.0,)), (memories, _SHARES)]
    grids = [[axis.ravel() for axis in np.meshgrid(*kind)] for kind in kinds]
    weights = [
        np.full(memory.size, kind / memory.size) for kind, (memory, _) in zip(_KINDS, grids, strict=True)
    ]
    return _Models(*(np.concatenate(column) for column in (*zip(*grids, strict=True), weights)))


class _Told(NamedTuple):
    """Sufficient statistics of a drive, in units of the variance within it, by model.

    :param stretches: number of stretches
    :param part: of all frames that are this drive's
    :param mean: generalized least squares estimate of the drive's mean, ``(columns, models)``
    :param information: inverse of its variance, ``(models,)``
    :param squares: weighted squares of the residuals around it, ``(columns, models)``
    :param log_det: logarithm of the determinant of the stretches' correlation matrix, ``(models,)``
    :param total: sum of that matrix weighted by the stretches' parts of all frames, ``(models,)``
    """

    stretches: int
    part: float
    mean: np.ndarray
    information: np.ndarray
    squares: np.ndarray
    log_det: np.ndarray
    total: np.ndarray


def _filtered(
    values: np.ndarray,
    seconds: np.ndarray,
    frames: np.ndarray,
    usual: float,
    all_frames: int,
    models: _Models,
) -> _Told:
    """Kalman filter of the lasting part, for each column and, to find the mean, for a column of ones.

    :param values: of stretches, ``(stretches, columns)``
    :param seconds: their times
    :param frames: numbers of frames that they are means of; the more, the smaller the independent part
    :param usual: mean number of frames of a stretch, in all drives
    :param all_frames: their sum
    """
    variance = models.share.copy()  # of the lasting part, before the stretch is seen
    lasting = np.zeros((values.shape[1], len(variance)))
    lasting_ones = np.zeros_like(variance)
    log_det, information, before, total = (np.zeros_like(variance) for _ in range(4))
    squares, products = np.zeros_like(lasting), np.zeros_like(lasting)
    for row, step, count in zip(values, np.diff(seconds, prepend=seconds[0]), frames, strict=True):
        kept = np.exp(-step / models.memory)
        lasting *= kept
        lasting_ones *= kept
        variance = kept**2 * variance + models.share * (1 - kept**2)
        noise = (1 - models.share) * usual / count
        part = count / all_frames
        before = kept * before  # sum of the correlations with all earlier stretches, by their parts
        total += part**2 * (models.share + noise) + 2 * part * models.share * before
        before += part
        expected = variance + noise
        surprise, surprise_ones = row[:, None] - lasting, 1 - lasting_ones
        weighted = surprise / expected
        squares += surprise * weighted
        products += surprise_ones * weighted
        information += surprise_ones**2 / expected
        log_det += np.log(expected)
        gain = variance / expected
        lasting += gain * surprise
        lasting_ones += gain * surprise_ones
        variance = variance * (1 - gain)
    mean = products / information
    return _Told(
        len(values), frames.sum() / all_frames, mean, information, squares - mean * products, log_det, total
    )


def _posterior(told: list[_Told], models: _Models, varies: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Posterior weight of each model, with each variance between drives.

    :param varies: columns that are no constants, ``(columns,)``
    :return: weight, variance of the mean over all frames, both ``(columns, models * variances between
        drives)``, and its degrees of freedom
    """
    degrees = sum(drive.stretches for drive in told) - 1
    log_weights, variances = [], []
    for between, prior in zip(*_between(len(told)), strict=True):
        information = [drive.information / (1 + between * drive.information) for drive in told]
        together = sum(information)
        mean = sum(i * drive.mean for i, drive in zip(information, told, strict=True)) / together
        squares = sum(
            drive.squares + i * (drive.mean - mean) ** 2 for i, drive in zip(information, told, strict=True)
        )
        squares = np.where(varies[:, None], np.maximum(squares, _LEAST), 1.0)
        log_det = sum(drive.log_det + np.log1p(between * drive.information) for drive in told)
        fit = -0.5 * (log_det + np.log(together)) - degrees / 2 * np.log(squares)
        log_weights.append(fit + np.log(models.weight * prior))
        of_mean = sum(drive.total + between * drive.part**2 for drive in told)
        variances.append(squares / degrees * of_mean)
    log_weight = np.concatenate(log_weights, axis=1)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True), np.concatenate(variances, axis=1), degrees


def _between(drives: int) -> tuple[np.ndarray, np.ndarray]:
    """Variances between drives and their weights; a single drive carries no information on them."""
    return (_BETWEEN, _BETWEEN_WEIGHT) if drives > 1 else (_BETWEEN[:1], np.ones(1))


def _half_width(weights: np.ndarray, errors: np.ndarray, degrees: int) -> np.ndarray:
    """Half width of the central interval of a mixture of Student's t distributions, ``(columns,)``.

    With t = sqrt(degrees) * tan(angle) the density of t becomes a power of the cosine.
    """
    degrees = min(degrees, 100_000)  # beyond, it is the normal distribution
    angles = np.linspace(0, np.pi / 2, 4001)
    density = np.cos(angles) ** (degrees - 1)
    inside = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    inside /= inside[-1]
    units = np.maximum(errors, np.finfo(float).tiny) * np.sqrt(degrees)
    one = np.tan(np.interp(LEVEL, inside, angles))
    low: np.ndarray = one * units.min(axis=1)
    high: np.ndarray = one * units.max(axis=1)
    for _ in range(50):
        middle = (low + high) / 2
        covered = (weights * np.interp(np.arctan(middle[:, None] / units), angles, inside)).sum(axis=1)
        low, high = np.where(covered < LEVEL, middle, low), np.where(covered < LEVEL, high, middle)
    return high
