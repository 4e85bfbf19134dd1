"""Corrections and scales of sigma that fit observations best."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adu_depth_core.evaluation.uncertainty import ONE_SIGMA
from adu_depth_core.inference.depth_correction import PIVOT, DepthCorrection
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.observation import Observation, growth

KINDS = ("scale", "distance", "rows")
"""Corrections, the simplest first: a factor; a factor and a power of the distance; a factor by image row."""

ROW_KNOTS = 5

EXPONENTS = (-0.5, 1.0)
"""Limits of the power of the distance: beyond them, the drive's range of distances was too small."""

_SMALL = 0.02
"""Errors in log depth below which the fit is of squares: median and mean are the same to what matters."""

_STEPS = 30

_SMOOTHNESS = 0.3
"""Weight of the bends between rows against that of all pixels."""


def fit_correction(observations: Sequence[Observation], kind: str) -> DepthCorrection:
    """The correction of a kind with the smallest mean ``|ln(depth / truth)|``; each frame weighs the same.

    Least absolute deviations by iteratively reweighted least squares, so that a share of wrong truth (moving
    things, edges) does not matter.

    :raises ValueError: if the kind is none of ``KINDS``
    """
    depth, truth, slope = (
        np.concatenate([getattr(o, name) for o in observations]).astype(np.float64)
        for name in ("depth", "truth", "slope")
    )
    weight = np.concatenate([np.full(len(o.depth), 1 / len(o.depth)) for o in observations])
    wanted = np.log(truth / depth)
    if kind == "scale":
        return DepthCorrection(_quantile(wanted, weight, 0.5))
    if kind == "distance":
        terms = np.column_stack([np.ones(len(depth)), np.log(depth / PIVOT)])
        exponent = float(np.clip(_least_absolute(terms, wanted, weight)[1], *EXPONENTS))
        rest = wanted - exponent * terms[:, 1]
        return DepthCorrection(_quantile(rest, weight, 0.5), exponent)
    if kind != "rows":
        raise ValueError(f"there is no correction by {kind!r}: choose {', '.join(KINDS)}")
    knots = np.unique(np.quantile(slope, np.linspace(0.02, 0.98, ROW_KNOTS)))
    hats = np.column_stack([np.interp(slope, knots, unit) for unit in np.eye(len(knots))])
    bends = np.diff(np.eye(len(knots)), 2, axis=0) * np.sqrt(_SMOOTHNESS * weight.sum())
    logs = _least_absolute(hats, wanted, weight, bends)
    middle = float(hats.T @ weight @ logs / weight.sum())
    return DepthCorrection(middle, 0.0, tuple(map(float, knots)), tuple(map(float, logs - middle)))


def _least_absolute(
    terms: np.ndarray, wanted: np.ndarray, weight: np.ndarray, penalty: np.ndarray | None = None
) -> np.ndarray:
    """Coefficients of ``terms`` that make the weighted mean ``|wanted - terms @ coefficients|`` smallest.

    :param penalty: rows whose products with the coefficients are to be small
    """
    scaled = weight
    penalty = np.zeros((0, terms.shape[1])) if penalty is None else penalty
    for _ in range(_STEPS):
        weighted = terms * scaled[:, None]
        found = np.linalg.lstsq(terms.T @ weighted + penalty.T @ penalty, weighted.T @ wanted, rcond=None)[0]
        scaled = weight / np.maximum(np.abs(wanted - terms @ found), _SMALL)
    return found


def corrected_depth(observation: Observation, correction: DepthCorrection) -> np.ndarray:
    """Depth of the observed pixels after a correction, metres ``(N,)``."""
    return observation.depth * np.exp(correction.log_factor(observation.depth, observation.slope))


@dataclass(frozen=True)
class SigmaFit:
    """Correction of sigma.

    :param factor: of the card's scale
    :param novelty: entries that take the place of the card's; empty: the card's hold
    """

    factor: float
    novelty: dict[str, float]


def fit_sigma(
    observations: Sequence[Observation],
    correction: DepthCorrection,
    card: ModelCard,
    own_novelty: bool = True,
) -> SigmaFit:
    """The scale that makes 68.3 % of the pixels, each frame weighing the same, have ``|error| <= sigma``.

    Where the camera's images are farther from the training data than the card's reference, their median
    novelty becomes the reference, and the threshold of what is unfamiliar moves in proportion: sigma then
    grows with what is unusual for this camera.

    :param observations: with sigma
    :param own_novelty: False keeps the card's reference and threshold
    """
    novelty = _camera_novelty(observations, card) if own_novelty else {}
    with_novelty = _with_novelty(card, novelty)
    ratios, weights = [], []
    for o in observations:
        depth = corrected_depth(o, correction)
        ratios.append(np.abs(depth - o.truth) / (o.relative_sigma * depth * growth(o.novelty, with_novelty)))
        weights.append(np.full(len(depth), 1 / len(depth)))
    ratio, weight = np.concatenate(ratios), np.concatenate(weights)
    return SigmaFit(max(_quantile(ratio, weight, ONE_SIGMA), 1e-3), novelty)


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """The value below which a share of the weight lies."""
    order = np.argsort(values)
    below = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(share * weight.sum(), below, values[order]))


def _camera_novelty(observations: Sequence[Observation], card: ModelCard) -> dict[str, float]:
    known = [o.novelty for o in observations if o.novelty is not None]
    if not card.novelty or not known:
        return {}
    usual, reference = float(np.median(known)), card.novelty["reference"]
    if usual <= reference:
        return {}
    return {**card.novelty, "reference": usual, "threshold": card.novelty["threshold"] * usual / reference}


def _with_novelty(card: ModelCard, novelty: dict[str, float]) -> ModelCard:
    return dataclasses.replace(card, novelty=novelty) if novelty else card


def sigma_of(
    observation: Observation, depth: np.ndarray, card: ModelCard, fit: SigmaFit | None = None
) -> np.ndarray:
    """Sigma of the observed pixels, metres ``(N,)``.

    :param depth: after correction
    :param fit: None for the card's own scale
    """
    factor = 1.0 if fit is None else fit.factor
    novelty = {} if fit is None else fit.novelty
    return (
        observation.relative_sigma
        * depth
        * (factor * growth(observation.novelty, _with_novelty(card, novelty)))
    )
