"""Measurements of `gpu.py`, one row at a time, in the process that owns the GPU."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ros2_metrics import ros2_metrics

from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.engine_parity import Gate
from adu_depth_core.deploy.input_frames import (
    Frame,
    network_inputs,
    read_frames,
    synthetic_frames,
    typical_camera,
)
from adu_depth_core.deploy.latency import cost_of, latency, random_input, roofline, time_runs
from adu_depth_core.deploy.network_cost import Cost
from adu_depth_core.deploy.parity import LIMITS, Run, compare
from adu_depth_core.deploy.roofline import Ceilings, measure_ceilings
from adu_depth_core.deploy.student_export import export
from adu_depth_core.deploy.tensorrt_build import build_engine
from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import Backend, NetworkInput, NetworkOutput
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.inference.tensorrt.cuda import current_gpu
from adu_depth_core.machine import cpu_model
from adu_depth_core.model_card import read_card

PACKAGES = (
    *("torch", "timm", "onnxruntime", "onnxruntime-gpu", "tensorrt", "tensorrt-rtx", "cuda-bindings"),
    *("nvidia-cudnn-cu12", "nvidia-cudnn-cu13", "nvidia-cublas", "onnx", "onnxslim", "numpy"),
    *("opencv-python-headless",),
)
SECONDS = 1.0
"""Time limit of each timing."""

WARM_UP = 20
COMPARED = 8
"""Frames for comparing outputs."""

STAGES = ("preprocess", "network", "postprocess")


@dataclass(frozen=True)
class Row:
    """One measurement.

    :param kind: ``machine``, ``ceilings``, ``network`` (from input to outputs) or ``frame`` (from a camera
        frame in host memory to depth and sigma of the same size in host memory)
    :param size: ``(height, width)`` of the network's input
    :param precision: ``fp32``, ``fp16``, ``bf16`` or ``int8``
    """

    kind: str
    backend: str = ""
    size: tuple[int, int] = (0, 0)
    precision: str = ""
    batch: int = 1


@dataclass(frozen=True)
class Task:
    """A row and the settings common to all rows.

    :param model: FP32 student as ONNX, with any input size
    :param out: folder of exports and engines; existing ones are reused
    :param frames: images, video or bag; None for synthetic images, without INT8
    :param runs: maximum number of timed runs
    :param ceilings: of this GPU; None if unknown
    """

    row: Row
    model: Path
    out: Path
    frames: Path | None
    runs: int
    ceilings: Ceilings | None = None


def measure_row(task: Task) -> dict[str, Any]:
    """The result of a row, ready for JSON.

    :raises UserError: if it cannot be measured here
    """
    kinds = {"machine": machine, "ceilings": ceilings, "network": network, "frame": frame}
    return kinds[task.row.kind](task)


def machine(task: Task) -> dict[str, Any]:
    """GPU, driver, CPU and versions; never the host name."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    query = ["nvidia-smi", "--query-gpu=driver_version,memory.total,clocks.max.sm,clocks.max.memory"]
    try:
        smi = subprocess.run([*query, "--format=csv,noheader"], capture_output=True, text=True, timeout=20)
        driver = smi.stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        driver = f"nvidia-smi: {error}"
    try:
        gpu = current_gpu() if task.row.backend else None
    except UserError as error:
        gpu = str(error)
    return {
        "gpu": gpu,
        "driver": driver,
        "cpu": f"{cpu_model()}, {os.cpu_count()} threads",
        "python": platform.python_version(),
        "versions": versions,
    }


def ceilings(task: Task) -> dict[str, Any]:
    return dataclasses.asdict(measure_ceilings())


def network(task: Task) -> dict[str, Any]:
    """Parity with FP32 on the CPU, latencies, and share of the roofline."""
    row = task.row
    path = model_of(task)
    backend = open_backend(task, path)
    inputs, answers, reference = expected_answers(task.model, task.frames, row.size)
    next_answer = iter(answers)
    parity = compare(backend.run, lambda *_: next(next_answer), reference, inputs, row.batch)
    seen = random_input(row.batch, row.size)
    stamps = time_runs(lambda: backend.run(*seen), task.runs, WARM_UP, SECONDS)
    result = {
        "runtime": backend.runtime,
        "parity": dataclasses.asdict(parity),
        # bfloat16 has fewer significant bits than FP16: it gets INT8's tolerance.
        "excess": parity.excess(LIMITS["int8" if row.precision == "bf16" else row.precision]),
        "with_copies": dataclasses.asdict(latency(stamps, row.batch)),
        "without_copies": None,
        "roofline": None,
        "metrics": ros2_metrics(stamps, row.batch),
    }
    if backend.run_resident is not None:
        without = latency(time_runs(backend.run_resident, task.runs, WARM_UP, SECONDS), row.batch)
        result["without_copies"] = dataclasses.asdict(without)
        if task.ceilings is not None and (cost := cost_in_precision(task, path)) is not None:
            result["roofline"] = roofline(cost, row.batch, task.ceilings, without.p50)
    return result


def frame(task: Task) -> dict[str, Any]:
    """Latency from frame to depth, sequentially as in a node, and of each stage."""
    row = task.row
    predictor = Predictor(model_of(task), row.backend, row.size)
    frames = [
        (image, camera or typical_camera(image.shape[1], image.shape[0]))
        for image, camera in frames_of(task.frames, (375, 1242))[:COMPARED]
    ]
    turn = iter(range(10**9))
    stamps = time_runs(
        lambda: predictor.predict(*frames[next(turn) % len(frames)]), task.runs, WARM_UP, SECONDS
    )
    preprocess = Preprocessor(predictor.card, row.size)
    stages = []
    for image, camera in frames * 4:
        began = time.perf_counter()
        placement = Placement.fit(camera, row.size)
        seen = preprocess(image, placement)
        prepared = time.perf_counter()
        output = predictor.backend.infer(*seen)
        inferred = time.perf_counter()
        postprocess(output, placement, predictor.card)
        stages.append((prepared - began, inferred - prepared, time.perf_counter() - inferred))
    return {
        "runtime": predictor.backend.runtime,
        "image": list(frames[0][0].shape[:2]),
        "frame_to_depth": dataclasses.asdict(latency(stamps)),
        "stages_ms": dict(zip(STAGES, (1e3 * np.median(stages, axis=0)).tolist(), strict=True)),
        "metrics": ros2_metrics(stamps),
    }


def model_of(task: Task) -> Path:
    """File for a row's backend: the model itself, an export of it, or an engine."""
    row = task.row
    own = row.backend.startswith("pytorch") or row.precision == "fp32"
    if own and row.backend != "tensorrt":
        return task.model
    path = task.out / f"{row.size[0]}x{row.size[1]}_{row.precision}.onnx"
    if not path.exists():
        origin = "frames" if task.frames else ""
        frames = read_frames(task.frames, 32) if task.frames else None
        export(task.model, path, row.size, None, row.precision, frames, origin)
    if row.backend != "tensorrt":
        return path
    engine = path.with_name(f"{path.stem}_{row.batch}.engine")
    gate = Gate(task.model, frames_of(task.frames, row.size))
    build_engine(path, engine, BuildOptions(batch=(row.batch,) * 3), gate=gate)
    return engine


def open_backend(task: Task, path: Path) -> Backend:
    row = task.row
    if row.backend == "pytorch-cuda":
        return BACKENDS[row.backend](path, row.size, None, row.batch, precision=row.precision)
    return BACKENDS[row.backend](path, row.size, None, row.batch)


def cost_in_precision(task: Task, path: Path) -> Cost | None:
    """Cost per image: of the export, or of the model in PyTorch's type."""
    cost = cost_of(path, read_card(path), task.row.size)
    narrow = task.row.backend.startswith("pytorch") and task.row.precision != "fp32"
    return cost.in_type(task.row.precision) if cost and narrow else cost


@functools.cache
def frames_of(source: Path | None, size: tuple[int, int]) -> list[Frame]:
    """:param size: ``(height, width)`` of synthetic images, used without a source"""
    return read_frames(source, COMPARED) if source else synthetic_frames(size, COMPARED)


@functools.cache
def expected_answers(
    model: Path, frames: Path | None, size: tuple[int, int]
) -> tuple[list[NetworkInput], list[NetworkOutput], str]:
    """Inputs of one image each, ONNX Runtime's outputs in FP32 on the CPU, and its name."""
    inputs = network_inputs(frames_of(frames, size), read_card(model), size)
    reference = BACKENDS["onnxruntime"](model, size, None)
    infer: Run = reference.infer
    answers = [NetworkOutput(*(np.array(values) for values in infer(*seen))) for seen in inputs]
    return inputs, answers, f"{reference.runtime} FP32"
