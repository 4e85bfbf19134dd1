"""Result of `adu_depth evaluate-bag`: exactly the data of its page, JSON and tables.

Metric names, formulas and units are those of docs/evaluation.md. Without ground truth (``GroundTruth.kind``
is ``none``) there are no depth metrics: the dictionaries hold the metrics that need none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.bags.skipped import Skipped
from adu_depth_core.bags.topic_choice import TopicChoice
from adu_depth_core.camera import Camera

INSTABILITY = "instability"
"""Name of the temporal metric: median |ln(depth / depth expected from the frame before)|; 0 is best."""

FLICKER = "flicker"
"""Name of the temporal metric with ground truth: mean change of a static point's error in log depth."""


@dataclass(frozen=True)
class Estimate:
    """A mean over frames and its 95 % confidence interval, see ``evaluation.confidence``.

    :param low: NaN, as ``high``, where there is no interval
    :param independent: effective sample size: neighbouring frames are correlated
    :param decided: whether that is enough for an interval or a conclusion
    """

    mean: float
    low: float
    high: float
    independent: float = math.nan
    decided: bool = False

    @property
    def too_short(self) -> bool:
        """True if the drives are too short to trust the interval."""
        return math.isfinite(self.low) and not self.decided

    @property
    def significant(self) -> bool:
        """True if a difference is significant."""
        return self.decided and not self.low <= 0 <= self.high


@dataclass(frozen=True)
class GroundTruth:
    """Ground truth of the evaluation.

    :param kind: ``depth``, ``lidar``, ``stereo`` or ``none``
    :param description: topic, tolerance and how the depth came about, for people
    :param pseudo: computed from images (stereo matching) instead of measured
    """

    kind: str
    description: str
    pseudo: bool = False


@dataclass(frozen=True)
class Source:
    """The bags and what was made of them.

    :param bags: names of the bags in the order they were read
    :param topics: the chosen topics
    :param camera: intrinsics of the first evaluated image
    :param truth: the ground truth
    :param frames_in_bags: image messages that the bags announce
    :param frames_read: images that were read
    :param frames_evaluated: images that were predicted (and, where there is ground truth, measured)
    :param skipped: why the others were not
    :param duration_s: seconds from the first to the last image of each bag, together
    :param motion: source of the camera's motion between frames: ``poses``, ``static`` (assumed, then
        instability is flicker) or ``unknown``
    """

    bags: tuple[str, ...]
    topics: tuple[TopicChoice, ...]
    camera: Camera
    truth: GroundTruth
    frames_in_bags: int
    frames_read: int
    frames_evaluated: int
    skipped: tuple[Skipped, ...]
    duration_s: float
    motion: str


@dataclass(frozen=True)
class Group:
    """Metrics of the pixels of a distance band, image region or surface: means over the frames that have any.

    :param name: such as ``10-20 m``, ``top left`` or ``obstacle``
    :param pixels: pixels that counted, over all frames
    :param frames: frames with at least one such pixel
    :param metrics: by name; empty where no frame has one
    """

    name: str
    pixels: int
    frames: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class ErrorBySigma:
    """Pixels of all frames gathered by their predicted relative sigma.

    A calibrated model has ``quantile_error`` equal to ``sigma`` in every bin.

    :param sigma: mean sigma / depth of each bin, ``(B,)``
    :param quantile_error: 68.3 % quantile of |error| / depth of each bin, ``(B,)``
    :param pixels: number of pixels of each bin, ``(B,)``; empty bins are left out
    """

    sigma: np.ndarray
    quantile_error: np.ndarray
    pixels: np.ndarray


@dataclass(frozen=True)
class FrameRecord:
    """One frame and one model.

    :param index: number of the image in the bags, from 0; the same for all models
    :param stamp_ns: header stamp of the image in nanoseconds
    :param pixels: pixels with ground truth that counted
    :param metrics: every metric of the frame; ``instability`` among them where there is a frame before, depth
        metrics and ``flicker`` where there is ground truth
    :param bag: number of the bag, from 0
    """

    index: int
    stamp_ns: int
    pixels: int
    metrics: dict[str, float]
    bag: int = 0


@dataclass(frozen=True)
class WorstFrame:
    """Pictures of a frame with a large error (or instability, where there is no ground truth).

    Pictures are RGB uint8 ``(h, w, 3)`` of one size, at most ``worst_frames.WIDTH`` wide.

    :param record: the frame
    :param image: the camera image
    :param prediction: colours of the predicted depth
    :param error: colours of |prediction - truth| / truth, dark where there is no truth; None without any
    :param sigma: colours of sigma / depth
    """

    record: FrameRecord
    image: np.ndarray
    prediction: np.ndarray
    error: np.ndarray | None
    sigma: np.ndarray


@dataclass(frozen=True)
class Latency:
    """Milliseconds of ``Predictor.predict`` with nothing beside it, over the first frames.

    :param frames: number of frames
    """

    median_ms: float
    p95_ms: float
    max_ms: float
    frames: int


@dataclass(frozen=True)
class ModelResult:
    """Everything about one model.

    :param label: short unique name for headings and legends
    :param name: name on its model card
    :param file: file name of the model
    :param sha256: of that file
    :param sigma_scale: factor of the model card from predicted scale to sigma
    :param backend: runtime and its version
    :param network_size: ``(height, width)``
    :param metrics: mean over frames of each metric with its confidence interval
    :param by_distance: bands of ground truth distance, near to far
    :param by_region: nine image regions, row by row from the top left
    :param by_surface: ``ground`` and ``obstacle`` (``evaluation.surfaces``), means over frames with a road
    :param roadless_frames: frames with ground truth in which no road was found; all figures of ground and
        obstacles are without them
    :param curves: means over frames: ``coverage`` over ``uncertainty.LEVELS``; ``<metric>_by_sigma`` and
        ``<metric>_by_oracle`` over ``sparsification.REMOVED``; empty without ground truth
    :param error_by_sigma: error against sigma; None without ground truth
    :param frames: every evaluated frame, in order of time
    :param worst: the worst frames, worst first
    :param worst_metric: the metric they are the worst by
    :param latency: of a prediction on its own
    :param profiles: file names of the camera profiles that frames were predicted with
    """

    label: str
    name: str
    file: str
    sha256: str
    sigma_scale: float
    backend: str
    network_size: tuple[int, int]
    metrics: dict[str, Estimate]
    by_distance: tuple[Group, ...]
    by_region: tuple[Group, ...]
    by_surface: tuple[Group, ...]
    roadless_frames: int
    curves: dict[str, np.ndarray]
    error_by_sigma: ErrorBySigma | None
    frames: tuple[FrameRecord, ...]
    worst: tuple[WorstFrame, ...]
    worst_metric: str
    latency: Latency
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One metric of two models on the same frames: ``second`` minus ``first``, frame by frame.

    :param first: label of the reference
    :param second: label of the other model
    :param metric: the metric
    :param difference: mean difference with its 95 % confidence interval
    :param frames: frames that both have
    """

    first: str
    second: str
    metric: str
    difference: Estimate
    frames: int


@dataclass(frozen=True)
class Condition:
    """A ``--fail-if`` condition, tested on one model.

    :param text: such as ``abs_rel>0.12``
    :param model: label of the model
    :param value: the measured mean
    :param failed: whether the condition holds, so that the model is not good enough
    """

    text: str
    model: str
    value: float
    failed: bool


@dataclass(frozen=True)
class EvaluationResult:
    """A whole run of `adu_depth evaluate-bag`.

    :param source: bags, topics, frames
    :param protocol: the evaluated pixels, in words
    :param models: in the order of the command line; the first is the reference of the comparisons
    :param comparisons: each other model against the first, for every metric both have
    :param conditions: of the release gate; any that failed fails the run
    :param warnings: caveats about the figures, one sentence each
    :param interrupted: stopped by Ctrl-C: only the first part of the bags is in the figures
    :param seconds: wall time from the first frame to the last
    :param frames_per_second: evaluated frames per second of that time, all models and measuring included
    :param command: the command line
    :param machine: ``cpu``, ``system``, ``architecture``
    :param versions: of the package and what computed
    """

    source: Source
    protocol: str
    models: tuple[ModelResult, ...]
    comparisons: tuple[Comparison, ...]
    conditions: tuple[Condition, ...]
    warnings: tuple[str, ...]
    interrupted: bool
    seconds: float
    frames_per_second: float
    command: str
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """True if any condition of the release gate failed."""
        return any(condition.failed for condition in self.conditions)
