"""``adu_depth inspect-engine``: layers of an engine and their precisions."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from adu_depth_core.deploy.engine_layers import Layer, check_precision, count_precisions
from adu_depth_core.inference.tensorrt.engine_file import engine_card
from adu_depth_core.terminal import plain_console

EPILOG = """\
Shows the builder's report on the engine; no GPU is needed. The exit status is 1 if the engine
was replaced since, or does not compute in the precision stated in its card.

example:
  adu_depth inspect-engine student.engine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("engine", type=Path, metavar="FILE.engine", help="engine by `adu_depth build-engine`")
    parser.add_argument("--summary", action="store_true", help="omit the table of layers")


def run(arguments: argparse.Namespace) -> int:
    card = engine_card(arguments.engine)
    engine = card.extra["engine"]
    layers = [Layer(name, kind, tuple(i), tuple(o)) for name, kind, i, o in engine["layers"]]
    console = plain_console()
    if not arguments.summary:
        table = Table("layer", "type", "inputs", "outputs")
        for layer in layers:
            table.add_row(layer.name, layer.kind, " ".join(layer.inputs), " ".join(layer.outputs))
        console.print(table)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(count_precisions(layers).items()))
    console.print(
        f"{engine['flavour']} {engine['version']}, compute capability {engine['gpu']['compute_capability']}; "
        f"convolutions and matrix products: {counts}",
    )
    check_precision(layers, card.extra["precision"])
    console.print(f"the engine is {card.extra['precision']}")
    return 0
