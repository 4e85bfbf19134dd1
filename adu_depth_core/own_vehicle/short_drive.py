"""Corrections from drives that cannot tell a camera's error from another one.

A drive may be too short, or its ground truth in doubt for a reason that all frames share, as a road's is.

Even at home a model errs differently from scene to scene, and a drive of some seconds sees hardly more than
one. What it shows, the mean of a value over its frames, is therefore taken as

    error of the camera + error of the scenes,   N(0, cameras**2) + N(0, scenes**2 * share)

with spreads known from other drives, and ``share`` the variance of a mean over these frames if scenes are
forgotten exponentially with time (``MEMORY``). To the scenes' variance comes that of the truth's ``doubt``,
which no number of frames lowers. The camera either has an error or none, with even odds (a
spike-and-slab prior: Mitchell and Beauchamp 1988).

What is made of the posterior depends on the loss. An error of depth costs its absolute value, which the
posterior's median makes smallest: depth is left as it is unless the camera more likely than not has an error.
It is then corrected by the mean. Sigma that is too small costs more than one too large: the expected negative
log likelihood of a Laplace distribution is smallest at the posterior mean of the factor, which is taken
whatever the odds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.fitting import SigmaFit, fit_correction, fit_sigma
from adu_depth_core.own_vehicle.observation import Observation

MEMORY = 2.0
"""Seconds after which the correlation between a scene and what follows has fallen to 1/e."""


@dataclass(frozen=True)
class Spread:
    """Standard deviations of a value in log units, about 0.

    :param scenes: between scenes that one camera sees, where the model is at home
    :param cameras: between cameras that the model was not trained on, of their means
    """

    scenes: float
    cameras: float


SCALE, SIGMA = Spread(0.03, 0.17), Spread(0.32, 0.78)
"""Of the logarithm of the factor of depth that a frame needs, and then of sigma. Measured with the shipped
student by ``benchmarks/own_vehicle.py --only spread``: scenes on 18 places of KITTI, cameras on 9 of DDAD and
SUSTechPOINTS."""


@dataclass(frozen=True)
class Shrunk:
    """The camera's part of what a drive shows.

    :param value: posterior mean, log units
    :param factor: posterior mean of its exponential
    :param probability: that the camera has an error at all
    :param weight: of what the drive shows in ``value``, 0 to 1
    """

    value: float
    factor: float
    probability: float
    weight: float


def shrink(
    values: np.ndarray, seconds: np.ndarray, drives: np.ndarray, spread: Spread, doubt: float = 0.0
) -> Shrunk:
    """The posterior mean of the camera's part of a value.

    A drive whose frames differ more than scenes do elsewhere has their spread.

    :param values: of each frame, ``(frames,)``
    :param seconds: time of each
    :param drives: number of the drive of each
    :param doubt: standard deviation of an error that all values share and that is not the camera's
    """
    apart = np.abs(seconds[:, None] - seconds) / MEMORY
    share = float(np.mean(np.where(drives[:, None] == drives, np.exp(-apart), 0.0)))
    scenes = max(spread.scenes**2, float(np.var(values))) * share + doubt**2
    both = scenes + spread.cameras**2
    mean = float(values.mean())
    odds = np.sqrt(scenes / both) * np.exp(min(mean**2 / 2 * (1 / scenes - 1 / both), 700.0))
    probability = float(odds / (1 + odds))
    slab = spread.cameras**2 / both
    # The mean of a log-normal distribution: the error, if there is one, has the variance slab * scenes.
    factor = 1 + probability * np.expm1(slab * mean + slab * scenes / 2)
    weight = probability * slab
    return Shrunk(weight * mean, float(factor), probability, weight)


def shrunk_scale(frames: Sequence[Observation]) -> tuple[DepthCorrection, Shrunk]:
    """A factor of depth."""
    shrunk = _of_frames(frames, lambda frame: fit_correction([frame], "scale").log_scale, SCALE)
    return DepthCorrection(shrunk.value), shrunk


def shrunk_sigma(
    frames: Sequence[Observation], depth_is_corrected: bool, card: ModelCard
) -> tuple[SigmaFit, Shrunk]:
    """A factor of sigma, the posterior mean; the measure of novelty stays the card's.

    The error of depth is counted once: where it is corrected, however much of it, sigma is that of what is
    left after the whole; where it is not, sigma covers it.

    :param frames: with sigma
    :param depth_is_corrected: by ``shrunk_scale``
    :param card: of the model, without a profile
    """
    depth = fit_correction(frames, "scale") if depth_is_corrected else DepthCorrection()

    def log_factor(frame: Observation) -> float:
        return float(np.log(fit_sigma([frame], depth, card, own_novelty=False).factor))

    shrunk = _of_frames(frames, log_factor, SIGMA)
    return SigmaFit(shrunk.factor, {}), shrunk


def _of_frames(
    frames: Sequence[Observation], value: Callable[[Observation], float], spread: Spread
) -> Shrunk:
    values, seconds, drives = (
        np.array(column) for column in zip(*((value(f), f.seconds, f.drive) for f in frames), strict=True)
    )
    doubt = float(np.sqrt(np.mean([frame.doubt**2 for frame in frames])))
    return shrink(values, seconds, drives, spread, doubt)
