"""``adu_depth verify-engine``: compare an engine with the FP32 original, on the target GPU."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.commands.gate_options import add_gate_arguments, gate_of
from adu_depth_core.deploy.engine_parity import verify_engine

EPILOG = """\
The result is written into the engine's card. The exit status is 1 if the outputs differ too much.

example:
  adu_depth verify-engine student.engine --frames drive.mcap
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("engine", type=Path, metavar="FILE.engine", help="engine by `adu_depth build-engine`")
    add_gate_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    parity = verify_engine(arguments.engine, gate_of(arguments))
    print(f"{arguments.engine} passed: {parity.describe()}")
    return 0
