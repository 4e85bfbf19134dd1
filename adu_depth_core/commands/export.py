"""``adu_depth export``: a student as ONNX in one precision, for one input size or any."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.commands.camera_options import add_frames_camera_arguments, camera_source_if_told
from adu_depth_core.commands.model_options import add_model_argument
from adu_depth_core.commands.number_arguments import whole_number
from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.deploy.input_frames import read_frames
from adu_depth_core.deploy.student_export import ANY_SIZE, PRECISIONS, export
from adu_depth_core.files import check_writable
from adu_depth_core.inference.installed_models import default_model

EPILOG = """\
The file is written only if its outputs agree with PyTorch's (without torch: ONNX Runtime's) in FP32.
Its card records the comparison and the layers that stay in FP32.

examples:
  adu_depth export --size 192x640 --out student.onnx
  adu_depth export --model run/student.safetensors --size 352x1216 --batch dynamic --out student.onnx
  adu_depth export --precision fp16 --frames image_2/ --calib calib.txt --out student_fp16.onnx
  adu_depth export --precision int8 --frames drive.mcap --out student_int8.onnx
  adu_depth export --model base --size any --store-fp16 --out half_the_size.onnx
"""

DYNAMIC = "dynamic"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_model_argument(parser, "--model", help="FP32 student, .onnx or .safetensors")
    parser.add_argument(
        "--size",
        type=_size,
        metavar="HEIGHTxWIDTH|any",
        help="network input (default: the model's); any: left open, with the batch size, for FP32",
    )
    parser.add_argument(
        "--batch", type=_batch, metavar="N|dynamic", help="batch size (default: 1, for size any dynamic)"
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="default: fp32")
    parser.add_argument(
        "--store-fp16",
        action="store_true",
        help="store FP32's weights in FP16: half the file, the same speed, rounded weights",
    )
    parser.add_argument(
        "--frames",
        type=Path,
        metavar="PATH",
        help="images, video or bag to compare on (default: synthetic); int8 is calibrated on them too",
    )
    parser.add_argument(
        "--frame-limit",
        type=whole_number(1),
        default=64,
        metavar="N",
        help="use at most N of the frames (default: 64)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="file to write")
    add_frames_camera_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    check_writable(arguments.out)
    camera_for = camera_source_if_told(arguments)
    frames = read_frames(arguments.frames, arguments.frame_limit, camera_for) if arguments.frames else None
    batch = arguments.batch or (DYNAMIC if arguments.size == ANY_SIZE else 1)
    card, parity = export(
        arguments.model or default_model(),
        arguments.out,
        arguments.size,
        None if batch == DYNAMIC else batch,
        arguments.precision,
        frames,
        arguments.frames.name if arguments.frames else "",
        arguments.store_fp16,
    )
    shape = "x".join(map(str, card.extra["input_shape"]))
    print(f"{arguments.out}: {arguments.precision}, opset {card.extra['opset']}, input {shape}")
    if card.extra.get("kept_fp32"):
        print(f"kept in FP32: {', '.join(card.extra['kept_fp32'])}")
    print(parity.describe())
    return 0


def _size(text: str) -> tuple[int, int] | str:
    """``(height, width)``, or ``ANY_SIZE``."""
    return ANY_SIZE if text == ANY_SIZE else rows_x_columns(text)


def _batch(text: str) -> int | str:
    """A number, or ``DYNAMIC``."""
    return DYNAMIC if text == DYNAMIC else whole_number(1)(text)
