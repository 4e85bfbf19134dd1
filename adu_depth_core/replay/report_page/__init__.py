"""The report: one self-contained HTML file without scripts or network access."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from adu_depth_core.evaluation.confidence import ENOUGH, SHORTEST
from adu_depth_core.evaluation.report import DEPTH, SURFACE, UNCERTAINTY
from adu_depth_core.evaluation.surfaces import RULE
from adu_depth_core.replay.evaluation_result import FLICKER, INSTABILITY, EvaluationResult, Group, ModelResult
from adu_depth_core.replay.report_page import charts
from adu_depth_core.replay.report_page.data_uris import jpeg_uri, legend_uri
from adu_depth_core.replay.report_page.text import MEANINGS, METRICS, interval, is_better, number, percent
from adu_depth_core.replay.report_page.verdict import FEW, findings_of, verdict_of
from adu_depth_core.visualization import SIGMA_SCALE, depth_scale

METRIC_GROUPS = {
    "Accuracy": tuple(DEPTH),
    "Obstacles and ground": tuple(SURFACE),
    "Stability": (INSTABILITY, FLICKER),
    "Uncertainty": tuple(UNCERTAINTY),
}
KEY_METRICS = (
    "abs_rel",
    "rmse",
    "silog",
    "d1",
    *SURFACE,
    "coverage_1sigma",
    "calibration_area",
    "ause_abs_rel",
    "aurg_abs_rel",
    INSTABILITY,
)
"""Metrics that are always in sight; the others unfold."""

TIMELINES = ("abs_rel", "coverage_1sigma", INSTABILITY)
CAPTIONED = ("abs_rel", "rmse", "d1", "coverage_1sigma", INSTABILITY)
"""Metrics under the pictures of a frame."""


def write_report_page(result: EvaluationResult, path: Path) -> None:
    """Write the page.

    :param result: result of the evaluation
    :param path: the HTML file, written in place: atomicity is up to the caller
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("adu_depth_core.replay", "report_page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "interval": interval,
        "series": charts.series,
        "jpeg": jpeg_uri,
        "clock": _clock,
    }
    style = Markup(environment.loader.get_source(environment, "page.css")[0])
    page = environment.get_template("page.html").render(
        result=result,
        style=style,
        verdict=verdict_of(result),
        findings=[(model, list(findings_of(model, result.source.motion))) for model in result.models],
        figures=_figures(result),
        surfaces=_surfaces(result),
        key_metrics=_table(result, KEY_METRICS),
        more_metrics=_table(result, [name for name in METRICS if name not in KEY_METRICS]),
        regions=[_Regions.of(model) for model in result.models if any(g.metrics for g in model.by_region)],
        scales=[("prediction, m", depth_scale()), ("error and sigma, % of depth", SIGMA_SCALE)],
        legend=legend_uri,
        captioned=CAPTIONED,
        enough=int(ENOUGH),
        shortest=int(SHORTEST),
        too_short=any(e.too_short for model in result.models for e in model.metrics.values()),
        start_ns=result.models[0].frames[0].stamp_ns if result.models[0].frames else 0,
    )
    path.write_text(page, encoding="utf-8")


def _surfaces(result: EvaluationResult) -> str:
    """The rule that tells obstacles from ground, and the pixels of each; empty without a road."""
    first = result.models[0]
    counts = [
        f"{group.name}: {group.pixels:,} pixels in {group.frames} frames"
        for group in reversed(first.by_surface)
        if group.pixels
    ]
    if not counts:
        return ""
    text = f"{RULE[0].upper()}{RULE[1:]}. {'; '.join(counts).capitalize()}."
    if first.roadless_frames:
        text += f" No road was found in {first.roadless_frames} frames, which are in none of these figures."
    return text


@dataclass(frozen=True)
class _Figure:
    """A chart with its heading and how to read it."""

    title: str
    chart: Markup
    reading: str
    wide: bool = False


def _figures(result: EvaluationResult) -> list[_Figure]:
    """The charts for which there is something to show."""
    models = [model for model in result.models if model.frames]
    figures = []
    if any(group.metrics for model in models for group in model.by_distance):
        figures.append(
            _Figure(
                "Error by distance",
                charts.error_by_distance(models, "abs_rel"),
                "Mean relative error of the pixels whose true distance is in the band; lower is better.",
            )
        )
    if models and all("coverage" in model.curves for model in models):
        figures += [
            _Figure(
                "Sparsification",
                charts.sparsification(models, "abs_rel"),
                "Error of the remaining pixels as the most uncertain are removed. The closer the solid line "
                "is to the dashed one (the oracle: largest errors removed first), the better sigma ranks the "
                "errors.",
            ),
            _Figure(
                "Reliability",
                charts.reliability(models),
                "Observed against nominal coverage of sigma's intervals. On the diagonal sigma is "
                "calibrated, below it the model is overconfident, above it underconfident.",
            ),
        ]
    if any(model.error_by_sigma is not None for model in models):
        figures.append(
            _Figure(
                "Error against sigma",
                charts.error_against_sigma(models),
                "Pixels grouped by sigma (larger dots: more pixels). On the diagonal the error is as "
                "large as predicted, above it larger.",
            )
        )
    for metric in TIMELINES if models else ():
        if any(metric in frame.metrics for frame in models[0].frames):
            figures.append(_timeline(models, metric))
    return figures


def _timeline(models: list[ModelResult], metric: str) -> _Figure:
    readings = {
        "abs_rel": "Mean relative error of each frame; peaks are frames to look at.",
        "coverage_1sigma": "Share of each frame's pixels with |error| ≤ sigma; calibrated: 68.3 %.",
        INSTABILITY: "Change of depth from the frame before that motion does not explain; lower is steadier.",
    }
    title = f"{'Instability' if metric == INSTABILITY else metric} over time"
    chart = charts.timeline(models, metric, models[0].frames[0].stamp_ns)
    return _Figure(title, chart, readings[metric], wide=True)


@dataclass(frozen=True)
class _Cell:
    """A difference from the reference model."""

    text: str
    range: str
    verdict: str
    tone: str


@dataclass(frozen=True)
class _Row:
    """A metric of all models, and the differences of all but the first."""

    metric: str
    unit: str
    ideal: str
    meaning: str
    estimates: list
    differences: list[_Cell | None]


def _table(result: EvaluationResult, metrics: Sequence[str]) -> dict[str, list[_Row]]:
    """Rows of those metrics that at least one model has, by group."""
    known = [name for name in metrics if any(name in model.metrics for model in result.models)]
    groups = {}
    for group, names in METRIC_GROUPS.items():
        rows = [_row(result, name) for name in names if name in known]
        if rows:
            groups[group] = rows
    return groups


def _row(result: EvaluationResult, metric: str) -> _Row:
    column = METRICS[metric]
    compared = {c.second: c.difference for c in result.comparisons if c.metric == metric}
    reference = result.models[0].metrics.get(metric)
    differences: list[_Cell | None] = []
    for model in result.models[1:]:
        difference = compared.get(model.label)
        if difference is None or reference is None:
            differences.append(None)
            continue
        sign = "+" if difference.mean > 0 else ""
        text = f"{sign}{number(difference.mean)}"
        better = is_better(metric, difference, reference)
        unknown = ("", "") if difference.decided else ("inconclusive", "faint")
        verdict, tone = {True: ("better", "good"), False: ("worse", "bad")}.get(better, unknown)
        bounds = interval(difference) if difference.decided else ""  # the verdict gives them
        differences.append(_Cell(text, bounds, verdict, tone))
    estimates = [model.metrics.get(metric) for model in result.models]
    return _Row(metric, column.unit, column.target, MEANINGS[metric], estimates, differences)


@dataclass(frozen=True)
class _Regions:
    """The nine image regions of a model, how strongly each is coloured, and whether it has few pixels."""

    label: str
    cells: list[tuple[Group, float, bool]]

    @classmethod
    def of(cls, model: ModelResult) -> _Regions:
        few = FEW * sum(group.pixels for group in model.by_region)
        errors = [g.metrics.get("abs_rel", 0.0) if g.pixels >= few else 0.0 for g in model.by_region]
        highest = max(errors) or 1.0
        return cls(
            model.label,
            [(g, error / highest, g.pixels < few) for g, error in zip(model.by_region, errors, strict=True)],
        )


def _clock(stamp_ns: int) -> str:
    """A stamp as date and time where it is one, else as seconds."""
    seconds = stamp_ns / 1e9
    if seconds < 1e9:
        return f"{seconds:.3f} s"
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[
        :-3
    ]
