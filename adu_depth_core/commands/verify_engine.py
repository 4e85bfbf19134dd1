"""``adu_depth verify-engine``: compare an engine with the FP32 original, on the GPU it is for."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.deploy.engine_parity import verify_engine
from adu_depth_core.deploy.frames import read_frames
from adu_depth_core.errors import UserError
from adu_depth_core.inference.predictor import default_model

EPILOG = """\
The result is written into the engine's card. The exit status is 1 if the answers differ too much.

example:
  adu_depth verify-engine student.engine --frames drive.mcap
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("engine", type=Path, metavar="FILE.engine", help="engine by `adu_depth build-engine`")
    parser.add_argument(
        "--reference", type=Path, metavar="FILE.onnx", help="FP32 student (default: the installed one)"
    )
    parser.add_argument(
        "--frames", type=Path, metavar="PATH", help="images, video or bag (default: synthetic)"
    )
    parser.add_argument(
        "--frame-limit", type=int, default=16, metavar="N", help="use at most N of the frames (default: 16)"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.frame_limit < 1:
        raise UserError(f"--frame-limit {arguments.frame_limit}: must be at least 1")
    frames = read_frames(arguments.frames, arguments.frame_limit) if arguments.frames else None
    origin = arguments.frames.name if arguments.frames else ""
    parity = verify_engine(arguments.engine, arguments.reference or default_model(), frames, origin)
    print(f"{arguments.engine} passed: {parity.describe()}")
    return 0
