"""``adu_depth compare-bags``: compare the recorded output of a live node with the offline prediction."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table
from rich.text import Text

from adu_depth_core.bags import topics
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.commands.model_options import add_model_arguments, load_predictor
from adu_depth_core.commands.number_arguments import number, whole_number
from adu_depth_core.evaluation.report import print_context
from adu_depth_core.inference.depth_output import MAX_DEPTH, MAX_RELATIVE_SIGMA
from adu_depth_core.progress import progress_bar
from adu_depth_core.replay.depth_comparison import Expectation
from adu_depth_core.replay.live_comparison import FrameComparison, LiveComparison
from adu_depth_core.terminal import plain_console

ROWS = 10
"""Frames in the table: those that differ most."""

EPILOG = """\
The exit status is 0 if every depth image of the node equals the offline prediction, else 1.

examples:
  adu_depth compare-bags recorded drive
  adu_depth compare-bags demo/depth demo/drive --model mine.onnx --tolerance 0.01
  adu_depth compare-bags recorded drive --max-depth 60 --max-relative-sigma 0.3 --require-all
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "live", type=Path, metavar="LIVE", help="bag recorded from the node: depth, uncertainty"
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="bag with the node's input images")
    parser.add_argument(
        "--tolerance",
        type=number(least=0, below=1),
        default=Expectation.tolerance,
        metavar="T",
        help="largest relative difference that counts as equal (default: 0.001; other runtimes need more)",
    )
    parser.add_argument("--require-all", action="store_true", help="also fail if an image has no depth")
    parser.add_argument(
        "--offset",
        type=whole_number(-(2**63), 2**63 - 1),
        metavar="NS",
        help="live stamps minus source stamps in nanoseconds, as added by a player that restamps (default: "
        "estimated from the stamps)",
    )
    names = parser.add_argument_group("topics")
    names.add_argument("--image", metavar="TOPIC", help="of SOURCE (default: that with the depth's frame)")
    names.add_argument("--camera-info", metavar="TOPIC", help="of SOURCE (default: that beside the image)")
    names.add_argument(
        "--depth", default=topics.DEPTH, metavar="TOPIC", help="of LIVE (default: %(default)s)"
    )
    names.add_argument(
        "--sigma",
        default=topics.SIGMA,
        metavar="TOPIC",
        help="of LIVE (default: %(default)s; not compared if missing)",
    )
    node = parser.add_argument_group("parameters that the node ran with")
    node.add_argument(
        "--max-depth",
        type=number(above=0),
        default=MAX_DEPTH,
        metavar="M",
        help="metres (default: %(default)g)",
    )
    node.add_argument(
        "--max-relative-sigma",
        type=number(above=0),
        default=MAX_RELATIVE_SIGMA,
        metavar="R",
        help="(default: %(default)g)",
    )
    node.add_argument("--raw-image", action="store_true", help="it ran with rectified:=false")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    skipped = SkippedFrames()
    with BagReader(arguments.live) as live:
        comparison = LiveComparison(
            live,
            arguments.source,
            image=arguments.image,
            camera_info=arguments.camera_info,
            depth=arguments.depth,
            sigma=arguments.sigma,
            offset_ns=arguments.offset,
            rectified=not arguments.raw_image,
        )
        predictor = load_predictor(arguments)
        max_depth = min(arguments.max_depth, predictor.card.depth_max)
        expectation = Expectation(max_depth, arguments.max_relative_sigma, arguments.tolerance)
        offset = comparison.settle_offset(predictor.predict, expectation)
        with progress_bar() as bar:
            frames = comparison.frames(predictor.predict, expectation, skipped)
            results = list(bar.track(frames, comparison.answered, description="Comparing"))
    console = plain_console()
    rows, columns = predictor.network_size
    print_context(
        {
            "live": f"{arguments.live}: {comparison.depth_topic}, {comparison.sigma_topic}",
            "source": f"{arguments.source}: {comparison.topics.image}, {comparison.topics.camera_info}",
            "model": f"{predictor.card.name} ({predictor.model_path})",
            "run": f"network input {rows}x{columns}, {predictor.backend.runtime}",
            "stamps": "the same in both" if not offset else f"live = source + {offset} ns",
            "equal": f"within {arguments.tolerance:g} of the value; NaN above sigma / depth "
            f"{arguments.max_relative_sigma:g}, +inf from {max_depth:g} m",
        },
        console,
    )
    console.print(_table(results))
    unanswered = len(comparison.source_stamps) - comparison.answered
    console.print(
        f"{comparison.answered} of {len(comparison.source_stamps)} images were answered, {unanswered} not "
        "(dropped by the node or lost on the way)",
    )
    if silent := sum(frame.sigma is None for frame in results):
        console.print(f"uncertainty was not compared in {silent} frames: not recorded")
    failures = _failures(comparison, results, skipped)
    if arguments.require_all and unanswered:
        failures.append(f"{unanswered} images were not answered (--require-all)")
    if not failures:
        console.print(Text("EQUAL", "bold green"), f"all {len(results)} frames, depth and marks")
    for failure in failures:
        console.print(Text("DIFFERENT", "bold red"), failure)
    return 1 if failures else 0


def _failures(
    comparison: LiveComparison, results: list[FrameComparison], skipped: SkippedFrames
) -> list[str]:
    failures = []
    if different := sum(not frame.equal for frame in results):
        failures.append(f"{different} of {len(results)} frames differ from the offline prediction")
    if stray := comparison.stray_stamps:
        failures.append(f"{len(stray)} live frames have no image, the first is stamped {stray[0]} ns")
    if missing := comparison.answered - len(results):
        reasons = "; ".join(entry.reason for entry in skipped.summary())
        failures.append(f"{missing} images that were answered could not be read: {reasons}")
    return failures


def _table(results: list[FrameComparison]) -> Table:
    shown = sorted(results, key=_misfit, reverse=True)[:ROWS]
    table = Table("stamp (s)", title=f"{len(results)} frames, the {len(shown)} that differ most")
    for heading in ("depth differs by", "in pixels", "marked otherwise", "sigma differs by", "in pixels", ""):
        table.add_column(heading, justify="right")
    for frame in shown:
        sigma = frame.sigma
        table.add_row(
            f"{frame.stamp_ns / 1e9:.3f}",
            f"{frame.depth.largest:.1e}",
            str(frame.depth.beyond),
            str(frame.depth.marked),
            "" if sigma is None else f"{sigma.largest:.1e}",
            "" if sigma is None else str(sigma.beyond + sigma.marked),
            Text("equal", "green") if frame.equal else Text("different", "red"),
        )
    return table


def _misfit(frame: FrameComparison) -> tuple[int, float]:
    """More pixels that differ first, then larger differences."""
    differences = [frame.depth, *([frame.sigma] if frame.sigma else [])]
    return sum(d.beyond + d.marked for d in differences), max(d.largest for d in differences)
