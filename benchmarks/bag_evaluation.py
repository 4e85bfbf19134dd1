"""What measuring costs beside predicting: `adu_depth evaluate-bag` against the bare predictor, in one run.

    python benchmarks/bag_evaluation.py BAG [--model FILE] [--truth lidar] [--repeat 10]

Predicts the frames of a bag from memory, then evaluates the same bag from disk, and prints both rates, their
ratio (the aim: above 80 %) and the peak memory of the process. ``--repeat N`` evaluates the bag N times in a
row as if it were one N times as long: run it with 1 and with 10 to see that memory does not grow.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

from adu_depth_core.bags.evaluation import BagEvaluation
from adu_depth_core.bags.frames import FrameReader, ReadingOptions
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TRUTHS, TopicOptions, choose_topics
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.machine import cpu_model

IN_MEMORY = 20
"""Frames that the bare predictor goes round in."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--model", type=Path, help="ONNX student (default: the installed one)")
    parser.add_argument("--truth", choices=TRUTHS)
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()

    predictor = Predictor(arguments.model)
    options = TopicOptions(truth=arguments.truth)
    with BagReader(arguments.bag) as bag:
        topics = choose_topics(bag.topics, arguments.bag.name, options)
    frames = []
    for frame in FrameReader(arguments.bag, topics, ReadingOptions(), SkippedFrames()):
        frames.append(frame)
        if len(frames) == IN_MEMORY:
            break

    def bare_rate(count: int) -> float:
        started = time.perf_counter()
        for i in range(count):
            predictor.predict(frames[i % len(frames)].image, frames[i % len(frames)].camera)
        return count / (time.perf_counter() - started)

    bare_rate(10)
    before = bare_rate(100)
    bags = [arguments.bag] * arguments.repeat
    evaluation = BagEvaluation(bags, {"model": predictor}, options, ReadingOptions(), Protocol())
    result = evaluation.run(lambda done: None, lambda: False)
    after = bare_rate(100)
    bare = (before + after) / 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{cpu_model()}, {predictor.backend.runtime}, network {predictor.network_size}")
    print(f"ground truth: {result.source.truth.kind}, {result.source.frames_evaluated} frames")
    print(f"bare predictor {bare:6.1f} frames/s ({before:.1f} before, {after:.1f} after)")
    whole = result.frames_per_second
    print(f"evaluate-bag   {whole:6.1f} frames/s, {100 * whole / bare:.0f} %")
    print(f"peak memory    {peak:6.0f} MiB")


if __name__ == "__main__":
    main()
