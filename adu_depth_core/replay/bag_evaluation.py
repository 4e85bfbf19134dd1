"""Replays bags through models without ROS and measures what comes out."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol as Interface

import cv2
import numpy as np

import adu_depth_core
from adu_depth_core.bags.frames import BagFrame, FrameReader, ReadingOptions
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, Topics, choose_topics
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.temporal.stabiliser import FIRST
from adu_depth_core.machine import cpu_model
from adu_depth_core.replay.bag_leakage import BagLeakage
from adu_depth_core.replay.conditions import FailIf
from adu_depth_core.replay.evaluation_result import (
    Comparison,
    EvaluationResult,
    FrameRecord,
    GroundTruth,
    ModelResult,
    Source,
)
from adu_depth_core.replay.model_evaluation import ModelEvaluation, frame_estimates
from adu_depth_core.replay.model_replay import Replay

STABILISED = ", stabilised"
"""Appended to the label of a model whose predictions are stabilised."""


class Recorder(Interface):
    """Takes each frame as it was judged, in order of time."""

    def write(
        self,
        stamp_ns: int,
        frame_id: str,
        image: np.ndarray,
        prediction: Prediction,
        truth: np.ndarray | None,
    ) -> None: ...


class BagEvaluation:
    """Bags, models and how to judge them; ``run`` does it.

    :param bags: paths, replayed one after the other
    :param predictors: the models by label; the first is the reference
    :param topic_options: topics named by the user
    :param reading: options for matching messages
    :param protocol: the evaluated pixels
    :param allow_training_frames: warn of frames that a model was trained on instead of refusing them
    :param stabilise: also judge each model's predictions with temporal stabilisation
    :raises UserError: if a bag cannot be opened or lacks topics, or the bags have different ground truth
    """

    def __init__(
        self,
        bags: Sequence[Path],
        predictors: dict[str, Predictor],
        topic_options: TopicOptions,
        reading: ReadingOptions,
        protocol: Protocol,
        allow_training_frames: bool = False,
        stabilise: bool = False,
    ) -> None:
        self.bags = list(bags)
        self.topics: list[Topics] = []
        self.frames_in_bags = 0
        self._predictors = predictors
        self._reading = reading
        self._protocol = protocol
        self._leakage = [
            BagLeakage(label, predictor.card, allow_training_frames)
            for label, predictor in predictors.items()
        ]
        self._skipped = SkippedFrames()
        self._readers: list[FrameReader] = []
        for path in self.bags:
            with BagReader(path, salvage=True) as reader:
                for leakage in self._leakage:
                    leakage.open_bag(reader.custom_data)
                topics = choose_topics(reader.topics, path.name, topic_options)
                self.frames_in_bags += reader.message_counts[topics.image]
            self.topics.append(topics)
        kinds = {topics.truth for topics in self.topics}
        if len(kinds) > 1:
            raise UserError(
                f"the bags have different ground truth ({', '.join(sorted(kinds))}): choose with --truth, or "
                "evaluate them one by one"
            )
        self._replay = Replay(list(predictors.values()), protocol, kinds == {"stereo"}, stabilise)
        self._judged = [
            (label + suffix, predictor)
            for label, predictor in predictors.items()
            for suffix in (("", STABILISED) if stabilise else ("",))
        ]

    def run(
        self,
        on_frame: Callable[[int], None],
        stop: Callable[[], bool],
        fail_if: Sequence[FailIf] = (),
        recorder: Recorder | None = None,
        command: str = "",
    ) -> EvaluationResult:
        """Replay everything.

        :param on_frame: called with the number of images that are done
        :param stop: asked after each frame; True ends the run with what was read
        :param fail_if: conditions of the release gate
        :param recorder: takes the first model's predictions
        :param command: the command line, for the record
        :raises UserError: if no frame could be evaluated, the text says why; or if a model was trained on one
        """
        has_truth = self.topics[0].truth != "none"
        models = [ModelEvaluation(*item, has_truth) for item in self._judged]
        first: BagFrame | None = None
        started = time.perf_counter()
        for frame, judged in self._replay.run(self._frames(), stop):
            first = first or frame
            for model, measured in zip(models, judged, strict=True):
                model.add(measured)
            if recorder is not None:
                prediction = judged[0].predicted.prediction
                recorder.write(frame.stamp_ns, frame.frame_id, frame.image, prediction, frame.truth)
            on_frame(frame.index + 1)
        interrupted = stop()
        seconds = time.perf_counter() - started
        if first is None:
            raise UserError(self._nothing_evaluated())
        results = [model.result() for model in models]
        source = self._source(first, results[0].frames)
        if has_truth and not any(record.pixels for record in results[0].frames):
            raise UserError(
                f"no ground truth counts in any of {source.frames_evaluated} frames: "
                f"{source.truth.description}; "
                f"{self._protocol.describe()}"
            )
        return EvaluationResult(
            source=source,
            protocol=self._protocol.describe(),
            models=tuple(results),
            comparisons=tuple(c for other in results[1:] for c in compare(results[0], other)),
            conditions=tuple(condition.test(result) for condition in fail_if for result in results),
            warnings=(*self._warnings(source, interrupted, results), *_unfused(models)),
            interrupted=interrupted,
            seconds=seconds,
            frames_per_second=source.frames_evaluated / seconds,
            command=command,
            machine={"cpu": cpu_model(), "system": platform.system(), "architecture": platform.machine()},
            versions={
                "adu_depth": adu_depth_core.__version__,
                "python": platform.python_version(),
                "numpy": np.__version__,
                "opencv": cv2.__version__,
            },
        )

    def _frames(self) -> Iterator[BagFrame]:
        index = 0
        for path, topics in zip(self.bags, self.topics, strict=True):
            reader = FrameReader(path, topics, self._reading, self._skipped, index, len(self._readers))
            self._readers.append(reader)
            for frame in reader:
                for leakage in self._leakage:
                    leakage.see(path, frame.stamp_ns)
                yield frame
            index += reader.images_read

    def _nothing_evaluated(self) -> str:
        reasons = [f"{skipped.frames} skipped: {skipped.reason}" for skipped in self._skipped.summary()]
        reasons += [reader.damage for reader in self._readers if reader.damage]
        names = ", ".join(path.name for path in self.bags)
        return f"no frame of {names} could be evaluated; " + (
            "; ".join(reasons) or f"there is no message on {self.topics[0].image}"
        )

    def _source(self, first: BagFrame, frames: Sequence[FrameRecord]) -> Source:
        ends: dict[int, tuple[int, int]] = {}
        for record in frames:
            ends[record.bag] = ends.get(record.bag, (record.stamp_ns,))[0], record.stamp_ns
        return Source(
            bags=tuple(path.name for path in self.bags),
            topics=self.topics[0].choices,
            camera=first.camera,
            truth=_describe_truth(self.topics[0], self._reading),
            frames_in_bags=self.frames_in_bags,
            frames_read=sum(reader.images_read for reader in self._readers),
            frames_evaluated=len(frames),
            skipped=self._skipped.summary(),
            duration_s=sum(last - start for start, last in ends.values()) / 1e9,
            motion="unknown" if first.world_from_camera is None else "poses",
        )

    def _warnings(self, source: Source, interrupted: bool, results: Sequence[ModelResult]) -> Iterator[str]:
        if interrupted:
            yield (
                f"interrupted after {source.frames_evaluated} frames; the bags have {source.frames_in_bags}: "
                "the rest is not included"
            )
        yield from (reader.damage for reader in self._readers if reader.damage)
        for skipped in source.skipped:
            first = f"the first is number {skipped.first_index}"
            yield f"{skipped.frames} frames skipped, {first}: {skipped.reason}"
        if source.truth.pseudo:
            yield (
                "the ground truth is computed from the stereo images: where it is wrong, a correct "
                "prediction counts as an error"
            )
        yield from dict.fromkeys(text for leakage in self._leakage for text in leakage.warnings())
        for result in results:
            unlabelled = sum(not record.pixels for record in result.frames)
            if source.truth.kind != "none" and unlabelled and result is results[0]:
                yield f"{unlabelled} frames have no ground truth that counts"
            if result.roadless_frames and result is results[0]:
                yield (
                    f"no road was found in the ground truth of {result.roadless_frames} frames: obstacles "
                    f"and ground exclude them; --camera-height needs no fit"
                )


def _unfused(models: Sequence[ModelEvaluation]) -> Iterator[str]:
    """Warnings of frames that could not be stabilised; the first of a drive never can."""
    for model in models:
        if set(model.unfused) - {FIRST}:
            reasons = ", ".join(f"{count} {reason}" for reason, count in model.unfused.items())
            yield f"{model.label}: frames that are not stabilised: {reasons}"


def _describe_truth(topics: Topics, reading: ReadingOptions) -> GroundTruth:
    """Description of the ground truth."""
    truth = _describe_kind(topics, reading)
    if topics.where is None:
        return truth
    also = f"; only pixels where {topics.where} on {topics.where_topic} has a value, too"
    return dataclasses.replace(truth, description=truth.description + also)


def _describe_kind(topics: Topics, reading: ReadingOptions) -> GroundTruth:
    within = f"within {reading.tolerance_ns / 1e6:g} ms of the image"
    if topics.truth == "depth":
        return GroundTruth("depth", f"depth images on {topics.truth_topic}, {within}")
    if topics.truth == "lidar":
        return GroundTruth(
            "lidar",
            f"LiDAR points on {topics.truth_topic}, {within}, projected through the transforms; points "
            f"enclosed by nearer ones within {reading.beam_gap:g} degrees do not count",
        )
    if topics.truth == "stereo":
        return GroundTruth(
            "stereo",
            f"semi-global matching with left-right check of {topics.image} and {topics.right_image}, "
            + within,
            pseudo=True,
        )
    return GroundTruth("none", "none: latency, stability and the predicted uncertainty only")


def compare(first: ModelResult, second: ModelResult) -> Iterator[Comparison]:
    """Paired differences, second minus first, of every metric over the frames that both have."""
    others = {record.index: record.metrics for record in second.frames}
    pairs = [(record, others[record.index]) for record in first.frames if record.index in others]
    differences = [
        dataclasses.replace(
            a, metrics={name: b[name] - value for name, value in a.metrics.items() if name in b}
        )
        for a, b in pairs
    ]
    for name, difference in frame_estimates(differences).items():
        frames = sum(name in record.metrics for record in differences)
        yield Comparison(first.label, second.label, name, difference, frames)
