"""Images of the few frames with the largest errors, collected in one pass."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.images import downscale
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.replay.evaluation_result import FrameRecord, WorstFrame
from adu_depth_core.visualization import SIGMA_SCALE, colorize_depth, colorize_sigma

WIDTH = 480
"""Pixels; larger pictures are reduced to it."""

APART_NS = 1_000_000_000
"""Frames nearer in time show the same thing: only the worst of them is kept."""

SPARSE_SHARE = 0.3
"""Ground truth on a smaller share of the pixels is drawn as dots of several pixels."""


class WorstFrames:
    """Keeps the frames with the highest values.

    :param count: number of frames
    """

    def __init__(self, count: int = 6) -> None:
        self._count = count
        self._kept: list[tuple[float, FrameRecord, tuple]] = []

    def add(
        self,
        value: float,
        record: FrameRecord,
        image: np.ndarray,
        prediction: Prediction,
        truth: np.ndarray | None,
    ) -> None:
        """Take a frame if its value is among the highest; larger is worse."""
        near = [entry for entry in self._kept if abs(entry[1].stamp_ns - record.stamp_ns) < APART_NS]
        rivals = near or (self._kept if len(self._kept) >= self._count else [])
        if any(near) and value <= max(entry[0] for entry in near):
            return
        if not near and rivals and value <= min(entry[0] for entry in rivals):
            return
        self._kept = [entry for entry in self._kept if all(entry is not other for other in near)]
        self._kept.append((value, record, _reduced(image, prediction, truth)))
        self._kept.sort(key=lambda entry: -entry[0])
        del self._kept[self._count :]

    def worst_first(self) -> tuple[WorstFrame, ...]:
        """The frames that were kept."""
        return tuple(_painted(record, *maps) for _, record, maps in self._kept)


def _reduced(
    image: np.ndarray, prediction: Prediction, truth: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Image, depth, error in per cent of the truth (0 where there is none) and sigma, ``WIDTH`` at most."""
    height, width = image.shape[:2]
    size = min(width, WIDTH), round(height * min(width, WIDTH) / width)
    depth, sigma = (
        cv2.resize(values, size, interpolation=cv2.INTER_NEAREST)
        for values in (prediction.depth, prediction.sigma)
    )
    error = None if truth is None else _relative_error(prediction.depth, truth, size)
    return downscale(image, *size), depth, error, sigma


def _relative_error(depth: np.ndarray, truth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    known = np.flatnonzero((truth > 0) & (truth < np.inf))
    error, g = np.zeros(truth.shape, np.float32), np.take(truth, known)
    np.put(error, known, 100 * np.abs(np.take(depth, known) - g) / g)
    if known.size < SPARSE_SHARE * truth.size:
        error = cv2.dilate(error, np.ones((7, 5), np.uint8))  # beams are farther apart than their steps
    return cv2.resize(error, size, interpolation=cv2.INTER_NEAREST)


def _painted(
    record: FrameRecord, image: np.ndarray, depth: np.ndarray, error: np.ndarray | None, sigma: np.ndarray
) -> WorstFrame:
    # The error has the colours of sigma / depth, so that the two can be compared.
    error_picture = None if error is None else SIGMA_SCALE.colors(error)
    return WorstFrame(record, image, colorize_depth(depth), error_picture, colorize_sigma(sigma, depth))
