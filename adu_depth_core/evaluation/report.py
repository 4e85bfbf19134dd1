"""Tables of an evaluation, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adu_depth_core.evaluation.class_metrics import CLASS_NAMES
from adu_depth_core.evaluation.evaluator import BOUNDARY_F1, Summary, combined
from adu_depth_core.evaluation.measurement import PART_METRICS
from adu_depth_core.evaluation.surfaces import RULE, SURFACE_NAMES


@dataclass(frozen=True)
class Column:
    """Presentation of a metric.

    :param unit: unit of the value
    :param target: ``0`` or ``1`` where those are best, ``low`` or ``high`` where there is no bound, the
        nominal share of a coverage, or empty where no value is better than another
    """

    unit: str
    target: str


DEPTH = {
    "abs_rel": Column("", "0"),
    "sq_rel": Column("m", "0"),
    "sqErrorRel": Column("%", "0"),
    "rmse": Column("m", "0"),
    "rmse_log": Column("", "0"),
    "log10": Column("", "0"),
    "silog": Column("", "0"),
    "irmse": Column("1/km", "0"),
    "d1": Column("", "1"),
    "d2": Column("", "1"),
    "d3": Column("", "1"),
}
DISPARITY = {"d1_all": Column("%", "0"), "epe": Column("px", "0")}
BOUNDARY = {BOUNDARY_F1: Column("", "1")}
SURFACE = {
    "obstacle_abs_rel": Column("", "0"),
    "obstacle_coverage_1sigma": Column("", "0.683"),
    "ground_abs_rel": Column("", "0"),
    "ground_coverage_1sigma": Column("", "0.683"),
}
CLASSES = {
    f"{name}_{metric}": Column("", target)
    for name in CLASS_NAMES
    for metric, target in (("abs_rel", "0"), ("coverage_1sigma", "0.683"))
}
UNCERTAINTY = {
    "coverage_50": Column("", "0.500"),
    "coverage_1sigma": Column("", "0.683"),
    "coverage_95": Column("", "0.950"),
    "calibration_area": Column("", "0"),
    "relative_sigma": Column("", ""),
    "nll": Column("nats", "low"),
    "ause_abs_rel": Column("", "0"),
    "ause_rmse": Column("m", "0"),
    "ause_d1": Column("", "0"),
    "aurg_abs_rel": Column("", "high"),
    "aurg_rmse": Column("m", "high"),
    "aurg_d1": Column("", "high"),
}
OVERVIEW = {
    "abs_rel": "abs_rel",
    "d1": "d1",
    "d1_all": "D1-all\n%",
    BOUNDARY_F1: "boundary\nF1",
    "coverage_1sigma": "within\nsigma",
    "relative_sigma": "sigma /\ndepth",
}
"""Metrics of the table with one row per set of frames, and their headings."""

PER_FRAME = ("abs_rel", "rmse", "d1", "d1_all", "coverage_1sigma", "obstacle_abs_rel")
"""Metrics of the table with one row per frame; the JSON has all."""


def print_context(context: dict[str, str], console: Console) -> None:
    """Header of the tables: one line per entry, aligned."""
    grid = Table.grid(padding=(0, 2))
    for heading, text in context.items():
        grid.add_row(Text(heading, style="bold"), Text(text, overflow="fold"))
    console.print(grid)


def print_summary(summary: Summary, console: Console, pseudo: int = 0) -> None:
    """Mean, spread over images and worst frame of every metric.

    :param pseudo: number of frames judged by pseudo-labels
    """
    marked = f", {pseudo} of them against pseudo-labels" if pseudo else ""
    table = Table("metric", title=f"{len(summary.frames)} frames{marked}, metrics per image, then averaged")
    for heading in ("ideal", "mean", "std", "worst"):
        table.add_column(heading, justify="right")
    table.add_column("worst frame", overflow="fold")
    for group in (DEPTH, BOUNDARY, DISPARITY, SURFACE, CLASSES, UNCERTAINTY):
        measured = {name: column for name, column in group.items() if name in summary.metrics}
        for name, column in measured.items():
            table.add_row(*_row(summary, name, column))
        if measured:
            table.add_section()
    console.print(table)
    print_dense(summary, console)
    correlation = summary.sigma_rank_correlation
    if correlation is not None:
        console.print(f"rank correlation by frame of relative_sigma and abs_rel: {correlation:.2f}")
    if summary.roadless is not None:
        counts = [
            f"{part}: {pixels:,} pixels in {frames} frames"
            for part, (pixels, frames) in summary.part_pixels().items()
            if pixels or part in SURFACE_NAMES
        ]
        console.print("; ".join(counts), highlight=False)
        console.print(RULE, highlight=False)
        print_roadless(summary, console)
    print_skipped(summary, console)


def print_dense(summary: Summary, console: Console) -> None:
    """The number of frames with dense truth, unless all have it: the others do not count for edges."""
    dense = sum(BOUNDARY_F1 in frame.metrics for frame in summary.frames)
    if dense < len(summary.frames):
        of = f"of {dense} of {len(summary.frames)} frames: the others have" if dense else "not measured:"
        console.print(f"{BOUNDARY_F1} {of} no dense ground truth with edges", highlight=False)


def print_skipped(summary: Summary, console: Console, prefix: str = "") -> None:
    """The frames that are in no figure, if there are any."""
    if summary.skipped:
        names = ", ".join(summary.skipped)
        console.print(f"{prefix}without ground truth that counts, not in the table: {names}", markup=False)


def print_overview(summaries: Mapping[str, Summary], console: Console) -> None:
    """One row per set of frames, and one of all frames together.

    :param summaries: by name of the set
    """
    total = combined(list(summaries.values()))
    metrics = [name for name in OVERVIEW if name in total.metrics]
    ranked = total.sigma_rank_correlation is not None
    table = Table(title="Metrics per image, then averaged")
    table.add_column("set", overflow="fold")
    headings = [OVERVIEW[name] for name in metrics]
    for heading in ("frames", *headings, *(["rank\ncorr."] if ranked else [])):
        table.add_column(heading, justify="right")

    def add(name: str, summary: Summary) -> None:
        cells = [_cell(summary.metrics.get(metric)) for metric in metrics]
        if ranked:
            cells.append(_cell(summary.sigma_rank_correlation, 2))
        table.add_row(name, str(len(summary.frames)), *cells)

    for name, summary in summaries.items():
        add(name, summary)
    table.add_section()
    add("all", total)
    console.print(table)
    print_dense(total, console)
    if ranked:
        console.print("rank corr.: Spearman's rank correlation, by frame, of sigma / depth and abs_rel")
    for name, summary in summaries.items():
        print_skipped(summary, console, f"{name}: ")
    if total.roadless is not None:
        _print_surfaces({**summaries, "all": total}, console)


def _print_surfaces(summaries: Mapping[str, Summary], console: Console) -> None:
    """Obstacles, ground and classes of each set of frames; the last of ``summaries`` is of all."""
    table = Table(title="Obstacles and ground")
    table.add_column("set", overflow="fold")
    table.add_column("of")
    for heading in ("frames", "pixels", "abs_rel", "within\nsigma"):
        table.add_column(heading, justify="right")
    for name, summary in summaries.items():
        label = name
        for part, (pixels, frames) in summary.part_pixels().items():
            if pixels or part in SURFACE_NAMES:
                metrics = [_cell(summary.metrics.get(f"{part}_{metric}")) for metric in PART_METRICS]
                table.add_row(label, part, str(frames), f"{pixels:,}", *metrics)
                label = ""
        table.add_section()
    console.print(table)
    console.print(f"{RULE}; means over frames that have such pixels", highlight=False)
    for name, summary in list(summaries.items())[:-1]:
        print_roadless(summary, console, f"{name}: ")


def print_roadless(summary: Summary, console: Console, prefix: str = "") -> None:
    """The frames that are in no figure of obstacles and ground, if there are any."""
    if summary.roadless:
        console.print(
            f"{prefix}no road found in {len(summary.roadless)} of {len(summary.frames)} frames, which are in "
            f"no figure of obstacles and ground: {', '.join(summary.roadless)}",
            markup=False,
            highlight=False,
        )


def print_frames(summary: Summary, console: Console, title: str = "Frames") -> None:
    """One row per frame."""
    metrics = [name for name in PER_FRAME if name in summary.metrics]
    table = Table(title=title)
    table.add_column("frame", overflow="fold")
    for heading in ("pixels", *metrics):
        table.add_column(heading, justify="right")
    for frame in summary.frames:
        table.add_row(frame.name, str(frame.pixels), *(_cell(frame.metrics.get(name)) for name in metrics))
    console.print(table)


def _row(summary: Summary, name: str, column: Column) -> tuple[str, ...]:
    label = f"{name} ({column.unit})" if column.unit else name
    mean = f"{summary.metrics[name]:.4f}"
    if name == "calibration_area":  # of the mean coverage curve: no frame has one
        return label, column.target, mean, "", "", ""
    values = summary.column(name)
    spread = f"{np.nanstd(values):.4f}"
    if not column.target:
        return label, "", mean, spread, "", ""
    badness = {"low": values, "high": -values}.get(column.target)
    if badness is None:
        badness = np.abs(values - float(column.target))
    worst = int(np.nanargmax(badness))
    return label, column.target, mean, spread, f"{values[worst]:.4f}", summary.frames[worst].name


def _cell(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}"
