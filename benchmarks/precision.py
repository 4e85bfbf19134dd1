"""Accuracy cost and speed gain of FP16 and INT8 on this machine's CPU, in one run.

    python benchmarks/precision.py --root DATA/kitti2015_more --frames FOLDER [--model small]

Exports a student, not trained on the validation scenes, in each precision at its own size (INT8 calibrated on
``--frames``, which must not be validation scenes either), evaluates each with OpenVINO and ONNX Runtime on
the validation scenes, and times each on OpenVINO, interleaved so that other load affects all equally. Exit
status 1 if FP16 costs more than 1 % of abs_rel or INT8 more than 3 %, or INT8 is not 1.3 times as fast as
FP32: less is usual on CPUs without VNNI.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from adu_depth_core.cli import main as adu_depth
from adu_depth_core.deploy.latency import random_input
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.machine import cpu_model
from adu_depth_core.model_card import read_card

PRECISIONS = ("fp32", "fp16", "int8")
RUNTIMES = ("openvino", "onnxruntime")
LIMITS = {"fp32": 0.0, "fp16": 0.01, "int8": 0.03}
SPEED = 1.3
"""Goal for INT8, relative to FP32."""
ROUNDS, RUNS = 12, 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="folder with image_2, calib, gt_depth")
    parser.add_argument("--frames", type=Path, required=True, help="images, video or bag for INT8")
    parser.add_argument(
        "--model", default="small", help="student that was not trained on the validation scenes (small)"
    )
    parser.add_argument("--out", type=Path, help="keep the exports here (existing ones are reused)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        models = {precision: folder / f"{precision}.onnx" for precision in PRECISIONS}
        for precision, path in models.items():
            if not path.exists():
                command = ["export", "--model", arguments.model, "--precision", precision]
                _run(*command, "--frames", arguments.frames, "--out", path)
        passed = True
        for runtime in RUNTIMES:
            accuracy = {
                name: _abs_rel(path, runtime, arguments.root, folder) for name, path in models.items()
            }
            for precision, abs_rel in accuracy.items():
                change = abs_rel / accuracy["fp32"] - 1
                passed &= change <= LIMITS[precision]
                print(
                    f"{precision:<5} {runtime:<12} abs_rel {abs_rel:.4f}, {change:+.2%} "
                    f"(limit {LIMITS[precision]:+.0%})",
                    flush=True,
                )
        times = _times(models, "openvino")
    for precision, seconds in times.items():
        ratio = times["fp32"] / seconds
        print(f"{precision:<5} openvino {1e3 * seconds:6.1f} ms, {ratio:.2f} times as fast as fp32")
    passed &= SPEED * times["int8"] <= times["fp32"]
    print(f"{'within' if passed else 'over'} the limits, {cpu_model()}")
    return 0 if passed else 1


def _abs_rel(model: Path, runtime: str, root: Path, folder: Path) -> float:
    record = folder / "evaluation.json"
    command = ["evaluate", "--dataset", "kitti_folder", "--root", root, "--split", "validation"]
    _run(*command, "--model", model, "--backend", runtime, "--json", record)
    return json.loads(record.read_text(encoding="utf-8"))["metrics"]["abs_rel"]


def _times(models: dict[str, Path], runtime: str) -> dict[str, float]:
    """Seconds per image by precision: the median over interleaved runs."""
    card = read_card(models["fp32"])
    size = (card.input_height, card.input_width)
    networks = {name: BACKENDS[runtime](path, size, None) for name, path in models.items()}
    seen = random_input(1, size)
    turns: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(ROUNDS):
        for name, network in networks.items():
            network.run(*seen)
            started = time.perf_counter()
            for _ in range(RUNS):
                network.run(*seen)
            turns[name].append((time.perf_counter() - started) / RUNS)
    return {name: float(np.median(seconds)) for name, seconds in turns.items()}


def _run(*command: object) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        status = adu_depth([str(part) for part in command])
    if status:
        sys.exit(status)


if __name__ == "__main__":
    sys.exit(main())
