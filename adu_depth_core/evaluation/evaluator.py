"""Collects the metrics of frames, wherever they come from, and averages them over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.disparity import disparity_metrics
from adu_depth_core.evaluation.metrics import depth_means, depth_sums
from adu_depth_core.evaluation.pixels import Pixels
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.rank_correlation import rank_correlation
from adu_depth_core.evaluation.sparsification import aurg, ause, pixel_curves
from adu_depth_core.evaluation.uncertainty import (
    calibration_area,
    pixel_coverage,
    uncertainty_means,
    uncertainty_sums,
)


@dataclass(frozen=True)
class FrameResult:
    """Metrics of one image.

    :param name: name of the frame
    :param pixels: number of pixels that counted
    :param metrics: by name; see ``docs/evaluation.md``
    """

    name: str
    pixels: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """Result of an evaluation.

    :param metrics: mean over images of each metric, and ``calibration_area``
    :param frames: each image's own, in the order they came
    :param skipped: frames without a single pixel that counts
    :param curves: means over images: ``coverage`` over ``uncertainty.LEVELS``, and for each metric
        ``<metric>_by_sigma`` and ``<metric>_by_oracle`` over ``sparsification.REMOVED``; empty without sigma
    """

    metrics: dict[str, float]
    frames: list[FrameResult]
    skipped: list[str]
    curves: dict[str, np.ndarray] = field(default_factory=dict)

    def column(self, metric: str) -> np.ndarray:
        """One metric of every frame, ``(N,)``."""
        return np.array([frame.metrics[metric] for frame in self.frames])

    @property
    def sigma_rank_correlation(self) -> float | None:
        """Rank correlation over frames of ``relative_sigma`` and ``abs_rel``: does sigma say which are worse?

        None without sigma or with too few frames.
        """
        if "relative_sigma" not in self.metrics:
            return None
        return rank_correlation(self.column("relative_sigma"), self.column("abs_rel"))


@dataclass(frozen=True)
class Measurement:
    """One image measured.

    :param frame: its metrics; without pixels there are none
    :param curves: as those of ``Summary``, of this image
    """

    frame: FrameResult
    curves: dict[str, np.ndarray]


def measure(
    protocol: Protocol, name: str, truth: np.ndarray, depth: np.ndarray, sigma: np.ndarray | None
) -> Measurement:
    """Every metric of one frame; parameters as of ``Evaluator.add``. Keeps nothing: safe on any thread."""
    pixels = Pixels.of(protocol, truth, depth, sigma)
    if pixels is None:
        return Measurement(FrameResult(name, 0, {}), {})
    p, g, s = pixels.prediction, pixels.truth, pixels.sigma
    uncertainty = None if s is None else uncertainty_sums(p, s, g)
    return summed_up(name, pixels, depth_sums(p, g), uncertainty)


def summed_up(name: str, pixels: Pixels, depth: np.ndarray, uncertainty: np.ndarray | None) -> Measurement:
    """Every metric of pixels whose terms were summed already, in however many cells.

    :param name: name of the frame
    :param pixels: of the frame
    :param depth: ``metrics.depth_sums`` of them
    :param uncertainty: ``uncertainty.uncertainty_sums`` of them; None without sigma
    """
    metrics, curves = depth_means(depth.sum(axis=1)), {}
    if uncertainty is not None:
        p, s, g = pixels.prediction, pixels.sigma, pixels.truth
        metrics |= uncertainty_means(uncertainty.sum(axis=1))
        curves["coverage"] = pixel_coverage(p, s, g)
        for metric, (by_sigma, by_oracle) in pixel_curves(p, s, g).items():
            metrics[f"ause_{metric}"] = ause(by_sigma, by_oracle)
            metrics[f"aurg_{metric}"] = aurg(by_sigma)
            curves |= {f"{metric}_by_sigma": by_sigma, f"{metric}_by_oracle": by_oracle}
    return Measurement(FrameResult(name, pixels.truth.size, metrics), curves)


class CurveMeans:
    """Means over images of their curves."""

    def __init__(self) -> None:
        self._sums: dict[str, np.ndarray] = {}
        self._count = 0

    def add(self, curves: dict[str, np.ndarray], images: int = 1) -> None:
        """Take those of an image, or the means of several; every image has the same, or none."""
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

    def add(
        self,
        name: str,
        truth: np.ndarray,
        depth: np.ndarray,
        sigma: np.ndarray | None = None,
        focal_times_baseline: float | None = None,
    ) -> FrameResult | None:
        """Measure one frame; all maps ``(H, W)``.

        :param name: name of the frame
        :param truth: metres; 0, NaN or infinite where unknown
        :param depth: predicted metres
        :param sigma: its uncertainty in metres (half width of the 68.3 % interval); None for methods without.
            Either all frames have it or none
        :param focal_times_baseline: fx in pixels times baseline in metres, to measure disparity too
            (``disparity.disparity_metrics``), without cap; either for all frames or for none
        :return: the frame's metrics, or None if no pixel counts
        :raises ValueError: if sizes differ, a prediction that counts is not a positive number, or the frame
            has sigma or a baseline and others have not
        """
        measured = measure(self.protocol, name, truth, depth, sigma)
        if focal_times_baseline is not None and measured.frame.pixels:
            mask = self.protocol.inside(truth)
            measured.frame.metrics.update(disparity_metrics(depth, truth, mask, focal_times_baseline))
        frame = measured.frame
        if not frame.pixels:
            self._skipped.append(frame.name)
            return None
        if self._frames and frame.metrics.keys() != self._frames[0].metrics.keys():
            raise ValueError(f"frame {frame.name}: either all frames have sigma and a baseline or none")
        self._curves.add(measured.curves)
        self._frames.append(frame)
        return frame

    def summary(self) -> Summary:
        """Means over the images so far.

        :raises UserError: if no frame counted
        """
        if not self._frames:
            raise UserError(
                f"no ground truth counts in any of {len(self._skipped)} frames: {self.protocol.describe()}"
            )
        return _summary(self._frames, self._skipped, self._curves)


def combined(summaries: Sequence[Summary]) -> Summary:
    """All frames of several evaluations as one: every frame weighs the same, whichever it is from.

    :param summaries: one or more; metrics that not all of them have are in none of the means
    """
    curves = CurveMeans()
    for summary in summaries:
        curves.add(summary.curves, len(summary.frames))
    frames = [frame for summary in summaries for frame in summary.frames]
    return _summary(frames, [name for summary in summaries for name in summary.skipped], curves)


def _summary(frames: Sequence[FrameResult], skipped: Sequence[str], curves: CurveMeans) -> Summary:
    shared = [name for name in frames[0].metrics if all(name in frame.metrics for frame in frames)]
    metrics = {name: float(np.mean([frame.metrics[name] for frame in frames])) for name in shared}
    means = curves.means()
    if means:
        metrics["calibration_area"] = calibration_area(means["coverage"])
    return Summary(metrics, list(frames), list(skipped), means)
