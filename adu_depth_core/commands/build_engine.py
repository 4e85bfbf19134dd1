"""``adu_depth build-engine``: a TensorRT engine from an exported ONNX."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.commands.gate_options import add_gate_arguments, gate_of
from adu_depth_core.commands.model_options import add_model_argument
from adu_depth_core.commands.number_arguments import whole_number
from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.tensorrt_build import build_engine
from adu_depth_core.deploy.tensorrt_progress import show_on
from adu_depth_core.files import check_writable
from adu_depth_core.inference.tensorrt.api import FLAVOURS
from adu_depth_core.inference.tensorrt.engine_file import PARITY_NOT_RUN
from adu_depth_core.progress import progress_bar

EPILOG = """\
The ONNX defines the precision (`adu_depth export --precision`); the engine is refused if its layers do not
match it. If this machine's GPU can run the engine, its outputs are compared with the FP32 original, and
it is refused if they differ too much. A card, FILE.engine.json, is written beside the engine. Ctrl-C stops
the builder and writes nothing.

examples:
  adu_depth build-engine --onnx student_fp16.onnx --out student.engine
  adu_depth build-engine --onnx student_fp16.onnx --out rtx3080.engine --compute-capability 8.6
  adu_depth build-engine --onnx small --size 192x640 352x1216 --batch 1 1 4 --out two.engine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_model_argument(parser, "--onnx", required=True, help="file by `adu_depth export`, with its card")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.engine", help="engine to write")
    parser.add_argument(
        "--flavour", choices=["auto", *FLAVOURS], default="auto", help="default: the first installed"
    )
    parser.add_argument(
        "--compute-capability",
        metavar="X.Y",
        help="build for GPUs of this compute capability, without having one (tensorrt_rtx only), such as 8.6",
    )
    parser.add_argument(
        "--size",
        type=rows_x_columns,
        nargs="+",
        default=[],
        metavar="HEIGHTxWIDTH",
        help="input sizes, one profile each, for an ONNX with dynamic size (default: the model's)",
    )
    parser.add_argument(
        "--batch",
        type=whole_number(1),
        nargs=3,
        default=(1, 1, 1),
        metavar=("MIN", "BEST", "MAX"),
        help="batch size, for an ONNX with --batch dynamic (default: 1 1 1)",
    )
    parser.add_argument(
        "--workspace", type=whole_number(1), metavar="MIB", help="limit of the builder's GPU memory"
    )
    parser.add_argument(
        "--timing-cache",
        type=Path,
        metavar="FILE",
        help="store kernel timings here: the next build is faster",
    )
    parser.add_argument(
        "--dla-core",
        type=whole_number(0),
        metavar="N",
        help="run on this deep learning accelerator (DLA) core",
    )
    parser.add_argument(
        "--version-compatible", action="store_true", help="also runs with later versions (tensorrt only)"
    )
    parser.add_argument(
        "--hardware-compatible", action="store_true", help="also runs on other GPUs, from Ampere on (slower)"
    )
    add_gate_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    check_writable(arguments.out)
    options = BuildOptions(
        flavour=arguments.flavour,
        compute_capability=arguments.compute_capability,
        sizes=tuple(arguments.size),
        batch=tuple(arguments.batch),
        workspace_mib=arguments.workspace,
        timing_cache=arguments.timing_cache,
        dla_core=arguments.dla_core,
        version_compatible=arguments.version_compatible,
        hardware_compatible=arguments.hardware_compatible,
        on_gpu=arguments.gpu,
    )
    gate = gate_of(arguments)
    with progress_bar("steps") as bar:
        card = build_engine(arguments.onnx, arguments.out, options, show_on(bar, arguments.onnx.name), gate)
    engine = card.extra["engine"]
    counts = ", ".join(f"{count} {name}" for name, count in sorted(engine["precisions"].items()))
    kind = engine["gpu"]["compute_capability"]
    many = f"GPUs of compute capability {kind}" + (" and later" * options.hardware_compatible)
    print(f"{arguments.out}: {engine['flavour']} {engine['version']}, {engine['gpu']['name'] or many}")
    print(f"convolutions and matrix products: {counts}")
    parity = card.extra["parity"]
    if parity == PARITY_NOT_RUN:
        print(f"parity: not run; on the target GPU run: adu_depth verify-engine {arguments.out}")
    else:
        print(f"parity: passed on {parity['frames']} frames, depth p99 {parity['depth_p99']:.4%}")
    return 0
