"""Put a trained student into ``models/`` under a name: weights, ONNX and card.

    python benchmarks/ship_model.py runs/commercial/student.safetensors commercial \\
        --judge kitti_folder DATA/kitti2015_more validation \\
        --judge kitti_folder DATA/other_cameras/dev/ddad_dgp all

The ONNX is exported again from the weights and must agree with PyTorch. With ``--judge``, the accuracy in the
card is measured with it on each of those sets; otherwise it stays that of the training run.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import tempfile
from pathlib import Path

from adu_depth_core.deploy.student_export import ANY_SIZE, export
from adu_depth_core.evaluation.subject import model_subject
from adu_depth_core.files import share_directory
from adu_depth_core.inference.installed_models import PREFIX
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import ModelCard, card_path, file_sha256, read_card
from adu_depth_core.training.card_entries import accuracy_entry, open_all_unseen
from adu_depth_core.training.sources import BenchmarkConfig

LARGEST = 20e6
"""Maximum size of a committed file in bytes."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, help="student as .safetensors with its card next to it")
    parser.add_argument("name", help="such as base, for models/adu_base.*")
    parser.add_argument(
        "--judge",
        nargs=3,
        action="append",
        default=[],
        metavar=("DATASET", "ROOT", "SPLIT"),
        help="labelled frames, as for adu_depth evaluate",
    )
    parser.add_argument("--store-fp16", action="store_true", help="as for adu_depth export")
    parser.add_argument(
        "--models", type=Path, default=share_directory() / "models", help="folder to write to"
    )
    arguments = parser.parse_args()
    card = read_card(arguments.weights)
    with tempfile.TemporaryDirectory(dir=arguments.models) as folder:
        model = Path(folder, f"{PREFIX}{arguments.name}.onnx")
        exported, parity = export(arguments.weights, model, ANY_SIZE, None, store_fp16=arguments.store_fp16)
        print(parity.describe())
        weights = model.with_suffix(".safetensors")
        shutil.copyfile(arguments.weights, weights)
        files = {path.name: file_sha256(path) for path in (model, weights)}
        extra = {key: value for key, value in exported.extra.items() if key != "source_files"}
        card = dataclasses.replace(card, name=model.stem, files=files, extra=extra)
        card.write(card_path(model))
        if arguments.judge:
            _judge(model, card, [BenchmarkConfig(*judge) for judge in arguments.judge], arguments.name)
        for path in sorted(Path(folder).iterdir()):
            size = path.stat().st_size
            if size > LARGEST:
                parser.error(f"{path.name} has {size} bytes, {LARGEST:.0f} at most: add --store-fp16")
        for path in sorted(Path(folder).iterdir()):
            os.replace(path, arguments.models / path.name)
            print(arguments.models / path.name)


def _judge(model: Path, card: ModelCard, judges: list[BenchmarkConfig], name: str) -> None:
    """Measure the accuracy on held-out frames, and write it into the card.

    The accuracy of the weights in PyTorch is written next to it, so that the card shows the cost of storing
    and exporting.
    """
    subject = model_subject(Predictor(model))
    original = model_subject(Predictor(model, "pytorch"))
    accuracy = []
    for frames in open_all_unseen(judges, card):
        entry = accuracy_entry(subject, frames)
        entry["command"] += f" --model {name}"
        entry["pytorch"] = {"abs_rel": accuracy_entry(original, frames)["metrics"]["abs_rel"]}
        print(entry["data"], entry["split"], entry["metrics"], "PyTorch:", entry["pytorch"])
        accuracy.append(entry)
    dataclasses.replace(card, accuracy=accuracy).write(card_path(model))


if __name__ == "__main__":
    main()
