"""``adu_depth evaluate``: measure a model on a data set."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from adu_depth_core.commands.model_options import add_model_arguments, load_predictor
from adu_depth_core.evaluation.benchmarks import SPLITS, open_benchmark
from adu_depth_core.evaluation.calibration import judged_sigma
from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.flip import predict_with_flip
from adu_depth_core.evaluation.leakage import check_leakage
from adu_depth_core.evaluation.protocol import CROPS, Protocol
from adu_depth_core.evaluation.record import evaluation_record, write_record
from adu_depth_core.evaluation.report import print_context, print_frames, print_summary
from adu_depth_core.files import check_writable
from adu_depth_core.progress import progress_bar

EPILOG = """\
Formulas, crops and how to read the table: docs/evaluation.md

examples:
  adu_depth evaluate --dataset kitti2015 --root kitti2015 --json result.json
  adu_depth evaluate --dataset kitti2015 --root kitti2015 --model mine.onnx --split my_scenes.txt --crop garg
  adu_depth evaluate --dataset synthetic --root drive_kitti --per-frame
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "--dataset",
        required=True,
        choices=SPLITS,
        help="kitti2015: the stereo benchmark; synthetic: a folder by `adu_depth synth-drive`; "
        "stereo_folder: one by `adu_depth extract`",
    )
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="folder that holds training/")
    splits = "; ".join(f"{dataset}: {', '.join(names)}" for dataset, names in SPLITS.items())
    parser.add_argument(
        "--split",
        metavar="NAME|FILE",
        help=f"named split, the first is the default ({splits}), or a text file with one scene per line",
    )
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument(
        "--cap", type=float, default=80.0, metavar="M", help="farthest ground truth that counts (default: 80)"
    )
    crops = "; ".join(f"{name}: {text}" for name, text in CROPS.items())
    protocol.add_argument("--crop", choices=CROPS, default="none", help=f"{crops} (default: none)")
    protocol.add_argument(
        "--flip", action="store_true", help="average each prediction with that of the mirrored image"
    )
    protocol.add_argument(
        "--allow-training-frames",
        action="store_true",
        help="evaluate even frames that the model card says the model was trained on",
    )
    add_model_arguments(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--per-frame", action="store_true", help="also print one row per frame")
    output.add_argument(
        "--json", type=Path, metavar="FILE", help="write the result, every frame's too, as JSON"
    )


def run(arguments: argparse.Namespace) -> int:
    protocol = Protocol(arguments.cap, arguments.crop)
    if arguments.json:
        check_writable(arguments.json)
    benchmark = open_benchmark(arguments.dataset, arguments.root, arguments.split)
    predictor = load_predictor(arguments)
    leakage = check_leakage(
        predictor.card, benchmark.dataset, benchmark.subset, benchmark.frames, arguments.allow_training_frames
    )

    predict = partial(predict_with_flip, predictor) if arguments.flip else predictor.predict
    evaluator = Evaluator(protocol)
    with progress_bar() as bar:
        for sample in bar.track(benchmark.samples, description="Evaluating"):
            prediction = predict(sample.left, sample.camera)
            sigma = judged_sigma(predictor.card, benchmark.dataset, sample.name, prediction.sigma)
            evaluator.add(sample.name, sample.depth, prediction.depth, sigma)
    summary = evaluator.summary()
    if arguments.json:
        write_record(
            arguments.json,
            evaluation_record(
                summary, benchmark, protocol, predictor, leakage, arguments.flip, arguments.command_line
            ),
        )

    console = Console()
    rows, columns = predictor.network_size
    flip = "averaged with the mirrored image's (--flip)" if arguments.flip else "no flip"
    print_context(
        {
            "data": f"{benchmark.dataset}, split {benchmark.split}, {len(benchmark.frames)} frames",
            "model": f"{predictor.card.name} ({predictor.model_path})",
            "run": f"network input {rows}x{columns}, {predictor.backend.runtime}",
            "protocol": protocol.describe(),
            "prediction": flip,
            "sigma": (
                f"scale {predictor.card.sigma_scale:.3f}; on {len(leakage.calibrated)} of the frames it was "
                "fitted on, the scale fitted without that frame"
            ),
        },
        console,
    )
    if arguments.per_frame:
        print_frames(summary, console)
    print_summary(summary, console)
    for warning in leakage.warnings:
        console.print(f"[bold red]WARNING[/] {escape(warning)}", highlight=False)
    if arguments.json:
        console.print(f"written: {escape(str(arguments.json))}", highlight=False)
    return 0
