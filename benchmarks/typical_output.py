"""The ``typical`` entry of a student's card: typical outputs on frames of its training rig.

python benchmarks/typical_output.py DIR/kitti2015_more --split config/splits/kitti2015_more_unseen.txt

Prints the entry; ``--write`` writes it into the card. Training does so for new students.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.typical import typical_entry
from adu_depth_core.model_card import card_path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="frames in KITTI's object layout")
    parser.add_argument("--split", default="all", help="all, or a list of frames (all)")
    parser.add_argument(
        "--model", type=Path, default=default_model(), help="ONNX student (the installed one)"
    )
    parser.add_argument("--write", action="store_true", help="write the entry into the model's card")
    arguments = parser.parse_args()
    predictor = Predictor(arguments.model)
    frames = open_benchmark("kitti_folder", arguments.folder, arguments.split).samples
    entry = typical_entry(predictor.predict(frame.left, frame.camera) for frame in frames)
    print(json.dumps(entry))
    if arguments.write:
        dataclasses.replace(predictor.card, typical=entry).write(card_path(arguments.model))


if __name__ == "__main__":
    main()
