"""All GPU measurements in one command, within a time limit.

    python benchmarks/gpu.py --out gpu [--frames FOLDER] [--seconds 150]

Reports GPU, driver and versions, and measures the GPU's ceilings. Then, for each backend, input size,
precision and batch: parity with FP32 on the CPU, latency with and without copies (replayed as a CUDA graph),
and the share of the roofline; and for each backend the time from a camera frame to its depth in host memory.
INT8 needs ``--frames`` (images, a video or a bag) for calibration.

``OUT/results.json`` is written after every row; it also has the times under the names of ros2_benchmark. If a
row cannot be measured (a runtime that is not installed, a crash, no time left), it gives the reason and the
other rows continue. ``--backends openvino onnxruntime`` does the same on a CPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpu_rows import Row, Task, measure_row
from isolated import Isolated, TaskFailed

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.deploy.roofline import Ceilings
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.choice import BACKENDS, CPU_BACKENDS
from adu_depth_core.inference.installed_models import default_model

GPU_BACKENDS = ("pytorch-cuda", "onnxruntime-cuda", "tensorrt")
PRECISIONS = ("fp16", "fp32", "bf16", "int8")
"""In order of measurement, most informative first in case time runs out."""

LATER = ("bf16", "int8")
OF_EACH_ROW = 60.0
"""Timeout of a row in seconds."""

LEAST = 3.0
"""Minimum time left to start a row, in seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    started = time.monotonic()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="FP32 student as .onnx (default: the installed one)")
    parser.add_argument("--out", type=Path, required=True, help="folder for models, engines and results.json")
    parser.add_argument("--frames", type=Path, help="images, video or bag for parity and INT8 calibration")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=GPU_BACKENDS)
    parser.add_argument("--sizes", nargs="+", type=rows_x_columns, default=[(192, 640), (352, 1216)])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 4, 32], help="sizes, in this order")
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--runs", type=int, default=200, help="runs per timing, which stops after 1 s (200)")
    parser.add_argument("--seconds", type=float, default=600.0, help="in total; later rows are skipped (600)")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    rows = plan(given.backends, given.sizes, given.precisions, given.batches)
    shared = (given.model or default_model(), given.out, given.frames, given.runs)
    record: dict[str, Any] = {"command": sys.argv, "seconds": 0.0, "results": []}
    # One for each backend: CUDA libraries bundled by two of them conflict.
    measure = {name: Isolated(measure_row) for name in ("", *given.backends)}
    limits = None
    try:
        for row in rows:
            began = time.monotonic()
            left = given.seconds - (began - started)
            result: dict[str, Any] = {**dataclasses.asdict(row)}
            if left < LEAST:
                result["not_run"] = f"the time limit of {given.seconds:.0f} s was reached"
            else:
                try:
                    task = Task(row, *shared, limits)
                    result |= measure["" if row.kind == "machine" else row.backend](
                        task, min(OF_EACH_ROW, left)
                    )
                except TaskFailed as failure:
                    result["not_run"] = str(failure)
            result["took_s"] = time.monotonic() - began
            if row.kind == "ceilings" and "not_run" not in result:
                limits = Ceilings(result["bytes_per_s"], result["operations_per_s"])
            record["results"].append(result)
            record["seconds"] = time.monotonic() - started
            write(record, given.out / "results.json")
            print(line(result), flush=True)
    finally:
        for process in measure.values():
            process.close()
    print_tables(record["results"])
    measured = [r for r in record["results"] if r["kind"] in ("network", "frame") and "not_run" not in r]
    return 0 if measured else 1


def plan(
    backends: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    precisions: Sequence[str],
    batches: Sequence[int],
) -> list[Row]:
    """All rows, most informative first: FP16 and FP32 at every size, then frames, then the rest."""
    on_gpu = [name for name in backends if name not in CPU_BACKENDS]
    rows = [Row("machine", on_gpu[0] if on_gpu else "")]
    if on_gpu:
        rows.append(Row("ceilings"))
    networks = [
        Row("network", backend, size, precision, batch)
        for size in sizes
        for batch in batches
        for precision in precisions
        for backend in backends
        if runs_precision(backend, precision)
    ]
    frames = [
        Row("frame", backend, size, precision)
        for size in sizes
        for backend in backends
        for precision in precisions
        if runs_precision(backend, precision)
        and precision not in LATER
        and not (backend == "pytorch-cuda" and precision != "fp32")  # the predictor has no precision option
    ]
    later = [row for row in networks if row.precision in LATER]
    return [*rows, *(row for row in networks if row.precision not in LATER), *frames, *later]


def runs_precision(backend: str, precision: str) -> bool:
    """True for valid combinations: PyTorch casts the weights, the others take exports."""
    if backend == "pytorch":
        return precision == "fp32"
    return precision != ("int8" if backend == "pytorch-cuda" else "bf16")


def write(record: dict[str, Any], path: Path) -> None:
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def line(row: dict[str, Any]) -> str:
    """One-line summary of a row."""
    if row["kind"] in ("machine", "ceilings"):
        told = {k: v for k, v in row.items() if k not in ("kind", "backend", "size", "precision", "batch")}
        return f"{row['kind']}: {json.dumps(told)}"
    rows, columns = row["size"]
    name = (
        f"{row['backend']:<16} {rows}x{columns} {row['precision']:<4} batch {row['batch']:<2} {row['kind']}"
    )
    if "not_run" in row:
        return f"{name} not run: {row['not_run']}"
    if row["kind"] == "frame":
        stages = ", ".join(f"{stage} {ms:.2f}" for stage, ms in row["stages_ms"].items())
        return f"{name} p50 {row['frame_to_depth']['p50']:.3f} ms ({stages})"
    without, share, excess = row["without_copies"], row["roofline"], row["excess"]
    return f"{name} " + "".join(
        (
            f" p50 {row['with_copies']['p50']:.3f} ms",
            f", without copies {without['p50']:.3f} ms" if without else "",
            f", roofline {share['share']:.0%}" if share else "",
            f", depth p99 {row['parity']['depth_p99']:.2%}",
            f", DIFFERS: {'; '.join(excess)}" if excess else "",
            f" (row {row['took_s']:.1f} s)",
        )
    )


def print_tables(rows: list[dict[str, Any]]) -> None:
    """Table for docs/results.md."""
    print(
        "\n| runtime | input | precision | batch | p50 / p99 ms | without copies | of roofline | depth p99 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in (row for row in rows if row["kind"] == "network"):
        if "not_run" in row:
            continue
        with_copies, without, share = row["with_copies"], row["without_copies"], row["roofline"]
        cells = [
            row["runtime"],
            "x".join(map(str, row["size"])),
            row["precision"],
            str(row["batch"]),
            f"{with_copies['p50']:.2f} / {with_copies['p99']:.2f}",
            f"{without['p50']:.3f}" if without else "",
            f"{share['share']:.0%}" if share else "",
            f"{row['parity']['depth_p99']:.2%}" + (" (over the limit)" if row["excess"] else ""),
        ]
        print(f"| {' | '.join(cells)} |")
    print("\n| frame to depth | input | precision | p50 / p99 ms | preprocess, network, postprocess ms |")
    print("|---|---|---|---|---|")
    for row in (row for row in rows if row["kind"] == "frame" and "not_run" not in row):
        times = row["frame_to_depth"]
        stages = ", ".join(f"{ms:.2f}" for ms in row["stages_ms"].values())
        size = "x".join(map(str, row["size"]))
        print(
            f"| {row['runtime']} | {size} | {row['precision']} | {times['p50']:.2f} / {times['p99']:.2f} "
            f"| {stages} |"
        )
    failed = sum("not_run" in row for row in rows)
    print(f"\n{len(rows) - failed} of {len(rows)} rows were measured")


if __name__ == "__main__":
    sys.exit(main())
