"""All that is to be measured on a GPU, in one command: export, build, compare, time.

    python benchmarks/gpu.py --out gpu [--frames FOLDER]

Exports the student in each precision, builds its TensorRT engines, compares the answers of each backend with
ONNX Runtime's FP32 on the CPU, and times it: at 192x640 and 352x1216, for batches of 1 and 4. INT8 needs
``--frames`` (images, a video or a bag) to calibrate on. Writes ``gpu/results.json`` and prints a table for
docs/results.md. What cannot run (a GPU that TensorRT for RTX does not know, a runtime that is not
installed) is told with its reason, and the others run. ``--backends openvino`` does the same on a CPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import json
import sys
from pathlib import Path

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.engine_parity import Gate
from adu_depth_core.deploy.fixed_size_export import PRECISIONS, export
from adu_depth_core.deploy.input_frames import Frame, network_inputs, read_frames, synthetic_frames
from adu_depth_core.deploy.latency import benchmark
from adu_depth_core.deploy.parity import LIMITS, compare
from adu_depth_core.deploy.roofline import Ceilings, measure_ceilings
from adu_depth_core.deploy.tensorrt_build import build_engine
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.base import NetworkInput
from adu_depth_core.inference.backends.choice import BACKENDS, CPU_BACKENDS
from adu_depth_core.inference.predictor import default_model
from adu_depth_core.inference.tensorrt.cuda import current_gpu
from adu_depth_core.machine import cpu_model
from adu_depth_core.model_card import read_card

GPU_BACKENDS = tuple(name for name in BACKENDS if name not in CPU_BACKENDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="FP32 student as .onnx (default: the installed one)")
    parser.add_argument("--out", type=Path, required=True, help="folder for models, engines and results.json")
    parser.add_argument("--frames", type=Path, help="images, video or bag: to compare, and INT8 to calibrate")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=GPU_BACKENDS)
    parser.add_argument("--sizes", nargs="+", type=rows_x_columns, default=[(192, 640), (352, 1216)])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    try:
        machine = _machine(arguments.backends)
        frames = read_frames(arguments.frames, 32) if arguments.frames else None
    except UserError as error:
        print(f"gpu.py: error: {error}", file=sys.stderr)
        return 1
    measure = Measurement(arguments.model or default_model(), arguments.out, frames, arguments.runs)
    cases = itertools.product(arguments.backends, arguments.sizes, arguments.precisions, arguments.batches)
    rows = []
    for backend, size, precision, batch in cases:
        case = {"backend": backend, "size": list(size), "precision": precision, "batch": batch}
        try:
            row = {**case, **measure.case(backend, size, precision, batch)}
        except UserError as error:
            row = {**case, "not_run": str(error)}
        rows.append(row)
        print(_line(row), flush=True)
    ceilings = measure.ceilings() if set(arguments.backends) & set(GPU_BACKENDS) else None
    record = {"machine": machine, "ceilings": ceilings and dataclasses.asdict(ceilings), "results": rows}
    with write_atomically(arguments.out / "results.json") as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    _print_table(machine, rows)
    return 0 if any("not_run" not in row for row in rows) else 1


class Measurement:
    """Exports and engines in one folder, each made once.

    :param model: FP32 student as ONNX, of any size
    :param frames: images with their cameras; None for synthetic ones, without INT8
    """

    def __init__(self, model: Path, out: Path, frames: list[Frame] | None, runs: int) -> None:
        self._model = model
        self._out = out
        self._frames = frames
        self._runs = runs
        self.ceilings = functools.cache(_ceilings)
        self._exported = functools.cache(self._export)

    def case(self, backend: str, size: tuple[int, int], precision: str, batch: int) -> dict:
        """Latencies and parity.

        :raises UserError: if this cannot be run here, or its answers differ too much
        """
        if backend.startswith("pytorch"):
            if precision != "fp32":
                raise UserError("PyTorch runs the FP32 weights")
            path = self._model
        else:
            path = self._exported(size, precision)
        if backend == "tensorrt":
            path = self._engine(path, batch)
            parity = read_card(path).extra["parity"]
            if not isinstance(parity, dict):
                raise UserError(f"{path} was not compared with the original: see the warnings above")
        else:
            parity = self._parity(path, backend, size, precision, batch)
        result = benchmark(path, backend, size, batch, None, self._runs, 20, self.ceilings)
        return {**dataclasses.asdict(result), "parity": parity}

    def _export(self, size: tuple[int, int], precision: str) -> Path:
        path = self._out / f"{size[0]}x{size[1]}_{precision}.onnx"
        origin = "frames" if self._frames else ""
        export(self._model, path, size, None, precision, self._frames, origin)
        return path

    def _engine(self, onnx: Path, batch: int) -> Path:
        engine = onnx.with_name(f"{onnx.stem}_{batch}.engine")
        build_engine(onnx, engine, BuildOptions(batch=(batch,) * 3), gate=Gate(self._model, self._frames))
        return engine

    def _parity(self, path: Path, backend: str, size: tuple[int, int], precision: str, batch: int) -> dict:
        network = BACKENDS[backend](path, size, None, batch)
        expected = BACKENDS["onnxruntime"](self._model, size, None)
        inputs = network_inputs((self._frames or synthetic_frames(size))[:8], read_card(self._model), size)
        parity = compare(
            lambda image, camera: network.infer(*NetworkInput(image, camera).repeat(batch)),
            expected.infer,
            f"{expected.runtime} FP32",
            inputs,
        )
        if excess := parity.excess(LIMITS[precision]):
            raise UserError(f"{backend} differs from {parity.reference}: {'; '.join(excess)}")
        return dataclasses.asdict(parity)


def _ceilings() -> Ceilings | None:
    try:
        return measure_ceilings()
    except UserError as error:
        print(f"no share of the roofline: {error}", file=sys.stderr)
        return None


def _machine(backends: list[str]) -> str:
    """What is measured.

    :raises UserError: if a GPU is asked for and there is none
    """
    if not set(backends) & set(GPU_BACKENDS):
        return cpu_model()
    gpu = current_gpu()
    return f"{gpu['name']}, compute capability {gpu['compute_capability']}"


def _line(row: dict) -> str:
    rows, columns = row["size"]
    name = f"{row['backend']:<17} {rows}x{columns} {row['precision']} batch {row['batch']}: "
    return name + (row.get("not_run") or f"{row['with_copies']['p50']:.2f} ms")


def _print_table(machine: str, rows: list[dict]) -> None:
    print(f"\n{machine}\n")
    print("| runtime | input | precision | batch | p50 / p99 ms | without copies | of roofline | depth p99 |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        start = f"| {row.get('runtime', row['backend'])} | {row['size'][0]}x{row['size'][1]} "
        start += f"| {row['precision']} | {row['batch']} | "
        if "not_run" in row:
            print(f"{start}not run: {row['not_run']} | | | |")
            continue
        with_copies, without = row["with_copies"], row["without_copies"]
        cells = [
            f"{with_copies['p50']:.2f} / {with_copies['p99']:.2f}",
            f"{without['p50']:.2f}" if without else "",
            f"{row['roofline']['share']:.0%}" if row["roofline"] else "",
            f"{row['parity']['depth_p99']:.2%}",
        ]
        print(start + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
