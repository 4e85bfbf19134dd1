"""``adu_depth benchmark``: latency and throughput of models and engines."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.deploy.benchmark import measure
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_writable, write_atomically
from adu_depth_core.inference.backends.base import Backend
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend
from adu_depth_core.inference.engine_file import engine_card
from adu_depth_core.inference.predictor import Predictor, default_model
from adu_depth_core.machine import cpu_model

EPILOG = """\
Times the network alone, one image after the other: from the input in host memory to the outputs in host
memory (on a GPU the copies count), without resizing the image and without enlarging the maps.
The first model is what the others are compared with.

examples:
  adu_depth benchmark
  adu_depth benchmark student.onnx student_int8.onnx --backend openvino --json result.json
  adu_depth benchmark student.engine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "models",
        nargs="*",
        type=Path,
        metavar="FILE",
        help=".onnx or .engine (default: the installed student)",
    )
    parser.add_argument(
        "--backend",
        choices=["auto", *BACKENDS],
        default="auto",
        help="runtime of .onnx files (default: auto)",
    )
    parser.add_argument(
        "--network-size", type=rows_x_columns, metavar="HxW", help="network input (default: each model's)"
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="CPU threads (default: the runtime's choice)"
    )
    parser.add_argument("--runs", type=int, default=100, metavar="N", help="timed runs (default: 100)")
    parser.add_argument("--warm-up", type=int, default=10, metavar="N", help="untimed runs (default: 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    if arguments.runs < 1 or arguments.warm_up < 0:
        raise UserError("--runs must be at least 1 and --warm-up at least 0")
    if arguments.json:
        check_writable(arguments.json)
    results = []
    for model in arguments.models or [default_model()]:
        network, size, precision = _load(model, arguments)
        tensor = np.random.default_rng(0).standard_normal((1, 3, *size), np.float32)
        latency = measure(
            lambda network=network, tensor=tensor: network.infer(tensor), arguments.runs, arguments.warm_up
        )
        facts = {"model": model.name, "precision": precision, "runtime": network.runtime, "size": list(size)}
        results.append({**facts, **dataclasses.asdict(latency)})
    if arguments.json:
        record = {"machine": cpu_model(), "command": arguments.command_line, "results": results}
        with write_atomically(arguments.json) as temporary:
            temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    table = Table(title=f"milliseconds per image, {cpu_model()}", title_justify="left")
    for column in ("model", "precision", "runtime", "input", "p50", "p90", "p99", "images/s", "speed-up"):
        table.add_column(column)
    for result in results:
        times = [f"{result[name]:.1f}" for name in ("p50", "p90", "p99", "throughput")]
        size = "x".join(map(str, result["size"]))
        ratio = f"{results[0]['p50'] / result['p50']:.2f}"
        table.add_row(result["model"], result["precision"], result["runtime"], size, *times, ratio)
    Console().print(table)
    return 0


def _load(model: Path, arguments: argparse.Namespace) -> tuple[Backend, tuple[int, int], str]:
    """The network, its input size and its precision."""
    if model.suffix == ".engine":
        card = engine_card(model)
        size = arguments.network_size or (card.input_height, card.input_width)
        return TensorRTBackend(model, size, arguments.threads), size, card.extra["precision"]
    predictor = Predictor(model, arguments.backend, arguments.network_size, arguments.threads)
    return predictor.backend, predictor.network_size, predictor.card.extra.get("precision", "fp32")
