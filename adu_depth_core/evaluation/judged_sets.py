"""Evaluation of a subject on labelled frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import Benchmark
from adu_depth_core.evaluation.evaluator import Evaluator, Summary
from adu_depth_core.evaluation.leakage import Leakage
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.sigma_calibration import judged_sigma
from adu_depth_core.evaluation.subject import Subject


@dataclass(frozen=True)
class JudgedSet:
    """One of the sets of frames of a run.

    :param benchmark: the frames
    :param leakage: training frames among them, by the model card
    :param summary: the result
    """

    benchmark: Benchmark
    leakage: Leakage
    summary: Summary


def evaluate(subject: Subject, dataset: str, samples: Iterable[Sample], protocol: Protocol) -> Summary:
    """Metrics of a subject; of a stereo one those of disparity too, where the baseline is known.

    Where a model's uncertainty scale was fitted on some of the frames, each is judged by a scale fitted
    without it.

    :param dataset: data set of the frames, as model cards name it
    :raises UserError: if a frame has no ground truth, or none has a pixel that counts
    """
    evaluator = Evaluator(protocol)
    for sample in samples:
        if sample.depth is None:
            raise UserError(f"frame {sample.name} of {dataset} has no ground truth: leave it out of the list")
        depth, sigma = subject.predict(sample)
        if subject.card is not None and sigma is not None:
            sigma = judged_sigma(subject.card, dataset, sample.name, sigma)
        baseline = sample.baseline if subject.stereo else None
        evaluator.add(
            sample.name,
            sample.depth,
            depth,
            sigma,
            focal_times_baseline=None if baseline is None else sample.camera.fx * baseline,
            camera=sample.camera,
            classes=sample.classes,
        )
    return evaluator.summary()
