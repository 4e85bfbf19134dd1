"""``adu_depth benchmark``: latency and throughput of models and engines."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from adu_depth_core.commands.model_options import add_gpu_argument, add_model_argument
from adu_depth_core.commands.number_arguments import MOST_THREADS, whole_number
from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.deploy.latency import Result, benchmark
from adu_depth_core.deploy.roofline import Ceilings, measure_ceilings
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_writable, write_atomically
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.tensorrt.cuda import current_gpu, use_gpu
from adu_depth_core.machine import cpu_model
from adu_depth_core.terminal import plain_console

EPILOG = """\
Times the network alone, one input at a time: from the input in host memory to the outputs in host
memory, without resizing the image or upsampling the maps. On a GPU also without the copies, and that
time's share of the roofline: the shortest time for the network's operations and bytes at this GPU's
measured copy and matrix-product rates. The first model is the baseline for the others.

examples:
  adu_depth benchmark
  adu_depth benchmark small base
  adu_depth benchmark student.onnx student_int8.onnx --backend openvino --json result.json
  adu_depth benchmark student.engine --batch 4
"""

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_model_argument(parser, "models", nargs="*", help=".onnx or .engine")
    parser.add_argument(
        "--backend",
        choices=["auto", *BACKENDS],
        default="auto",
        metavar="NAME",
        help=f"runtime of .onnx files: auto, {', '.join(BACKENDS)} (default: auto)",
    )
    parser.add_argument(
        "--network-size",
        type=rows_x_columns,
        metavar="HEIGHTxWIDTH",
        help="network input (default: each model's)",
    )
    parser.add_argument(
        "--batch", type=whole_number(1), default=1, metavar="N", help="batch size (default: 1)"
    )
    parser.add_argument(
        "--threads",
        type=whole_number(1, MOST_THREADS),
        metavar="N",
        help="CPU threads (default: the runtime's choice)",
    )
    add_gpu_argument(parser)
    parser.add_argument(
        "--runs", type=whole_number(1), default=100, metavar="N", help="timed runs (default: 100)"
    )
    parser.add_argument(
        "--warm-up", type=whole_number(0), default=10, metavar="N", help="untimed runs (default: 10)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    if arguments.json:
        check_writable(arguments.json)
    ceilings = functools.cache(functools.partial(_ceilings_or_warning, arguments.gpu))
    results = [
        benchmark(
            model,
            arguments.backend,
            arguments.network_size,
            arguments.batch,
            arguments.threads,
            arguments.runs,
            arguments.warm_up,
            ceilings,
            arguments.gpu,
        )
        for model in arguments.models or [default_model()]
    ]
    on_gpu = any(result.without_copies for result in results)
    if on_gpu:
        use_gpu(arguments.gpu)
    machine = current_gpu()["name"] if on_gpu else cpu_model()
    if arguments.json:
        limits = ceilings() if on_gpu else None
        record = {
            "machine": machine,
            "command": arguments.command_line,
            "ceilings": limits and dataclasses.asdict(limits),
            "results": [dataclasses.asdict(result) for result in results],
        }
        with write_atomically(arguments.json) as temporary:
            temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print_results(results, machine, on_gpu)
    return 0


def _ceilings_or_warning(gpu: int) -> Ceilings | None:
    try:
        use_gpu(gpu)
        return measure_ceilings()
    except UserError as error:
        logger.warning("no share of the roofline: %s", error)
        return None


def print_results(results: Sequence[Result], machine: str, on_gpu: bool) -> None:
    """Print one line describing each model, then a table of figures that fits 80 columns."""
    console = plain_console()
    console.print(f"milliseconds per run, {machine}\n")
    table = Table(box=box.SIMPLE, show_edge=False)
    columns = ["", "p50", "p90", "p99", "images/s", "speed-up"]
    for column in columns + ["without copies, p50", "of roofline"] * on_gpu:
        table.add_column(column, justify="right")
    for number, result in enumerate(results, 1):
        size = f"{result.size[0]}x{result.size[1]}"
        inputs = size if result.batch == 1 else f"{result.batch} x {size}"
        line = f"{number}  {result.model}, {result.precision}, {result.runtime}, input {inputs}"
        console.print(line, soft_wrap=True)
        latency = result.with_copies
        row = [
            str(number),
            *(f"{value:.1f}" for value in (latency.p50, latency.p90, latency.p99, latency.throughput)),
            f"{results[0].with_copies.p50 / latency.p50:.2f}",
        ]
        if on_gpu:
            row.append(f"{result.without_copies.p50:.2f}" if result.without_copies else "")
            row.append(f"{result.roofline['share']:.0%}" if result.roofline else "not known")
        table.add_row(*row)
    console.print()
    console.print(table)
