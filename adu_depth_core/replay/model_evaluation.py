"""Evaluation of one model on the frames of a bag: on worker threads, collected in chronological order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adu_depth_core.bags.frames import BagFrame
from adu_depth_core.evaluation.confidence import mean_intervals
from adu_depth_core.evaluation.error_by_sigma import ErrorHistogram
from adu_depth_core.evaluation.evaluator import CurveMeans
from adu_depth_core.evaluation.groups import BAND_NAMES, REGION_NAMES, GroupMeans, pixels_by_cell
from adu_depth_core.evaluation.measurement import FrameResult, Measurement, summed_up
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.surfaces import SURFACE_NAMES, Surfaces
from adu_depth_core.evaluation.temporal_metrics import flicker, follow, instability
from adu_depth_core.evaluation.uncertainty import calibration_area
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.replay.evaluation_result import (
    FLICKER,
    INSTABILITY,
    ErrorBySigma,
    Estimate,
    FrameRecord,
    Group,
    Latency,
    ModelResult,
)
from adu_depth_core.replay.frame_log import FrameLog
from adu_depth_core.replay.worst_frames import WorstFrames
from adu_depth_core.stillness import stands_still

MAX_STEP_NS = 1_000_000_000
"""Frames farther apart than this are not compared for stability."""


@dataclass(frozen=True)
class Predicted:
    """A frame with its prediction.

    :param latency_ms: milliseconds of the prediction; None if other work ran beside it
    :param unfused: reason why a stabilised model's prediction is that of the frame alone; empty if it is not
    """

    frame: BagFrame
    prediction: Prediction
    latency_ms: float | None = None
    unfused: str = ""


@dataclass(frozen=True)
class Measured:
    """A prediction with all its figures; the histogram is None without ground truth that counts.

    :param changes: change from the frame before by name, empty where the motion is unknown
    """

    predicted: Predicted
    whole: Measurement | None
    changes: dict[str, float]
    histogram: tuple[np.ndarray, np.ndarray] | None


def measure_frame(protocol: Protocol, predicted: Predicted, before: Predicted | None) -> Measured:
    """All figures of a frame; keeps nothing, so that it can run on any thread.

    :param before: the frame before, or None
    """
    frame, prediction = predicted.frame, predicted.prediction
    changes = {} if before is None else _changes(before, predicted)
    if frame.truth is None:
        return Measured(predicted, None, changes, None)
    name = str(frame.index)
    surfaces = Surfaces.of(protocol, frame.truth, frame.camera)
    found = pixels_by_cell(protocol, frame.truth, prediction.depth, prediction.sigma, surfaces)
    if found is None:
        return Measured(predicted, Measurement(FrameResult(name, 0, {})), changes, None)
    whole = summed_up(name, *found, surfaces)
    return Measured(predicted, whole, changes, ErrorHistogram.count(found[0]))


def _changes(before: Predicted, now: Predicted) -> dict[str, float]:
    first, second = before.frame, now.frame
    if first.bag != second.bag or first.camera != second.camera:
        return {}
    if not 0 < second.stamp_ns - first.stamp_ns <= MAX_STEP_NS:
        return {}
    before_from_now = known_motion(first, second)
    if before_from_now is None:
        if not stands_still(first.image, second.image):
            return {}
        before_from_now = np.eye(4)
    depths = before.prediction.depth, now.prediction.depth
    found = {INSTABILITY: instability(*depths, second.camera, np.linalg.inv(before_from_now))}
    if first.truth is not None and second.truth is not None:
        points = follow(first.truth, second.truth, second.camera, before_from_now)
        found[FLICKER] = flicker(*depths, (first.truth, second.truth), points)
    return {name: value for name, value in found.items() if value is not None}


def known_motion(before: BagFrame, now: BagFrame) -> np.ndarray | None:
    """``before_from_now`` 4x4 of two frames of a bag; None if a pose is missing."""
    if before.bag != now.bag or before.world_from_camera is None or now.world_from_camera is None:
        return None
    motion: np.ndarray = np.linalg.inv(before.world_from_camera) @ now.world_from_camera
    return motion


class ModelEvaluation:
    """Gathers what ``measure_frame`` says of one model's frames. Memory grows by numbers only.

    :param label: short unique name
    :param predictor: the model
    :param has_truth: whether there is ground truth
    """

    def __init__(self, label: str, predictor: Predictor, has_truth: bool) -> None:
        self.label = label
        self.predictor = predictor
        self.worst_metric = "abs_rel" if has_truth else INSTABILITY
        self.log = FrameLog()
        self.unfused: Counter[str] = Counter()
        """Frames that a stabilised model left as they were, by reason."""
        self._latencies_ms: list[float] = []
        self._curves = CurveMeans()
        self._bands = GroupMeans(BAND_NAMES)
        self._regions = GroupMeans(REGION_NAMES)
        self._surfaces = GroupMeans(SURFACE_NAMES)
        self._roadless = 0
        self._histogram = ErrorHistogram()
        self._worst = WorstFrames()

    def add(self, measured: Measured) -> None:
        """Take the next frame in order of time."""
        predicted, metrics, pixels = measured.predicted, {}, 0
        whole = measured.whole
        if whole is not None and whole.groups is not None and measured.histogram is not None:
            metrics, pixels = dict(whole.frame.metrics), whole.frame.pixels
            self._curves.add(whole.curves)
            self._bands.add(whole.groups.bands)
            self._regions.add(whole.groups.regions)
            self._surfaces.add(whole.groups.surfaces)
            self._roadless += whole.frame.road is None
            self._histogram.add(*measured.histogram)
        if predicted.latency_ms is not None:
            self._latencies_ms.append(predicted.latency_ms)
        metrics.update(measured.changes)
        if predicted.unfused:
            self.unfused[predicted.unfused] += 1
        frame = predicted.frame
        record = FrameRecord(frame.index, frame.stamp_ns, pixels, metrics, frame.bag)
        self.log.add(record)
        if self.worst_metric in metrics:
            value = metrics[self.worst_metric]
            self._worst.add(value, record, frame.image, predicted.prediction, frame.truth)

    def result(self) -> ModelResult:
        """Everything about the model."""
        predictor = self.predictor
        records = self.log.records()
        metrics, curves = frame_estimates(records), self._curves.means()
        if curves:
            area = calibration_area(curves["coverage"])
            metrics["calibration_area"] = Estimate(area, float("nan"), float("nan"))
        sigma, error, pixels = self._histogram.summary()
        name = predictor.model_path.name
        return ModelResult(
            label=self.label,
            name=predictor.card.name,
            file=name,
            sha256=predictor.card.files[name],
            sigma_scale=predictor.card.sigma_scale,
            backend=predictor.backend.runtime,
            network_size=predictor.network_size,
            metrics=metrics,
            by_distance=tuple(Group(*group) for group in self._bands.means()),
            by_region=tuple(Group(*group) for group in self._regions.means()),
            by_surface=tuple(Group(*group) for group in self._surfaces.means()),
            roadless_frames=self._roadless,
            curves=curves,
            error_by_sigma=ErrorBySigma(sigma, error, pixels) if len(sigma) else None,
            frames=tuple(records),
            worst=self._worst.worst_first(),
            worst_metric=self.worst_metric,
            latency=Latency(
                *map(float, np.percentile(self._latencies_ms, (50, 95, 100))), len(self._latencies_ms)
            ),
            profiles=tuple(path.name for path in predictor.profile_files),
        )


def frame_estimates(records: Sequence[FrameRecord]) -> dict[str, Estimate]:
    """Mean over the frames that have it of each metric, with its interval; bags are drives of their own."""
    names = list(dict.fromkeys(name for record in records for name in record.metrics))
    if not names:
        return {}
    values = np.array([[record.metrics.get(name, np.nan) for name in names] for record in records])
    start_ns = records[0].stamp_ns  # seconds since 1970 leave no digits for fractions
    seconds = np.array([(record.stamp_ns - start_ns) / 1e9 for record in records])
    intervals = mean_intervals(values, seconds, np.array([record.bag for record in records]))
    return {
        name: Estimate(*map(float, numbers), decided=bool(decided))
        for name, *numbers, decided in zip(names, *intervals, strict=True)
    }
