"""``adu_depth evaluate``: measure a model on data sets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from adu_depth_core.commands.camera_options import add_camera_height
from adu_depth_core.commands.model_options import add_model_arguments, load_predictor
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.datasets.registry import KINDS
from adu_depth_core.errors import UsageError, UserError
from adu_depth_core.evaluation.benchmarks import DEFAULT_CROPS, SPLITS, Benchmark, open_benchmark
from adu_depth_core.evaluation.evaluation_record import evaluation_record, write_frames_csv, write_record
from adu_depth_core.evaluation.evaluator import Summary
from adu_depth_core.evaluation.judged_sets import JudgedSet, evaluate
from adu_depth_core.evaluation.leakage import Leakage, check_leakage
from adu_depth_core.evaluation.protocol import CROPS, MIN_DEPTH, Protocol
from adu_depth_core.evaluation.report import print_context, print_frames, print_overview, print_summary
from adu_depth_core.evaluation.subject import Subject, checkpoint_subject, model_subject, sgbm_subject
from adu_depth_core.files import check_writable
from adu_depth_core.labels import distinct
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console

EPILOG = """\
Formulas, crops and how to read the table: docs/evaluation.md; layout of the data sets' folders:
docs/training_data.md

examples:
  adu_depth evaluate --dataset kitti_eigen --root KITTI --json result.json
  adu_depth evaluate --dataset kitti2015 --root kitti2015 --model mine.onnx --split my_scenes.txt --crop garg
  adu_depth evaluate --dataset kitti2015 --root kitti2015 --checkpoint runs/teacher/teacher.safetensors
  adu_depth evaluate --dataset kitti2015 --root kitti2015 --method sgbm
  adu_depth evaluate --dataset synthetic --root drive_kitti --per-frame
  adu_depth evaluate --dataset kitti_folder --root rig_a rig_b --csv frames.csv
  adu_depth evaluate --dataset kitti2015 kitti_folder --root kitti2015 rig --split validation mine.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    datasets = "; ".join(f"{name}: {KINDS[name].summary}" for name in SPLITS)
    parser.add_argument(
        "--dataset",
        required=True,
        nargs="+",
        action="extend",
        choices=SPLITS,
        metavar="NAME",
        help=f"kind of all folders, or of each in the order of --root; {datasets}",
    )
    parser.add_argument(
        "--root",
        type=Path,
        required=True,
        nargs="+",
        action="extend",
        metavar="DIR",
        help="the data set's folder; several are evaluated in one run, one row each",
    )
    splits = "; ".join(f"{dataset}: {', '.join(names)}" for dataset, names in SPLITS.items())
    parser.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="NAME|FILE",
        help=f"named split, the first is the default ({splits}), or a text file with one scene per line; "
        "one for all folders, or one for each",
    )
    listed = ", ".join(name for name in SPLITS if KINDS[name].takes_list)
    parser.add_argument(
        "--files",
        type=Path,
        metavar="FILE",
        help=f"{listed}: the split's list, as BTS or monodepth2 ship it (default: the one in DIR)",
    )
    sizes = "; ".join(f"{name}: {', '.join(KINDS[name].sizes)}" for name in SPLITS if KINDS[name].sizes)
    parser.add_argument("--size", help=f"image size, the first is the default ({sizes})")
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument(
        "--cap",
        type=number(above=MIN_DEPTH),
        default=80.0,
        metavar="M",
        help="farthest ground truth that counts (default: 80)",
    )
    crops = "; ".join(f"{name}: {text}" for name, text in CROPS.items())
    defaults = "".join(f"{crop} for {dataset}, " for dataset, crop in DEFAULT_CROPS.items())
    protocol.add_argument("--crop", choices=CROPS, help=f"{crops} (default: {defaults}none for the others)")
    add_camera_height(protocol)
    protocol.add_argument(
        "--flip", action="store_true", help="average each prediction with that of the mirrored image"
    )
    protocol.add_argument(
        "--allow-training-frames",
        action="store_true",
        help="evaluate even frames listed as training data in the model card",
    )
    add_model_arguments(parser)
    instead = parser.add_argument_group("instead of a model")
    instead.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="weights of a student or stereo teacher (.safetensors) with their card beside them, run in "
        "PyTorch",
    )
    instead.add_argument(
        "--method",
        choices=["sgbm"],
        help="sgbm: OpenCV's stereo matching with its gaps filled, the reference",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--per-frame", action="store_true", help="also print one row per frame")
    output.add_argument(
        "--json", type=Path, metavar="FILE", help="write the results, including those of every frame, as JSON"
    )
    output.add_argument("--csv", type=Path, metavar="FILE", help="write every frame's metrics as CSV")


def run(arguments: argparse.Namespace) -> int:
    datasets = _each(arguments, "dataset")
    protocol = Protocol(arguments.cap, arguments.crop or _default_crop(datasets), arguments.camera_height)
    for path in filter(None, (arguments.json, arguments.csv)):
        check_writable(path)
    benchmarks = [
        open_benchmark(dataset, root, split, arguments.files, arguments.size)
        for dataset, root, split in zip(datasets, arguments.root, _each(arguments, "split"), strict=True)
    ]
    subject = _subject(arguments)
    leakages = [_leakage(subject, benchmark, arguments.allow_training_frames) for benchmark in benchmarks]
    sets = [
        JudgedSet(benchmark, leakage, _evaluate(subject, benchmark, protocol))
        for benchmark, leakage in zip(benchmarks, leakages, strict=True)
    ]
    if arguments.json:
        record = evaluation_record(sets, protocol, subject, arguments.flip, arguments.command_line)
        write_record(arguments.json, record)
    if arguments.csv:
        write_frames_csv(arguments.csv, sets)
    _print(arguments, subject, protocol, sets)
    return 0


def _each(arguments: argparse.Namespace, option: str) -> list:
    """The value of an option for each root: one for all, or one each."""
    values, roots = getattr(arguments, option) or [None], len(arguments.root)
    if len(values) not in (1, roots):
        raise UsageError(
            f"--{option} has {len(values)} values and --root {roots}: give one for all folders, or one "
            "for each in their order"
        )
    return values * roots if len(values) == 1 else values


def _default_crop(datasets: Sequence[str]) -> str:
    crops = {DEFAULT_CROPS.get(dataset, "none") for dataset in datasets}
    if len(crops) > 1:
        raise UsageError(
            f"{', '.join(dict.fromkeys(datasets))} are usually cropped differently: give --crop for all"
        )
    return crops.pop()


def _subject(arguments: argparse.Namespace) -> Subject:
    given = [name for name in ("model", "checkpoint", "method") if getattr(arguments, name) is not None]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other")
    if given in (["checkpoint"], ["method"]):
        only_model = {"backend": "auto", "threads": None}
        if given == ["method"]:
            only_model |= {"network_size": None, "flip": False}
        unsuited = [name for name, default in only_model.items() if getattr(arguments, name) != default]
        if unsuited:
            raise UsageError(f"--{unsuited[0].replace('_', '-')} cannot be combined with --{given[0]}")
    if arguments.method:
        return sgbm_subject()
    if arguments.checkpoint:
        # Imports torch, which evaluation itself does not need.
        from adu_depth_core.inference.checkpoint_predictor import load_checkpoint_predictor

        predictor = load_checkpoint_predictor(arguments.checkpoint, arguments.network_size)
        return checkpoint_subject(predictor, arguments.flip)
    return model_subject(load_predictor(arguments), arguments.flip)


def _leakage(subject: Subject, benchmark: Benchmark, allow: bool) -> Leakage:
    if subject.card is None:  # nothing was trained
        return Leakage(True, [], [], [])
    return check_leakage(
        subject.card,
        benchmark.dataset,
        benchmark.subset,
        benchmark.frames,
        allow,
        benchmark.drives,
        benchmark.kind,
    )


def _evaluate(subject: Subject, benchmark: Benchmark, protocol: Protocol) -> Summary:
    with progress_bar() as bar:
        samples = bar.track(benchmark.samples, description=f"Evaluating {benchmark.dataset}")
        try:
            return evaluate(subject, benchmark.dataset, samples, protocol)
        except UserError as error:
            raise UserError(f"{benchmark.dataset}: {error}") from error


def _print(
    arguments: argparse.Namespace, subject: Subject, protocol: Protocol, sets: Sequence[JudgedSet]
) -> None:
    console = plain_console()
    context = {
        "data": "\n".join(_describe(judged.benchmark) for judged in sets),
        "model": f"{subject.name} ({subject.file})" if subject.file else subject.name,
        "run": subject.runtime,
        "protocol": protocol.describe(),
        "prediction": "averaged with the mirrored image's (--flip)"
        if arguments.flip
        else "no test-time augmentation",
    }
    if subject.network_sizes is not None:
        sizes = ", ".join(f"{rows}x{columns}" for rows, columns in subject.network_sizes)
        context["run"] = f"network input {sizes}, {subject.runtime}"
    if subject.card is not None:
        calibrated = sum(len(judged.leakage.calibrated) for judged in sets)
        context["sigma"] = (
            f"scale {subject.card.sigma_scale:.3f}; for each of the {calibrated} frames that it was fitted "
            "on, the scale fitted without it"
        )
    if subject.profiles:
        context["profile"] = ", ".join(map(str, subject.profiles))
    print_context(context, console)
    names = distinct(
        [judged.benchmark.dataset + " (pseudo)" * bool(judged.benchmark.pseudo) for judged in sets]
    )
    summaries = {name: judged.summary for name, judged in zip(names, sets, strict=True)}
    if arguments.per_frame:
        for name, summary in summaries.items():
            print_frames(summary, console, name)
    if len(sets) > 1:
        print_overview(summaries, console)
    else:
        print_summary(sets[0].summary, console, len(sets[0].benchmark.pseudo))
    for warning in dict.fromkeys(warning for judged in sets for warning in judged.leakage.warnings):
        console.print(Text("WARNING", "bold red"), warning)
    for path in filter(None, (arguments.json, arguments.csv)):
        console.print(f"written: {path}")


def _describe(benchmark: Benchmark) -> str:
    text = f"{benchmark.dataset}, split {benchmark.split}, {benchmark.frame_counts}"
    if benchmark.unlabelled:
        listed = len(benchmark.frames) + len(benchmark.unlabelled)
        text += f" of {listed} listed; the others have no ground truth"
    return text
