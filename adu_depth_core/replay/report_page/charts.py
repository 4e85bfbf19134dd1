"""The charts of the page, each from what the evaluation found out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from adu_depth_core.evaluation.sparsification import REMOVED
from adu_depth_core.evaluation.uncertainty import LEVELS, ONE_SIGMA
from adu_depth_core.replay.evaluation_result import FrameRecord, ModelResult
from adu_depth_core.replay.report_page.svg import Axis, Chart, linear_axis, log_axis
from adu_depth_core.replay.report_page.text import metric_label, number, percent

COLORS = 6
"""Series colours of the style sheet."""

TIMELINE_HINTS = 300
"""Columns of a timeline that show their values when pointed at."""

GAP = 3.0
"""A timeline is interrupted where frames are farther apart than so many times the usual interval."""


def series(index: int) -> str:
    """CSS class of the model with this number."""
    return f"s{index % COLORS}"


def error_by_distance(models: Sequence[ModelResult], metric: str) -> Markup:
    """Bars of a metric for each distance band, one of each model side by side."""
    bands = [group.name for group in models[0].by_distance]
    values = {
        (model.label, group.name): group for model in models for group in model.by_distance if group.metrics
    }
    highest = max((group.metrics[metric] for group in values.values()), default=1.0)
    x = Axis(0, len(bands), [i + 0.5 for i in range(len(bands))], "distance", form=lambda t: bands[int(t)])
    chart = Chart(x, linear_axis(0, highest, metric_label(metric)), f"{metric} by distance")
    width = 0.76 / len(models)
    for i, band in enumerate(bands):
        for j, model in enumerate(models):
            group = values.get((model.label, band))
            left = i + 0.12 + j * width
            if group is None:
                chart.note(left + width / 2, 0, "none", "middle")
                continue
            value = group.metrics[metric]
            hint = (
                f"{model.label}, {band}: {metric} {number(value)}\n"
                f"{group.pixels:,} pixels in {group.frames} frames"
            )
            chart.bar(left, left + width * 0.94, value, series(j), hint)
    return chart.markup()


def reliability(models: Sequence[ModelResult]) -> Markup:
    """Share of pixels inside the interval of each nominal level; the diagonal is calibrated."""
    levels = np.concatenate([[0.0], LEVELS, [1.0]])
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    x = Axis(0, 1, ticks, "nominal coverage", form=percent)
    y = Axis(0, 1, ticks, "observed coverage", form=percent)
    chart = Chart(x, y, "reliability diagram", height=360)
    chart.line([0, 1], [0, 1], "ideal", "calibrated: as many pixels inside as nominal")
    for j, model in enumerate(models):
        covered = np.concatenate([[0.0], model.curves["coverage"], [1.0]])
        chart.line(levels, covered, series(j), model.label)
        for level in (0.5, ONE_SIGMA, 0.95):
            share = float(np.interp(level, levels, covered))
            chart.dot(
                level,
                share,
                series(j),
                f"{model.label}: {percent(share)} inside the {percent(level)} interval",
            )
    return chart.markup()


def error_against_sigma(models: Sequence[ModelResult]) -> Markup:
    """Measured against predicted error, in bins of similar sigma; the diagonal is calibrated."""
    bins = [model.error_by_sigma for model in models if model.error_by_sigma is not None]
    values = np.concatenate([np.concatenate([b.sigma, b.quantile_error]) for b in bins])
    values = values[values > 0]
    low, high = float(values.min()), float(values.max())
    x = log_axis(low, high, "predicted: sigma / depth", percent)
    y = log_axis(low, high, "measured: 68.3 % quantile of |error| / depth", percent)
    chart = Chart(x, y, "error against sigma", height=360)
    chart.line([x.low, x.high], [x.low, x.high], "ideal", "calibrated: the error is as large as predicted")
    for j, model in enumerate(models):
        if model.error_by_sigma is None:
            continue
        found = model.error_by_sigma
        chart.line(found.sigma, found.quantile_error, f"{series(j)} thin", model.label)
        total = max(int(found.pixels.sum()), 1)
        for sigma, error, pixels in zip(found.sigma, found.quantile_error, found.pixels, strict=True):
            hint = (
                f"{model.label}: sigma {percent(sigma)}, error {percent(error)} of depth\n"
                f"{percent(pixels / total)} of the pixels"
            )
            chart.dot(sigma, error, series(j), hint, radius=2.5 + 9 * math.sqrt(pixels / total))
    return chart.markup()


def sparsification(models: Sequence[ModelResult], metric: str) -> Markup:
    """Error of the remaining pixels as the most uncertain are removed, and that of the oracle's order."""
    kept = slice(0, -1)  # no pixels remain at the last point
    highest = max(float(model.curves[f"{metric}_by_sigma"].max()) for model in models)
    name = f"1 - {metric}" if metric == "d1" else metric
    x = Axis(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1], "share of pixels removed, most uncertain first", form=percent)
    chart = Chart(
        x, linear_axis(0, highest, f"{name} of the remaining pixels"), f"sparsification of {metric}"
    )
    for j, model in enumerate(models):
        by_sigma, by_oracle = (model.curves[f"{metric}_by_{order}"][kept] for order in ("sigma", "oracle"))
        chart.line(REMOVED[kept], by_oracle, f"{series(j)} dashed", f"{model.label}: largest errors first")
        chart.line(REMOVED[kept], by_sigma, series(j), f"{model.label}: largest sigma first")
        for step in range(5, len(by_sigma), 10):
            hint = (
                f"{model.label}, without the {percent(REMOVED[step])} most uncertain: "
                f"{name} {number(by_sigma[step])}, at best {number(by_oracle[step])}"
            )
            chart.dot(REMOVED[step], by_sigma[step], series(j), hint, radius=3)
    return chart.markup()


def timeline(models: Sequence[ModelResult], metric: str, start_ns: int) -> Markup:
    """A metric of every frame over the time since ``start_ns``."""
    tracks = [_track(model.frames, metric, start_ns) for model in models]
    highest = max(
        (float(np.nanmax(values)) for _, values in tracks if np.isfinite(values).any()), default=1.0
    )
    last = max(float(times[-1]) for times, _ in tracks)
    ticks = [tick for tick in linear_axis(0, last, count=10).ticks if tick <= last]
    x = Axis(0, max(last, 1e-3), ticks, "time (s)")
    chart = Chart(x, linear_axis(0, highest, metric_label(metric), count=3), f"{metric} over time", 1080, 190)
    if metric == "coverage_1sigma":
        chart.line([0, last], [ONE_SIGMA, ONE_SIGMA], "ideal", f"calibrated: {percent(ONE_SIGMA)}")
    for j, (model, (times, values)) in enumerate(zip(models, tracks, strict=True)):
        chart.line(*_with_gaps(times, values), f"{series(j)} thin", model.label)
        if len(times) == 1:
            chart.dot(float(times[0]), float(values[0]), series(j))
    _add_hints(chart, models, tracks, metric)
    return chart.markup()


def _track(frames: Sequence[FrameRecord], metric: str, start_ns: int) -> tuple[np.ndarray, np.ndarray]:
    times = np.array([(frame.stamp_ns - start_ns) / 1e9 for frame in frames])
    return times, np.array([frame.metrics.get(metric, np.nan) for frame in frames])


def _with_gaps(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put a NaN where frames are missing, so that the line does not pretend that there were some."""
    if len(times) < 3:
        return times, values
    steps = np.diff(times)
    gaps = np.flatnonzero(steps > GAP * np.median(steps)) + 1
    return np.insert(times, gaps, times[gaps]), np.insert(values, gaps, np.nan)


def _add_hints(
    chart: Chart,
    models: Sequence[ModelResult],
    tracks: Sequence[tuple[np.ndarray, np.ndarray]],
    metric: str,
) -> None:
    frames, times = models[0].frames, tracks[0][0]
    step = max(1, -(-len(frames) // TIMELINE_HINTS))
    edges = np.append((times[:-1] + times[1:]) / 2, times[-1])
    left = 0.0
    for first in range(0, len(frames), step):
        last = min(first + step, len(frames)) - 1
        name = f"frame {frames[first].index}" + (f" to {frames[last].index}" if last > first else "")
        lines = [f"{name}, {times[first]:.1f} s"]
        for model, (_, values) in zip(models, tracks, strict=True):
            part = values[first : last + 1]
            part = part[np.isfinite(part)]
            lines.append(f"{model.label}: {number(part.mean()) if part.size else 'no value'}")
        chart.hint(left, float(edges[last]), "\n".join(lines))
        left = float(edges[last])
