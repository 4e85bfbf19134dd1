"""Formatting of numbers and texts of the page."""

from __future__ import annotations

import math

from adu_depth_core.evaluation.report import DEPTH, SURFACE, UNCERTAINTY, Column
from adu_depth_core.replay.evaluation_result import FLICKER, INSTABILITY, Estimate

METRICS = {**DEPTH, **SURFACE, INSTABILITY: Column("", "0"), FLICKER: Column("", "0"), **UNCERTAINTY}
"""Unit and ideal of every metric."""

MINUS, NARROW_SPACE = "\u2212", "\u202f"

MEANINGS = {
    "abs_rel": "mean error as a share of the distance",
    "sq_rel": "squared error over depth: emphasises large errors",
    "sqErrorRel": "squared relative error, as in KITTI's benchmark",
    "rmse": "root mean square error",
    "rmse_log": "root mean square error of log depth",
    "log10": "mean absolute error of log10 depth",
    "silog": "scale-invariant error of log depth, times 100",
    "irmse": "root mean square error of inverse depth: emphasises near pixels",
    "d1": "share of pixels within a factor of 1.25",
    "d2": "share of pixels within a factor of 1.25²",
    "d3": "share of pixels within a factor of 1.25³",
    "obstacle_abs_rel": "mean error of obstacles as a share of the distance",
    "obstacle_coverage_1sigma": "share of obstacle pixels with |error| ≤ sigma",
    "ground_abs_rel": "mean error of the ground as a share of the distance",
    "ground_coverage_1sigma": "share of ground pixels with |error| ≤ sigma",
    "coverage_50": "share of pixels inside the 50 % interval",
    "coverage_1sigma": "share of pixels with |error| ≤ sigma",
    "coverage_95": "share of pixels inside the 95 % interval",
    "calibration_area": "area between reliability curve and diagonal",
    "relative_sigma": "mean sigma as a share of the predicted depth",
    "nll": "negative log likelihood of the ground truth",
    "ause_abs_rel": "sparsification by sigma: area above the oracle's curve (abs_rel)",
    "ause_rmse": "sparsification by sigma: area above the oracle's curve (rmse)",
    "ause_d1": "sparsification by sigma: area above the oracle's curve (1 - d1)",
    "aurg_abs_rel": "sparsification by sigma: area below random removal (abs_rel)",
    "aurg_rmse": "sparsification by sigma: area below random removal (rmse)",
    "aurg_d1": "sparsification by sigma: area below random removal (1 - d1)",
    INSTABILITY: "median change of log depth that motion does not explain",
    FLICKER: "mean change of static points' error in log depth from frame to frame",
}


def number(value: float) -> str:
    """Three significant digits; a dash for no value."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 100:
        text = f"{value:,.0f}"
    elif 0 < abs(value) < 1e-4:
        text = f"{value:.1e}"
    else:
        text = f"{value:#.3g}"
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """A share in per cent, three significant digits."""
    value = 100 * share
    return f"{value:.3g}{NARROW_SPACE}%" if abs(value) < 99.95 else f"{value:.0f}{NARROW_SPACE}%"


def interval(estimate: Estimate) -> str:
    """The bounds of a confidence interval; empty without one, and no bounds if the drives are too short
    for them: they would reach impossible values.
    """
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return ""
    if estimate.too_short:
        return "no interval"
    return f"{number(estimate.low)} … {number(estimate.high)}"


def metric_label(metric: str) -> str:
    """A metric with its unit, for axes."""
    column = METRICS.get(metric)
    return f"{metric} ({column.unit})" if column and column.unit else metric


def is_better(metric: str, difference: Estimate, reference: Estimate) -> bool | None:
    """True if a model with this difference from the reference is better; None if inconclusive, or if the
    metric has no best value.
    """
    target = METRICS[metric].target
    if not target or not difference.significant:
        return None
    if target in ("1", "high"):
        return difference.mean > 0
    if target in ("0", "low"):
        return difference.mean < 0
    nominal = float(target)
    return abs(reference.mean + difference.mean - nominal) < abs(reference.mean - nominal)
