"""Observation of a model on one frame of a drive: prediction and ground truth at sampled pixels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.novelty import sigma_growth
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.model_card import ModelCard

MOST_PIXELS = 3000
"""Pixels kept of a frame: neighbours tell the same, and long drives have many frames."""

NEAREST, FARTHEST = 1.0, 80.0
"""Metres between which truth counts."""

FEWEST_PIXELS = 20
"""A frame with fewer tells too little to weigh as much as the others."""


@dataclass(frozen=True)
class Observation:
    """Pixels of a frame with truth; arrays are ``(N,)`` float32 and belong together.

    :param seconds: time of the frame, rising within a drive
    :param drive: number of the drive
    :param depth: predicted, metres
    :param truth: metres
    :param slope: of each pixel's ray, ``(v - cy) / fy``
    :param across: place of each pixel between the left (0) and the right edge (1)
    :param relative_sigma: predicted sigma / depth without the growth by novelty; None if it cannot be judged
    :param novelty: of the image, or None
    :param doubt: standard deviation of an error in log truth that all pixels, and all frames of the camera,
        share
    """

    seconds: float
    drive: int
    depth: np.ndarray
    truth: np.ndarray
    slope: np.ndarray
    across: np.ndarray
    relative_sigma: np.ndarray | None
    novelty: float | None
    doubt: float = 0.0

    def part(self, chosen: np.ndarray, seconds: float) -> Observation:
        """Some pixels, by a mask, as a frame of its own."""
        arrays = {
            name: None if (values := getattr(self, name)) is None else values[chosen]
            for name in ("depth", "truth", "slope", "across", "relative_sigma")
        }
        return dataclasses.replace(self, seconds=seconds, **arrays)


def observe(
    prediction: Prediction, truth: np.ndarray, card: ModelCard, seconds: float, drive: int, seed: int
) -> Observation | None:
    """The observation of a prediction at the size of its image; None with fewer than ``FEWEST_PIXELS``.

    :param truth: metres ``(H, W)``; 0, NaN or infinite where unknown
    :param card: of the model, without a profile
    :param seed: of the choice of pixels
    """
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero((truth > NEAREST) & (truth < FARTHEST) & (prediction.depth > 0))
    if len(rows) < FEWEST_PIXELS:
        return None
    if len(rows) > MOST_PIXELS:
        chosen = np.random.default_rng(seed).choice(len(rows), MOST_PIXELS, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    depth, sigma = prediction.depth[rows, columns], prediction.sigma[rows, columns]
    relative = sigma / depth / np.float32(growth(prediction.novelty, card))
    across = columns.astype(np.float32) / max(1, prediction.camera.width - 1)
    slope = slope_of(rows, prediction.camera)
    values = (depth, truth[rows, columns].astype(np.float32), slope, across, relative)
    return Observation(seconds, drive, *values, prediction.novelty)


def slope_of(rows: np.ndarray, camera: Camera) -> np.ndarray:
    """Slope of the rays of rows, float32."""
    return ((rows - camera.cy) / camera.fy).astype(np.float32)


def growth(novelty: float | None, card: ModelCard) -> float:
    """Factor of sigma by an image's novelty; 1 where card or image have none."""
    return sigma_growth(novelty, card) if card.novelty and novelty is not None else 1.0
