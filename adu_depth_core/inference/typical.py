"""Typical outputs of a model on its training rig, so that the node can detect drift."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from adu_depth_core.inference.prediction import Prediction

STEP = 8
"""Stride in rows and columns: some thousand pixels of an image are sampled."""


def typical_values(prediction: Prediction, hidden: np.ndarray | None = None) -> tuple[float, float] | None:
    """Median depth in metres, and median sigma / depth; None without valid pixels.

    :param hidden: bool ``(H, W)``: pixels to exclude
    """
    depth, sigma = (values[::STEP, ::STEP] for values in (prediction.depth, prediction.sigma))
    if hidden is not None:
        seen = ~hidden[::STEP, ::STEP]
        depth, sigma = depth[seen], sigma[seen]
    if not depth.size:
        return None
    return float(np.median(depth)), float(np.median(sigma / depth))


def typical_entry(predictions: Iterable[Prediction]) -> dict[str, list[float]]:
    """The ``typical`` entry of a model card, from predictions of the training rig's frames."""
    values = np.array([typical_values(prediction) for prediction in predictions])
    low, high = values.min(axis=0), values.max(axis=0)
    return {
        name: [round(float(low[column]), 4), round(float(high[column]), 4)]
        for column, name in enumerate(("depth", "relative_sigma"))
    }
