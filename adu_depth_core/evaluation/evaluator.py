"""Collects the metrics of frames from any source, and averages them over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.boundary import measure_boundaries
from adu_depth_core.evaluation.disparity_metrics import disparity_metrics
from adu_depth_core.evaluation.measurement import PART_METRICS, PART_NAMES, FrameResult, measure
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.rank_correlation import rank_correlation
from adu_depth_core.evaluation.uncertainty import calibration_area

BOUNDARY_F1 = "boundary_f1"
"""Name of the measure of edges; a frame whose truth is not dense does not have it."""


OPTIONAL = {BOUNDARY_F1} | {f"{part}_{metric}" for part in PART_NAMES for metric in PART_METRICS}
"""Metrics that some frames may have and others not."""


@dataclass(frozen=True)
class Summary:
    """Result of an evaluation.

    :param metrics: mean of each metric over the images that have it, and ``calibration_area``
    :param frames: each image's own, in the order they came
    :param skipped: frames without a single pixel that counts
    :param curves: means over images: ``coverage`` over ``uncertainty.LEVELS``, and for each metric
        ``<metric>_by_sigma`` and ``<metric>_by_oracle`` over ``sparsification.REMOVED``; empty without sigma
    :param roadless: frames in which no road was found, so that they are in no figure of obstacles and ground;
        None where these were not told apart
    """

    metrics: dict[str, float]
    frames: list[FrameResult]
    skipped: list[str]
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    roadless: list[str] | None = None

    def column(self, metric: str) -> np.ndarray:
        """One metric of every frame, ``(N,)``; NaN where a frame does not have it."""
        return np.array([frame.metrics.get(metric, np.nan) for frame in self.frames])

    def part_pixels(self) -> dict[str, tuple[int, int]]:
        """Pixels that show each of ``measurement.PART_NAMES``, and frames that have any."""
        parts = {}
        for part in PART_NAMES:
            counts = [frame.part_pixels.get(part, 0) for frame in self.frames]
            parts[part] = sum(counts), sum(count > 0 for count in counts)
        return parts

    @property
    def sigma_rank_correlation(self) -> float | None:
        """Rank correlation over frames of ``relative_sigma`` and ``abs_rel``: does sigma rank the frames by
        error?

        None without sigma or with too few frames.
        """
        if "relative_sigma" not in self.metrics:
            return None
        return rank_correlation(self.column("relative_sigma"), self.column("abs_rel"))


class CurveMeans:
    """Means over images of their curves."""

    def __init__(self) -> None:
        self._sums: dict[str, np.ndarray] = {}
        self._count = 0

    def add(self, curves: dict[str, np.ndarray], images: int = 1) -> None:
        """Add the curves of an image, or the means of several; every image has the same ones, or none."""
        self._count += images
        for name, values in curves.items():
            self._sums[name] = self._sums.get(name, 0.0) + values * images

    def means(self) -> dict[str, np.ndarray]:
        """By name; empty where the images have none."""
        return {name: total / self._count for name, total in self._sums.items()}


class Evaluator:
    """Accumulates frames under one protocol. Keeps scalars and running sums only, no images.

    :param protocol: which pixels count
    """

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self._frames: list[FrameResult] = []
        self._skipped: list[str] = []
        self._curves = CurveMeans()
        self._kind: tuple[frozenset[str], bool] | None = None

    def add(
        self,
        name: str,
        truth: np.ndarray,
        depth: np.ndarray,
        sigma: np.ndarray | None = None,
        focal_times_baseline: float | None = None,
        camera: Camera | None = None,
        classes: np.ndarray | None = None,
    ) -> FrameResult | None:
        """Measure one frame; all maps ``(H, W)``.

        :param name: name of the frame
        :param truth: metres; 0 or NaN where unknown, +inf where beyond range
        :param depth: predicted metres
        :param sigma: its uncertainty in metres (half width of the 68.3 % interval); None for methods without.
            Either all frames have it or none
        :param focal_times_baseline: fx in pixels times baseline in metres, to measure disparity too
            (``disparity_metrics.disparity_metrics``), without cap; either for all frames or for none
        :param camera: intrinsics of the maps, to tell obstacles from ground; for all frames or for none
        :param classes: ``PixelClass`` of every pixel, uint8 ``(H, W)``, for metrics by class; None if unknown
        :return: the frame's metrics, or None if no pixel counts
        :raises ValueError: if sizes differ, a prediction that counts is not a positive number, or the frame
            has sigma, a baseline or a camera and others have not
        """
        measured = measure(self.protocol, name, truth, depth, sigma, camera, classes)
        if focal_times_baseline is not None and measured.frame.pixels:
            mask = self.protocol.inside(truth)
            measured.frame.metrics.update(disparity_metrics(depth, truth, mask, focal_times_baseline))
        frame = measured.frame
        boundaries = measure_boundaries(self.protocol, truth, depth) if frame.pixels else None
        if boundaries is not None:
            frame.metrics[BOUNDARY_F1] = boundaries
        if not frame.pixels:
            self._skipped.append(frame.name)
            return None
        kind = frozenset(frame.metrics) - OPTIONAL, camera is None
        if self._kind is not None and kind != self._kind:
            raise ValueError(
                f"frame {frame.name}: either all frames have sigma, a baseline and a camera or none"
            )
        self._kind = kind
        self._curves.add(measured.curves)
        self._frames.append(frame)
        return frame

    def summary(self) -> Summary:
        """Means over the images so far.

        :raises UserError: if no frame counted
        """
        if self._kind is None:
            raise UserError(
                f"no ground truth counts in any of {len(self._skipped)} frames: {self.protocol.describe()}"
            )
        roadless = None if self._kind[1] else [frame.name for frame in self._frames if frame.road is None]
        return _summary(self._frames, self._skipped, self._curves, roadless)


def combined(summaries: Sequence[Summary]) -> Summary:
    """All frames of several evaluations as one: every frame weighs the same, whichever it is from.

    :param summaries: one or more; a metric that only some of them have is the mean over their frames
    """
    curves = CurveMeans()
    for summary in summaries:
        curves.add(summary.curves, len(summary.frames))
    frames = [frame for summary in summaries for frame in summary.frames]
    skipped = [name for summary in summaries for name in summary.skipped]
    roadless = [name for summary in summaries for name in summary.roadless or ()]
    asked = any(summary.roadless is not None for summary in summaries)
    return _summary(frames, skipped, curves, roadless if asked else None)


def _summary(
    frames: Sequence[FrameResult], skipped: Sequence[str], curves: CurveMeans, roadless: list[str] | None
) -> Summary:
    names = dict.fromkeys(name for frame in frames for name in frame.metrics)
    metrics = {
        name: float(np.mean([frame.metrics[name] for frame in frames if name in frame.metrics]))
        for name in names
    }
    means = curves.means()
    if means:
        metrics["calibration_area"] = calibration_area(means["coverage"])
    return Summary(metrics, list(frames), list(skipped), means, roadless)
