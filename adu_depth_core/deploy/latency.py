"""Latency of a network on one runtime, with copies and without, and its share of the roofline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.deploy.network_cost import Cost, network_cost
from adu_depth_core.deploy.roofline import Ceilings, ideal_seconds
from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import NetworkInput, blank_input
from adu_depth_core.inference.backends.choice import ENGINE_SUFFIX, choose_backend, open_backend
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one run; throughput follows from the mean.

    :param runs: number of timed runs
    :param throughput: images per second, one run after the other
    """

    runs: int
    p50: float
    p90: float
    p99: float
    mean: float
    throughput: float


@dataclass(frozen=True)
class Result:
    """One model on one runtime.

    :param model: name of its file
    :param precision: ``fp32``, ``fp16`` or ``int8``
    :param runtime: name and version
    :param size: ``(height, width)`` of the input
    :param batch: images at once
    :param with_copies: from the input in host memory to the outputs in host memory
    :param without_copies: input and outputs on the GPU; None on the CPU, where there are no copies
    :param roofline: ``operations``, ``bytes``, ``ideal_ms`` and ``share`` of the time without copies; None
        where there are no ceilings to compare with, or the cost of the network is not known
    """

    model: str
    precision: str
    runtime: str
    size: tuple[int, int]
    batch: int
    with_copies: Latency
    without_copies: Latency | None = None
    roofline: dict[str, Any] | None = None


def time_runs(run: Callable[[], object], runs: int, warm_up: int, seconds: float = math.inf) -> np.ndarray:
    """Start and end of each run, after untimed warm-up runs (allocation, caches, clock).

    :param runs: maximum number of runs
    :param seconds: after which no further run begins
    :return: nanoseconds of one clock, int64 ``(runs, 2)``, at least one
    """
    for _ in range(warm_up):
        run()
    stamps = []
    while len(stamps) < runs and (not stamps or stamps[-1][1] - stamps[0][0] < 1e9 * seconds):
        started = time.perf_counter_ns()
        run()
        stamps.append((started, time.perf_counter_ns()))
    return np.array(stamps, np.int64)


def latency(stamps: np.ndarray, images: int = 1) -> Latency:
    """Statistics of runs as ``time_runs`` gives them.

    :param images: number of images per run
    """
    times = np.diff(stamps, axis=1)[:, 0] / 1e6
    p50, p90, p99 = (float(np.quantile(times, q)) for q in (0.5, 0.9, 0.99))
    mean = float(times.mean())
    return Latency(len(times), p50, p90, p99, mean, images * 1e3 / mean)


def measure(run: Callable[[], object], runs: int, warm_up: int, images: int = 1) -> Latency:
    """Time ``run``, see ``time_runs`` and ``latency``."""
    return latency(time_runs(run, runs, warm_up), images)


def roofline(cost: Cost, batch: int, limits: Ceilings, milliseconds: float) -> dict[str, Any] | None:
    """Share of the roofline reached by a time: the fields of ``Result.roofline``; None without a ceiling."""
    ideal = ideal_seconds(cost, batch, limits)
    if ideal is None:
        return None
    return {
        "operations": {kind: batch * count for kind, count in cost.operations.items()},
        "bytes": cost.moved(batch),
        "ideal_ms": 1e3 * ideal,
        "share": 1e3 * ideal / milliseconds,
    }


def benchmark(
    model: Path,
    backend: str = "auto",
    size: tuple[int, int] | None = None,
    batch: int = 1,
    threads: int | None = None,
    runs: int = 100,
    warm_up: int = 10,
    ceilings: Callable[[], Ceilings | None] = lambda: None,
    gpu: int = 0,
) -> Result:
    """Load a model or engine and time it on one random input.

    :param size: ``(height, width)``; None for the model's
    :param ceilings: measures this GPU, or says None; called only for a backend that runs on one
    :param gpu: see ``backends.choice.open_backend``
    :raises UserError: if the model cannot be loaded or run so
    """
    try:
        card = read_card(model)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    name, _ = choose_backend(backend, model)
    size = size or (card.input_height, card.input_width)
    declared = card.extra.get("input_shape", ["batch"])[0]
    if model.suffix != ENGINE_SUFFIX and declared not in ("batch", batch):
        raise UserError(
            f"{model} takes {declared} images at once, not {batch}: export it with --batch {batch}"
        )
    network = open_backend(name, model, size, threads, batch, gpu)
    seen = random_input(batch, size)
    with_copies = measure(lambda: network.run(*seen), runs, warm_up, batch)
    without_copies = share = None
    if network.run_resident is not None:
        without_copies = measure(network.run_resident, runs, warm_up, batch)
        limits = ceilings()
        if limits and (cost := cost_of(model, card, size)):
            share = roofline(cost, batch, limits, without_copies.p50)
    precision = card.extra.get("precision", "fp32")
    return Result(model.name, precision, network.runtime, size, batch, with_copies, without_copies, share)


def random_input(batch: int, size: tuple[int, int]) -> NetworkInput:
    """Noise of a network size ``(height, width)``."""
    noise = np.random.default_rng(0).standard_normal((batch, 3, *size), np.float32)
    return blank_input(batch, size)._replace(image=noise)


def cost_of(model: Path, card: ModelCard, size: tuple[int, int]) -> Cost | None:
    """Cost of one image: from the export's card, or from an ONNX of any size; None without either."""
    if "cost" in card.extra and size == (card.input_height, card.input_width):
        return Cost(**card.extra["cost"])
    if model.suffix != ".onnx":
        return None
    from adu_depth_core.deploy.graph import fix_size, load_graph

    return network_cost(fix_size(load_graph(model), size, 1))
