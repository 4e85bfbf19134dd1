"""Options of the commands that compare an engine with its FP32 original."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.commands.camera_options import add_frames_camera_arguments, camera_source_if_told
from adu_depth_core.commands.model_options import add_gpu_argument, add_model_argument
from adu_depth_core.commands.number_arguments import whole_number
from adu_depth_core.deploy.engine_parity import Gate
from adu_depth_core.deploy.input_frames import read_frames


def add_gate_arguments(parser: argparse.ArgumentParser) -> None:
    """``--reference``, ``--frames``, ``--frame-limit``, ``--gpu`` and the frames' camera."""
    group = parser.add_argument_group("comparison with the FP32 original")
    add_model_argument(group, "--reference", help="FP32 student as .onnx")
    group.add_argument(
        "--frames", type=Path, metavar="PATH", help="images, video or bag (default: synthetic)"
    )
    group.add_argument(
        "--frame-limit",
        type=whole_number(1),
        default=16,
        metavar="N",
        help="use at most N of the frames (default: 16)",
    )
    add_gpu_argument(group)
    add_frames_camera_arguments(parser)


def gate_of(arguments: argparse.Namespace) -> Gate:
    """The gate described by the options above.

    :raises UserError: if the frames cannot be read
    """
    camera_for = camera_source_if_told(arguments)
    frames = read_frames(arguments.frames, arguments.frame_limit, camera_for) if arguments.frames else None
    origin = arguments.frames.name if arguments.frames else ""
    return Gate(arguments.reference, frames, origin, arguments.gpu)
