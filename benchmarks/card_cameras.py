"""Write the camera range a model was trained for into its card, derived from its training recipe.

    python benchmarks/card_cameras.py models/adu_student.json any_camera root=DATA synthetic=SYNTHETIC

Training writes it itself; this is for cards of networks trained before it did. Give the recipe or YAML file
and the overrides of that training.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from adu_depth_core.model_card import ModelCard
from adu_depth_core.training.camera_range import camera_range
from adu_depth_core.training.config import load_config
from adu_depth_core.training.data import TrainingViews, read_sources


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("card", type=Path, help="NAME.json, edited in place")
    parser.add_argument("config", help="recipe or YAML file")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as for adu_depth train")
    arguments = parser.parse_args()
    card = ModelCard.from_json(arguments.card.read_text(encoding="utf-8"))
    config = load_config(arguments.config, [*arguments.overrides, "out=unused", "cache=false"])
    stereo = card.role == "teacher"
    sources = read_sources(config, stereo)
    views = TrainingViews(config, card, sources, "stereo" if stereo else "random", clean=False)
    card = dataclasses.replace(card, cameras=camera_range(views))
    card.write(arguments.card)
    print(card.cameras)


if __name__ == "__main__":
    main()
