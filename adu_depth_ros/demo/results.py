"""The node's output, frame by frame and as figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from adu_depth_core.bags.messages import image_array, stamp_of
from adu_depth_core.bags.reader import BagMessage, BagReader
from adu_depth_core.bags.topics import LEFT_DEPTH, LEFT_IMAGE, LEFT_INFO
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.metrics import depth_metrics
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.uncertainty import uncertainty_metrics
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.demo.live import DEPTH, DIAGNOSTICS, SIGMA, LiveRun

PROTOCOL = Protocol(cap=80.0, crop="none")
ACCURACY = ("abs_rel", "rmse", "d1", "coverage_1sigma")


@dataclass(frozen=True)
class Result:
    """A frame for which the node published depth.

    :param image: RGB uint8 ``(H, W, 3)``
    :param depth: metres ``(H, W)``; NaN where sigma is too large, +inf beyond its range
    :param sigma: metres ``(H, W)``
    :param truth: exact depth in metres ``(H, W)``, +inf for sky; None if the bag has none
    :param latency_ms: from the image's stamp until depth was received
    :param whole: the model's prediction for this image before the node withheld uncertain pixels; None
        without ground truth to compare it with
    """

    image: np.ndarray
    depth: np.ndarray
    sigma: np.ndarray
    truth: np.ndarray | None
    latency_ms: float
    whole: Prediction | None = None


def read_results(run: LiveRun, predictor: Predictor) -> Iterator[Result]:
    """Match the node's topics with the bag that was played, by stamp.

    :param predictor: of the node's model
    :raises UserError: if the node published a stamp that no image had
    """
    with BagReader(run.source) as source, BagReader(run.recorded) as recorded:
        images, infos = _by_stamp(source, LEFT_IMAGE), _by_stamp(source, LEFT_INFO)
        truths = _by_stamp(source, LEFT_DEPTH) if LEFT_DEPTH in source.topics else {}
        sigmas = _by_stamp(recorded, SIGMA)
        for message in recorded.messages([DEPTH]):
            stamp = stamp_of(message.content)
            played = run.playback.bag_ns(stamp)
            if played not in images or stamp not in sigmas:
                raise UserError(f"{run.recorded}: depth stamped {stamp} has no image or sigma of that stamp")
            truth, image = truths.get(played), _rgb(images[played].content)
            whole = None
            if truth is not None and played in infos:
                camera = camera_from_info(infos[played].content, image.shape[1], image.shape[0])
                whole = predictor.predict(image, camera)
            yield Result(
                image=image,
                depth=image_array(message.content),
                sigma=image_array(sigmas[stamp].content),
                truth=None if truth is None else image_array(truth.content),
                latency_ms=(message.time_ns - stamp) / 1e6,
                whole=whole,
            )


def _by_stamp(bag: BagReader, topic: str) -> dict[int, BagMessage]:
    return {stamp_of(message.content): message for message in bag.messages([topic])}


def _rgb(message: Any) -> np.ndarray:
    image = image_array(message)
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=2)
    return image if message.encoding == "rgb8" else np.ascontiguousarray(image[..., ::-1])


class Judge:
    """Collects the figures of at least one frame."""

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._metrics: list[dict[str, float]] = []
        self._whole: list[dict[str, float]] = []
        self._answered_shares: list[float] = []

    def add(self, result: Result) -> None:
        """Count a frame, and its accuracy if it has ground truth."""
        self._latencies.append(result.latency_ms)
        if result.truth is None:
            return
        visible = PROTOCOL.mask(result.truth)
        sure = visible & ~np.isnan(result.depth)
        if visible.any():
            self._answered_shares.append(np.count_nonzero(sure) / np.count_nonzero(visible))
        if sure.any():
            self._metrics.append(_measured(result.depth, result.sigma, result.truth, sure))
        if visible.any() and result.whole is not None:
            whole = result.whole
            self._whole.append(_measured(whole.depth, whole.sigma, result.truth, visible))

    def figures(self, frames_played: int) -> dict[str, Any]:
        """Figures of the run; accuracy (the mean over frames) is None where there is no truth.

        Accuracy is of the pixels that were published, ``answered_share`` of all; that of all pixels,
        withheld ones too, is in ``all_pixels``.
        """
        frames = len(self._latencies)
        p50, p99 = np.percentile(self._latencies, [50, 99])
        return {
            "frames_in": frames_played,
            "frames_out": frames,
            "frames_dropped": frames_played - frames,
            "latency_p50_ms": p50,
            "latency_p99_ms": p99,
            **_means(self._metrics),
            "answered_share": _mean(self._answered_shares),
            "all_pixels": _means(self._whole),
            "protocol": PROTOCOL.describe() if self._metrics else None,
        }


def _measured(depth: np.ndarray, sigma: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    depth = PROTOCOL.clamp(depth)
    return depth_metrics(depth, truth, mask) | uncertainty_metrics(depth, sigma, truth, mask)


def _means(frames: list[dict[str, float]]) -> dict[str, float | None]:
    return {name: _mean([metrics[name] for metrics in frames]) for name in ACCURACY}


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def node_report(run: LiveRun) -> dict[str, str]:
    """The node's last status in /diagnostics: backend, model, counts."""
    values: dict[str, str] = {}
    with BagReader(run.recorded) as recorded:
        for message in recorded.messages([DIAGNOSTICS]):
            for status in message.content.status:
                values = {"message": status.message, **{v.key: v.value for v in status.values}}
    return values
