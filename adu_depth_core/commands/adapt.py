"""``adu_depth adapt``: fine-tune a student on a drive of your own vehicle."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adu_depth_core.bags.topic_choice import MEASURED
from adu_depth_core.commands.bag_options import (
    add_topic_arguments,
    print_topics,
    reading_options,
    topic_options,
)
from adu_depth_core.commands.model_options import add_model_argument
from adu_depth_core.commands.number_arguments import MOST_THREADS, number, whole_number
from adu_depth_core.errors import UserError, require
from adu_depth_core.files import check_folder_writable, read_text, write_atomically
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card
from adu_depth_core.own_vehicle.calibration import calibrate, profile_name
from adu_depth_core.own_vehicle.drive import Drive
from adu_depth_core.own_vehicle.drive_folders import DriveExtraction, DriveFolders, description
from adu_depth_core.own_vehicle.replay import IMAGES, write_replay
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console

if TYPE_CHECKING:
    from adu_depth_core.own_vehicle.adaptation import Change

WORSE = 3

EPILOG = f"""\
Writes student.onnx with its weights and card to DIR/run, and a profile if that helps further; DIR/data holds
the drive as training data. Run again with the same DIR and bags to resume an interrupted run.
Exit status: 0 done; {WORSE} the end of the drive did not improve: keep the model you have; 1 an
error. What to record, and what to expect: docs/own_vehicle.md

examples:
  adu_depth adapt drive --out adapted
  adu_depth adapt monday tuesday --minutes 20 --elsewhere kitti2015_more --out adapted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "bags", nargs="+", type=Path, metavar="BAG", help="drives of one camera, in chronological order"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the adapted model")
    add_model_argument(parser, "--model", help="student to start from, .onnx or .safetensors")
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="FILE",
        help="stereo teacher for pairs, .safetensors (default: the checkout's; without one: stereo matching)",
    )
    parser.add_argument(
        "--minutes",
        type=number(above=0, most=10_000),
        default=15.0,
        metavar="MIN",
        help="time for training; preparation takes a few more (default: 15)",
    )
    parser.add_argument(
        "--elsewhere",
        type=Path,
        metavar="DIR",
        help="folder in KITTI's layout with gt_depth: the loss is measured there too",
    )
    parser.add_argument(
        "--workers",
        type=whole_number(0, MOST_THREADS),
        default=1,
        help="data loading processes (default: 1)",
    )
    # Not offered, but asked for: calibrate has it.
    parser.add_argument("--camera-height", type=_no_height, help=argparse.SUPPRESS)
    add_topic_arguments(parser, (*MEASURED, "none"))


def _no_height(text: str) -> None:
    raise argparse.ArgumentTypeError(
        "a height gives one factor of depth, and nothing to learn from that the model does not predict "
        "already; a profile has it without training: "
        f"adu_depth calibrate BAG --camera-height {text} --out DIR"
    )


def run(arguments: argparse.Namespace) -> int:
    for module in ("torch", "timm", "lightning", "safetensors", "onnx"):
        require(module, "train", "to adapt")
    from adu_depth_core.own_vehicle import adaptation

    out = arguments.out
    check_folder_writable(out)
    start = (arguments.model or default_model()).with_suffix(".onnx")
    weights = adaptation.start_weights(start)
    try:
        card = read_card(weights)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    folders = _extracted(arguments, card)
    counts = ", ".join(f"{count} {part}" for part, count in folders.frames.items())
    print(f"frames: {counts}; depth by {folders.truth}{', pairs' if folders.pairs else ''}")
    with progress_bar("views") as bar:
        task = bar.add_task("Making synthetic streets", total=IMAGES)
        write_replay(out / "data", lambda: bar.advance(task))
    teacher = arguments.teacher or adaptation.shipped_teacher()
    model = adaptation.fine_tune(
        folders, out / "data" / "replay", weights, teacher, out / "run", arguments.minutes, arguments.workers
    )
    sets = [
        *adaptation.held_out_frames(folders),
        *adaptation.elsewhere_frames(out / "data", arguments.elsewhere),
    ]
    found = adaptation.changes(start, model, sets)
    console = plain_console()
    print_changes(found, console)
    own = found[0]
    if own.after["log_error"] >= own.before["log_error"]:
        console.print(
            Text("not better:", "bold red"),
            "at the end of the drive the adapted model is no better than the original; keep the original, "
            "or record more",
        )
        return WORSE
    print(f"written: {model}, its weights and card")
    _calibrated(arguments, folders, model, console)
    return 0


def _extracted(arguments: argparse.Namespace, card: ModelCard) -> DriveFolders:
    """The drive's folders; those of an earlier start are taken if they are of the same bags."""
    root, note = arguments.out / "data" / "bags", arguments.out / "data" / "bags" / "made_of.json"
    wanted = description(arguments.bags, topic_options(arguments))
    extraction = DriveExtraction(arguments.bags, topic_options(arguments), reading_options(arguments), card)
    for bag, topics in zip(extraction.bags, extraction.topics, strict=True):
        print_topics(bag, topics)
    if root.exists():
        if read_text(note) != wanted:
            raise UserError(f"{root} was made of other bags or topics; choose another --out")
        return extraction.found(root)
    with write_atomically(root, replace=False) as folder, progress_bar() as bar:
        task = bar.add_task("Extracting", total=extraction.images)
        extraction.write(folder, lambda done: bar.update(task, completed=done))
        (folder / note.name).write_text(wanted, encoding="utf-8")
    return extraction.found(root)


def _calibrated(arguments: argparse.Namespace, folders: DriveFolders, model: Path, console: Console) -> None:
    """Calibrate the adapted model on the end of the drive, which it was not trained on."""
    from adu_depth_core.own_vehicle.adaptation import held_out_frames, observed

    predictor = Predictor(model, profile="none")
    in_order = [o for _, part in reversed(held_out_frames(folders)) for o in observed(predictor, part)]
    frames = [dataclasses.replace(o, seconds=float(number)) for number, o in enumerate(in_order)]
    drive = Drive(folders.truth, folders.camera, frames)
    calibration = calibrate(drive, predictor.card)
    if calibration.refusal:
        console.print(f"no profile is needed: {calibration.refusal}", soft_wrap=True)
        return
    path = model.parent / profile_name(model, folders.camera)
    calibration.profile(predictor.card, folders.camera, arguments.command_line).write(path)
    print(f"written: {path}")


def print_changes(found: Sequence[Change], console: Console) -> None:
    """Table of gains and losses."""
    table = Table(title="before → after")
    table.add_column("", no_wrap=True)
    table.add_column("frames", justify="right")
    rows = {"log_error": "|ln(p / g)|", "abs_rel": "abs_rel", "within_sigma": "within sigma"}
    for text in rows.values():
        table.add_column(text, justify="right", no_wrap=True)
    for change in found:
        cells = (f"{change.before[name]:.3f}→{change.after[name]:.3f}" for name in rows)
        table.add_row(change.place, str(change.frames), *cells)
    console.print(table)
