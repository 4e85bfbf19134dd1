"""``adu_depth evaluate-bag``: replay bags through models and report how good they are."""

from __future__ import annotations

import argparse
import contextlib
import math
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adu_depth_core.bags.topic_choice import MEASURED, TRUTHS
from adu_depth_core.commands.bag_options import (
    add_topic_arguments,
    print_topics,
    reading_options,
    topic_options,
)
from adu_depth_core.commands.camera_options import add_camera_height
from adu_depth_core.commands.model_options import add_model_arguments, make_predictor
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.errors import UserError, require
from adu_depth_core.evaluation.protocol import CROPS, MIN_DEPTH, Protocol
from adu_depth_core.evaluation.report import DEPTH, SURFACE
from adu_depth_core.files import check_folder_writable, write_atomically
from adu_depth_core.inference.installed_models import default_model, display_name
from adu_depth_core.interrupts import stop_on_interrupt
from adu_depth_core.labels import distinct
from adu_depth_core.memory import keep_freed_memory
from adu_depth_core.progress import progress_bar
from adu_depth_core.replay.bag_evaluation import BagEvaluation
from adu_depth_core.replay.conditions import METRICS, FailIf
from adu_depth_core.replay.evaluation_files import write_frames_csv, write_metrics_json
from adu_depth_core.replay.evaluation_recorder import EvaluationRecorder
from adu_depth_core.replay.evaluation_result import Estimate, EvaluationResult
from adu_depth_core.terminal import plain_console

FAILED, INTERRUPTED = 3, 130
SHOWN = (
    "abs_rel",
    "rmse",
    "d1",
    "coverage_1sigma",
    "nll",
    "ause_abs_rel",
    *SURFACE,
    "instability",
    "flicker",
)

EPILOG = f"""\
DIR holds report.html (read this first), metrics.json, frames.csv and, with --record, the bag record/.

Exit status: 0 done; 1 nothing could be evaluated, or another error; 2 invalid options; {FAILED} a --fail-if
condition holds; {INTERRUPTED} interrupted by Ctrl-C (the report covers the frames read so far).

Metrics of --fail-if: {", ".join(METRICS)}

Definitions of the figures: docs/evaluation.md; topics and bags: docs/replay.md

examples:
  adu_depth evaluate-bag drive --out judged
  adu_depth evaluate-bag monday tuesday --model old.onnx --model new.onnx --truth lidar --out judged
  adu_depth evaluate-bag drive --out judged --fail-if "abs_rel>0.12" --fail-if "coverage_1sigma<0.6"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "bags", nargs="+", type=Path, metavar="BAG", help="rosbag2 folder, .mcap, .db3 or .bag"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder for the report")
    parser.add_argument("--overwrite", action="store_true", help="overwrite an earlier report in DIR")
    parser.add_argument(
        "--record", action="store_true", help="also write images, depth, sigma and error as a bag"
    )
    parser.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="CONDITION",
        help=f'exit with status {FAILED} if it holds, such as "abs_rel>0.12"; may be given several times',
    )
    parser.add_argument(
        "--allow-training-frames",
        action="store_true",
        help="evaluate, with a warning, drives that a model's card says it was trained on",
    )
    parser.add_argument(
        "--stabilise",
        action="store_true",
        help="also evaluate each model with temporal stabilisation, as the node's parameter stabilise does; "
        "the camera's motion is that of /tf, odometry or --poses",
    )
    add_topic_arguments(parser, TRUTHS)
    parser.add_argument(
        "--poses",
        type=Path,
        metavar="FILE",
        help="poses of the camera in TUM format (stamp tx ty tz qx qy qz qw) instead of /tf and odometry",
    )
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument(
        "--cap",
        type=number(above=MIN_DEPTH),
        default=80.0,
        metavar="M",
        help="farthest ground truth (default: 80)",
    )
    protocol.add_argument(
        "--where",
        choices=MEASURED,
        help="use ground truth only where this other kind has a value too: figures of --truth depth and "
        "--truth lidar are comparable only on the same pixels",
    )
    protocol.add_argument("--crop", choices=CROPS, default="none", help="part of the image (default: none)")
    add_camera_height(protocol)
    add_model_arguments(parser, several=True)


def run(arguments: argparse.Namespace) -> int:
    require("jinja2", "bags", "to write the report page")
    from adu_depth_core.replay.report_page import write_report_page

    conditions = [FailIf.parse(text) for text in arguments.fail_if]
    check_replaceable(arguments.out, arguments.overwrite)
    check_folder_writable(arguments.out.parent)
    keep_freed_memory()
    protocol = Protocol(arguments.cap, arguments.crop, arguments.camera_height)
    paths = arguments.model or [default_model()]
    predictors = {
        label: make_predictor(arguments, path)
        for label, path in zip(distinct([display_name(path) for path in paths]), paths, strict=True)
    }
    evaluation = BagEvaluation(
        arguments.bags,
        predictors,
        topic_options(arguments),
        reading_options(arguments),
        protocol,
        arguments.allow_training_frames,
        arguments.stabilise,
    )
    for bag, topics in zip(evaluation.bags, evaluation.topics, strict=True):
        print_topics(bag, topics)
    with (
        write_atomically(arguments.out, replace=arguments.overwrite) as folder,
        contextlib.ExitStack() as stack,
    ):
        folder.mkdir()
        recorder = stack.enter_context(EvaluationRecorder(folder / "record")) if arguments.record else None
        stop = stack.enter_context(stop_on_interrupt())
        with progress_bar() as bar:
            task = bar.add_task("Evaluating", total=evaluation.frames_in_bags)
            result = evaluation.run(
                lambda done: bar.update(task, completed=done),
                stop,
                conditions,
                recorder,
                arguments.command_line,
            )
        write_metrics_json(result, folder / "metrics.json")
        write_frames_csv(result, folder / "frames.csv")
        write_report_page(result, folder / "report.html")
    print_result(result, plain_console())
    print(f"written: {arguments.out / 'report.html'}")
    if result.interrupted:
        return INTERRUPTED
    return FAILED if result.failed else 0


def check_replaceable(out: Path, overwrite: bool) -> None:
    """:raises UserError: if ``out`` exists, unless it is an earlier report that may be replaced"""
    if out.exists() and not (overwrite and (out / "metrics.json").is_file()):
        kind = "a report; --overwrite replaces it" if (out / "metrics.json").is_file() else "not a report"
        raise UserError(f"{out} exists already and is {kind}; choose another --out")


def _estimate(estimate: Estimate | None, sign: str = "") -> str:
    """The mean and, if the drives are long enough to trust it, its interval."""
    if estimate is None:
        return ""
    mean, low, high = (f"{value:{sign}.4f}" for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} [{low}, {high}]" if estimate.decided and math.isfinite(estimate.low) else mean


def _verdict(difference: Estimate) -> str:
    if not difference.decided:
        return " (inconclusive)"
    return ": significant (95 % CI)" if difference.significant else ""


def print_result(result: EvaluationResult, console: Console) -> None:
    """A short table; the report has the rest."""
    source = result.source
    table = Table(
        "metric", title=f"{source.frames_evaluated} of {source.frames_read} frames, mean [95 % interval]"
    )
    for model in result.models:
        table.add_column(model.label, justify="right")
    for name in SHOWN:
        estimates = [model.metrics.get(name) for model in result.models]
        if any(estimates):
            unit = DEPTH[name].unit if name in DEPTH else ""
            table.add_row(f"{name} ({unit})" if unit else name, *map(_estimate, estimates))
    table.add_row("latency alone, median", *(f"{model.latency.median_ms:.1f} ms" for model in result.models))
    console.print(table)
    console.print(f"{result.frames_per_second:.1f} frames/s, measuring included")
    for model in result.models:
        for profile in model.profiles:
            console.print(f"{model.label} with camera profile {profile}")
    if any(metric.too_short for model in result.models for metric in model.metrics.values()):
        console.print("no 95 % interval for some means: the drives are too short")
    for comparison in result.comparisons:
        if comparison.metric in SHOWN:
            models = f"{comparison.second} - {comparison.first}"
            difference = comparison.difference
            console.print(
                f"{models}: {comparison.metric} {_estimate(difference, '+')}{_verdict(difference)}",
            )
    for condition in result.conditions:
        verdict = Text("FAILED", "bold red") if condition.failed else Text("passed", "green")
        console.print(verdict, f"{condition.text}: {condition.model} has {condition.value:.4f}")
    for warning in result.warnings:
        console.print(Text("WARNING", "bold red"), warning)
