"""Pictures of the frames with the largest errors, a few of them, while all frames pass by."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.bags.evaluation_result import FrameRecord, WorstFrame
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.visualization import SIGMA_SCALE, colorize_depth, colorize_sigma

WIDTH = 480
"""Pixels; larger pictures are reduced to it."""

APART_NS = 1_000_000_000
"""Frames nearer in time show the same thing: only the worst of them is kept."""

SPARSE_SHARE = 0.3
"""Ground truth on a smaller share of the pixels is drawn as dots of several pixels."""


class WorstFrames:
    """Keeps the frames with the highest values.

    :param count: how many
    """

    def __init__(self, count: int = 6) -> None:
        self._count = count
        self._kept: list[tuple[float, WorstFrame]] = []

    def add(
        self,
        value: float,
        record: FrameRecord,
        image: np.ndarray,
        prediction: Prediction,
        truth: np.ndarray | None,
    ) -> None:
        """Take a frame if its value is among the highest; larger is worse."""
        near = [entry for entry in self._kept if abs(entry[1].record.stamp_ns - record.stamp_ns) < APART_NS]
        rivals = near or (self._kept if len(self._kept) >= self._count else [])
        if any(near) and value <= max(entry[0] for entry in near):
            return
        if not near and rivals and value <= min(entry[0] for entry in rivals):
            return
        self._kept = [entry for entry in self._kept if all(entry is not other for other in near)]
        self._kept.append((value, _pictures(record, image, prediction, truth)))
        self._kept.sort(key=lambda entry: -entry[0])
        del self._kept[self._count :]

    def worst_first(self) -> tuple[WorstFrame, ...]:
        """The frames that were kept."""
        return tuple(frame for _, frame in self._kept)


def _pictures(
    record: FrameRecord, image: np.ndarray, prediction: Prediction, truth: np.ndarray | None
) -> WorstFrame:
    height, width = image.shape[:2]
    width, height = min(width, WIDTH), round(height * min(width, WIDTH) / width)
    depth, sigma = (
        cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST)
        for values in (prediction.depth, prediction.sigma)
    )
    return WorstFrame(
        record,
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA),
        colorize_depth(depth),
        None if truth is None else _error_picture(prediction.depth, truth, (width, height)),
        colorize_sigma(sigma, depth),
    )


def _error_picture(depth: np.ndarray, truth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """|depth - truth| / truth in the colours of sigma / depth, so that the two can be compared."""
    known = (truth > 0) & np.isfinite(truth)
    error = np.where(known, 100 * np.abs(depth - truth) / np.where(known, truth, 1.0), 0.0).astype(np.float32)
    if known.mean() < SPARSE_SHARE:
        error = cv2.dilate(error, np.ones((5, 5), np.uint8))
    return SIGMA_SCALE.colors(cv2.resize(error, size, interpolation=cv2.INTER_NEAREST))
