"""Overhead of `adu_depth evaluate-bag` over the bare predictor, in one run.

    python benchmarks/evaluate_bag_overhead.py BAG [--model FILE] [--truth lidar] [--repeat 10] [--rounds 3]

Predicts the frames of a bag from memory, evaluates the same bag from disk, predicts again, and prints the
rates, their ratio (target: above 80 %) and the peak memory of the process. The ratio of CPU time is more
stable on a loaded machine; where the network uses all cores, it predicts the ratio of rates.
``--repeat N`` evaluates the bag N times in a row, as one bag N times as long: compare 1 and 10 to check that
memory does not grow.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adu_depth_core.bags.frames import FrameReader, ReadingOptions
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TRUTHS, TopicOptions, choose_topics
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.machine import cpu_model
from adu_depth_core.memory import keep_freed_memory
from adu_depth_core.replay.bag_evaluation import BagEvaluation

IN_MEMORY = 20
"""Frames that the bare predictor cycles through."""

BARE = 60
"""Frames per measurement of the bare predictor."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--model", type=Path, help="ONNX student (default: the installed one)")
    parser.add_argument("--truth", choices=TRUTHS)
    parser.add_argument("--repeat", type=int, default=1, help="number of times to evaluate the bag")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, each between two bare runs")
    arguments = parser.parse_args()

    keep_freed_memory()  # as the command does
    predictor = Predictor(arguments.model)
    options = TopicOptions(truth=arguments.truth)
    with BagReader(arguments.bag) as bag:
        topics = choose_topics(bag.topics, arguments.bag.name, options)
    frames = []
    for frame in FrameReader(arguments.bag, topics, ReadingOptions(), SkippedFrames()):
        frames.append(frame)
        if len(frames) == IN_MEMORY:
            break

    def bare(count: int) -> Cost:
        with measured(count) as cost:
            for i in range(count):
                predictor.predict(frames[i % len(frames)].image, frames[i % len(frames)].camera)
        return cost

    bare(10)
    print(f"{cpu_model()}, {predictor.backend.runtime}, network {predictor.network_size}")
    rates, processor = [], []
    for _ in range(arguments.rounds):
        before = bare(BARE)
        bags = [arguments.bag] * arguments.repeat
        evaluation = BagEvaluation(bags, {"model": predictor}, options, ReadingOptions(), Protocol())
        with measured(evaluation.frames_in_bags) as whole:
            result = evaluation.run(lambda done: None, lambda: False)
        after = bare(BARE)
        wall, cpu = (before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2
        rates.append(100 * wall / whole.wall)
        processor.append(100 * cpu / whole.cpu)
        print(
            f"bare {1 / wall:5.1f} frames/s ({1 / before.wall:.1f} before, {1 / after.wall:.1f} after), "
            f"{1e3 * cpu:.1f} ms of CPU; evaluate-bag {1 / whole.wall:5.1f} frames/s, "
            f"{1e3 * whole.cpu:.1f} ms: {rates[-1]:.0f} % of the rate, {processor[-1]:.0f} % by CPU"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"ground truth {result.source.truth.kind}, {result.source.frames_evaluated} frames a round")
    print(
        f"median {statistics.median(rates):.0f} % of the bare predictor's rate, "
        f"{statistics.median(processor):.0f} % by CPU time; peak memory {peak:.0f} MiB"
    )


@dataclass
class Cost:
    """Seconds per frame: wall-clock time, and CPU time of all cores."""

    wall: float = 0.0
    cpu: float = 0.0


@contextlib.contextmanager
def measured(frames: int) -> Iterator[Cost]:
    """Time per frame of the enclosed block."""
    cost, wall, cpu = Cost(), time.perf_counter(), time.process_time()
    yield cost
    cost.wall, cost.cpu = (time.perf_counter() - wall) / frames, (time.process_time() - cpu) / frames


if __name__ == "__main__":
    main()
