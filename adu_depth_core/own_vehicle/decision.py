"""Selection of corrections: only those that improve held-out parts of the drive significantly (95 % CI).

Of a drive too short for an interval that holds beyond it, or with ground truth in doubt, only a factor of
depth and one of sigma are kept, each shrunk to what such a drive can tell (``short_drive``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.evaluation.uncertainty import ONE_SIGMA, QUANTILE
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.fitting import (
    KINDS,
    SigmaFit,
    corrected_depth,
    fit_correction,
    fit_sigma,
    sigma_of,
)
from adu_depth_core.own_vehicle.held_out import HeldOut, Interval
from adu_depth_core.own_vehicle.observation import Observation
from adu_depth_core.own_vehicle.short_drive import Shrunk, shrunk_scale, shrunk_sigma

METRICS = ("log_error", "abs_rel", "d1", "scale", "within_sigma", "sigma_misfit", "nll")
"""Mean ``|ln(p / g)|``; mean ``|p - g| / g``; share with max(p / g, g / p) < 1.25; median p / g; share with
``|p - g| <= sigma``; distance of that share from 0.683; negative log likelihood as in
``evaluation.uncertainty``, nats."""

LIKELY = 0.5
"""A shrunk correction of depth is kept if the camera has an error with a probability above this."""

LEAST = 1.1
"""Factor of sigma, or 1 / it, from which a shrunk correction is kept: less gains 0.005 nats at most."""


@dataclass(frozen=True)
class Decision:
    """Selected corrections.

    :param correction: of depth, fitted on the whole drive; None if none helps
    :param kind: of ``KINDS``, or None
    :param sigma: of sigma, fitted on the whole drive; None if none helps
    :param before: means over held-out frames of each of ``METRICS``, as the model is
    :param after: the same with what is kept, each frame by a fit that did not see it
    :param depth_gain: fall of ``log_error`` by the best correction, kept or not; None if none was tried
    :param sigma_gain: fall of ``sigma_misfit``, where factors are shrunk of ``nll``; None where sigma cannot
        be judged
    :param shrunk: what a drive that is short or in doubt tells of ``depth`` and ``sigma``; empty for others
    """

    correction: DepthCorrection | None
    kind: str | None
    sigma: SigmaFit | None
    before: dict[str, float]
    after: dict[str, float]
    depth_gain: Interval
    sigma_gain: Interval | None
    shrunk: dict[str, Shrunk] = field(default_factory=dict)

    @property
    def sigma_metric(self) -> str:
        """The entry of ``METRICS`` whose improvement is ``sigma_gain``."""
        return "nll" if self.shrunk else "sigma_misfit"

    @property
    def helps(self) -> bool:
        return self.correction is not None or self.sigma is not None


def decide(held_out: HeldOut, card: ModelCard, kinds: Sequence[str] = KINDS) -> Decision:
    """Choose the correction of depth, then that of sigma.

    A richer correction replaces a simpler one only if the further gain is significant too.

    :param card: of the model, without a profile
    :param kinds: corrections to try, the simplest first
    """
    if held_out.short or held_out.in_doubt:
        return _shrunk(held_out, card)
    observations = held_out.observations
    nothing = DepthCorrection()
    before = [measures(o, nothing, card) for o in observations]
    now, kind, best_gain = before, None, None
    for name in kinds:
        tried = held_out.fits(lambda frames, name=name: fit_correction(frames, name))
        after = [measures(o, correction, card) for o, correction in zip(observations, tried, strict=True)]
        gain = _gain(held_out, now, after, "log_error")
        whole = _gain(held_out, before, after, "log_error")
        if best_gain is None or gain.low > 0 or (kind is None and whole.mean > best_gain.mean):
            best_gain = whole
        if gain.low > 0:
            now, kind = after, name
    correction = None if kind is None else fit_correction(observations, kind)
    sigma = sigma_gain = None
    if _has_sigma(observations):
        # Each frame's sigma is fitted on the frames that its correction was fitted on.
        fits = held_out.fits(lambda frames: _both(frames, kind, card))
        after = [measures(o, c, card, fit) for o, (c, fit) in zip(observations, fits, strict=True)]
        sigma_gain = _gain(held_out, now, after, "sigma_misfit")
        if sigma_gain.low > 0:
            now, sigma = after, fit_sigma(observations, correction or nothing, card)
    return Decision(correction, kind, sigma, _means(before), _means(now), best_gain, sigma_gain)


def _both(
    frames: Sequence[Observation], kind: str | None, card: ModelCard
) -> tuple[DepthCorrection, SigmaFit]:
    correction = DepthCorrection() if kind is None else fit_correction(frames, kind)
    return correction, fit_sigma(frames, correction, card)


def _shrunk(held_out: HeldOut, card: ModelCard) -> Decision:
    """A factor of depth, then one of sigma, each kept if it helps in all of the drive: depth's if an error is
    likely too, sigma's if it is large enough to matter."""
    observations = held_out.observations
    before = now = [measures(o, DepthCorrection(), card) for o in observations]

    def depth_of(frames: Sequence[Observation]) -> DepthCorrection:
        return shrunk_scale(frames)[0]

    fitted, told = shrunk_scale(observations)
    shrunk = {"depth": told}
    after = [measures(o, fit, card) for o, fit in zip(observations, held_out.fits(depth_of), strict=True)]
    depth_gain = _gain(held_out, before, after, "log_error")
    correction = fitted if depth_gain.low > 0 and told.probability > LIKELY else None
    if correction is not None:
        now = after
    sigma = sigma_gain = None
    if _has_sigma(observations):

        def both_of(frames: Sequence[Observation]) -> tuple[DepthCorrection, SigmaFit]:
            depth = DepthCorrection() if correction is None else depth_of(frames)
            return depth, shrunk_sigma(frames, correction is not None, card)[0]

        fits = held_out.fits(both_of)
        after = [measures(o, c, card, fit) for o, (c, fit) in zip(observations, fits, strict=True)]
        sigma_gain = _gain(held_out, now, after, "nll")
        factor, shrunk["sigma"] = shrunk_sigma(observations, correction is not None, card)
        if sigma_gain.low > 0 and abs(np.log(factor.factor)) > np.log(LEAST):
            now, sigma = after, factor
    kind = None if correction is None else "scale"
    return Decision(correction, kind, sigma, _means(before), _means(now), depth_gain, sigma_gain, shrunk)


def _has_sigma(observations: Sequence[Observation]) -> bool:
    return all(o.relative_sigma is not None for o in observations)


def measures(
    observation: Observation, correction: DepthCorrection, card: ModelCard, sigma: SigmaFit | None = None
) -> dict[str, float]:
    """``METRICS`` of a frame after corrections; those of sigma where it is known."""
    depth, truth = corrected_depth(observation, correction), observation.truth
    log = np.log(depth / truth)
    found = {
        "log_error": float(np.mean(np.abs(log))),
        "abs_rel": float(np.mean(np.abs(depth - truth) / truth)),
        "d1": float(np.mean(np.abs(log) < np.log(1.25))),
        "scale": float(np.exp(np.median(log))),
    }
    if observation.relative_sigma is not None:
        error, one = np.abs(depth - truth), sigma_of(observation, depth, card, sigma)
        share = float(np.mean(error <= one))
        spread = one / QUANTILE
        found |= {
            "within_sigma": share,
            "sigma_misfit": abs(share - ONE_SIGMA),
            "nll": float(np.mean(np.log(2 * spread) + error / spread)),
        }
    return found


def _gain(
    held_out: HeldOut, before: Sequence[dict[str, float]], after: Sequence[dict[str, float]], metric: str
) -> Interval:
    """Reduction of an error."""
    return held_out.interval(np.array([a[metric] - b[metric] for a, b in zip(before, after, strict=True)]))


def _means(frames: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([frame[name] for frame in frames])) for name in METRICS if name in frames[0]}
