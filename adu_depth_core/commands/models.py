"""``adu_depth models``: list the installed models."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.table import Table

from adu_depth_core.errors import UserError
from adu_depth_core.inference.installed_models import DEFAULT, InstalledModel, installed_models
from adu_depth_core.model_card import ModelCard, ModelCardError
from adu_depth_core.terminal import plain_console, print_wrapped

EPILOG = f"""\
Choose one with --model NAME, for the node with model:=NAME; {DEFAULT} is the default.

examples:
  adu_depth models
  adu_depth models --json
  adu_depth predict photo.jpg --model {DEFAULT} --out result
"""

COMMERCIAL = {True: "yes", False: "no", None: "see the licence"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")


def run(arguments: argparse.Namespace) -> int:
    try:
        models = [(model, model.card()) for model in installed_models()]
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    if arguments.json:
        print(json.dumps([_entries(*model) for model in models], indent=2))
        return 0
    console = plain_console()
    table = Table("model", "input", "MB", "commercial use", "abs_rel on frames never seen in training")
    for model, card in models:
        megabytes = f"{model.path.stat().st_size / 1e6:.1f}"
        table.add_row(
            model.name, _size(card), megabytes, COMMERCIAL[card.commercial_use], "\n".join(_accuracy(card))
        )
    console.print(table)
    for model, card in models:
        console.print()
        print_wrapped(console, f"{model.name}: {card.licence}", indent=2)
        console.print(f"  {model.path}", soft_wrap=True)
    return 0


def _entries(model: InstalledModel, card: ModelCard) -> dict[str, Any]:
    return {
        "name": model.name,
        "file": str(model.path),
        "bytes": model.path.stat().st_size,
        "input": [card.input_height, card.input_width],
        "commercial_use": card.commercial_use,
        "licence": card.licence,
        "accuracy": card.accuracy,
    }


def _size(card: ModelCard) -> str:
    return f"{card.input_height}x{card.input_width}"


def _accuracy(card: ModelCard) -> list[str]:
    return [
        f"{entry['metrics']['abs_rel']:.3f}  {entry['data']}, {entry['split']}"
        for entry in card.accuracy
        if "abs_rel" in entry["metrics"]
    ]
