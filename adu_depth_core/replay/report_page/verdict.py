"""Summary of the results, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adu_depth_core.evaluation.sparsification import REMOVED
from adu_depth_core.evaluation.surfaces import RANGE
from adu_depth_core.evaluation.uncertainty import ONE_SIGMA
from adu_depth_core.replay.evaluation_result import (
    INSTABILITY,
    Comparison,
    EvaluationResult,
    Group,
    ModelResult,
)
from adu_depth_core.replay.report_page.text import is_better, number, percent

CALIBRATED = 0.05
"""A coverage this near to its nominal share is called calibrated."""

FEW = 0.01
"""A band or region with a smaller share of the pixels is not called the worst, however wrong they are."""

REMOVED_SHARE = 0.2
"""Share of the most uncertain pixels whose removal is reported."""


@dataclass(frozen=True)
class Verdict:
    """The head of the page.

    :param tone: ``good``, ``bad`` or ``neutral``
    :param headline: one sentence
    """

    tone: str
    headline: str


def verdict_of(result: EvaluationResult) -> Verdict:
    """The verdict of the release gate if there is one, else what the figures say."""
    if failed := [condition for condition in result.conditions if condition.failed]:
        text = "; ".join(f"{c.text} holds for {c.model} ({number(c.value)})" for c in failed)
        return Verdict("bad", f"Not good enough: {text}")
    if result.conditions:
        texts = list(dict.fromkeys(condition.text for condition in result.conditions))
        none = f"{texts[0]} does not hold" if len(texts) == 1 else f"neither {' nor '.join(texts)} holds"
        return Verdict("good", f"Good enough: {none}")
    return Verdict("neutral", _headline(result))


def _headline(result: EvaluationResult) -> str:
    reference = result.models[0]
    metric = "abs_rel" if "abs_rel" in reference.metrics else INSTABILITY
    word = "accurate" if metric == "abs_rel" else "stable"
    compared = [c for c in result.comparisons if c.metric == metric]
    if compared:
        return "; ".join(
            _comparison(c, word, is_better(metric, c.difference, reference.metrics[metric])) for c in compared
        )
    if "abs_rel" in reference.metrics:
        error = reference.metrics["abs_rel"].mean
        return f"{reference.label} is off by {percent(error)} of the distance on average"
    return "No ground truth: speed and stability only"


def _comparison(comparison: Comparison, word: str, better: bool | None) -> str:
    first, second = comparison.first, comparison.second
    if not comparison.difference.decided:
        return f"{second} and {first}: inconclusive, the drives are too short"
    if better is None:
        return f"{second} and {first}: no significant difference (95 % CI)"
    return f"{second} is {'more' if better else 'less'} {word} than {first}"


def findings_of(model: ModelResult, motion: str) -> Iterator[str]:
    """Sentences about a model: accuracy, calibration of sigma, and where it is worst.

    :param motion: source of the camera's motion, see ``Source``
    """
    metrics = model.metrics
    if "abs_rel" in metrics:
        yield (
            f"Off by {percent(metrics['abs_rel'].mean)} of the distance on average; "
            f"{percent(metrics['d1'].mean)} of pixels are within a factor of 1.25."
        )
        frames, independent = len(model.frames), metrics["abs_rel"].independent
        yield f"{frames} frames, {number(independent)} effective independent samples."
    for where, groups in (("at", model.by_distance), ("in the image's", model.by_region)):
        if worst := _worst(groups):
            yield f"Worst {where} {worst.name}: off by {percent(worst.metrics['abs_rel'])}."
    if "coverage_1sigma" in metrics:
        yield _calibration(metrics["coverage_1sigma"].mean)
    if "obstacle_abs_rel" in metrics and "ground_abs_rel" in metrics:
        obstacle, ground = (percent(metrics[f"{surface}_abs_rel"].mean) for surface in ("obstacle", "ground"))
        within = percent(metrics["obstacle_coverage_1sigma"].mean)
        yield (
            f"Of obstacles within {RANGE:g} m it is off by {obstacle} of the distance, of the ground by "
            f"{ground}; {within} of obstacle pixels have |error| ≤ sigma."
        )
    if "abs_rel_by_sigma" in model.curves:
        curve = model.curves["abs_rel_by_sigma"]
        rest = float(np.interp(REMOVED_SHARE, REMOVED, curve))
        yield (
            f"Without the {percent(REMOVED_SHARE)} most uncertain pixels it would be off by "
            f"{percent(rest)} instead of {percent(float(curve[0]))}."
        )
    if INSTABILITY in metrics:
        known = ", beyond what the motion explains" if motion == "poses" else ""
        change = percent(metrics[INSTABILITY].mean)
        yield f"From frame to frame its depth changes by {change} (median pixel){known}."
    yield f"A single prediction takes {number(model.latency.median_ms)} ms on this machine."


def _calibration(coverage: float) -> str:
    share = f"{percent(coverage)} of pixels have |error| ≤ sigma, {percent(ONE_SIGMA)} should"
    if abs(coverage - ONE_SIGMA) <= CALIBRATED:
        return f"Its sigma is calibrated: {share}."
    if coverage < ONE_SIGMA:
        return f"It is overconfident: {share}."
    return f"It is underconfident: {share}."


def _worst(groups: tuple[Group, ...]) -> Group | None:
    total = sum(group.pixels for group in groups)
    known = [group for group in groups if "abs_rel" in group.metrics and group.pixels >= FEW * total]
    return max(known, key=lambda group: group.metrics["abs_rel"]) if len(known) > 1 else None
