"""Figure of one training view: input, ground truth, prediction and weight maps."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.model_card import ModelCard
from adu_depth_core.visualization import (
    SIGMA_SCALE,
    ColorScale,
    colorize_depth,
    colorize_sigma,
    depth_scale,
    labelled_panel,
)

ERROR_SCALE = ColorScale(1.0, 50.0, (1, 2, 5, 10, 20, 50), cv2.COLORMAP_MAGMA)
"""Relative error in per cent."""

WEIGHT_SCALE = ColorScale(0.1, 10.0, (0.1, 0.3, 1, 3, 10), cv2.COLORMAP_VIRIDIS)
"""A weight map has mean 1."""

COLUMNS = 2


def draw(maps: dict[str, np.ndarray], card: ModelCard) -> np.ndarray:
    """Panels of a training view, two in a row.

    :param maps: ``(H, W, 3)`` or ``(H, W, 1)``: ``image`` (normalised), ``truth`` (canonical metres, 0
        unknown), ``mu``, ``log_b``, with a teacher ``teacher_mu``, ``teacher_log_b``, ``response_weight``,
        ``feature_weight``
    :return: RGB uint8
    """
    flat = {name: values[..., 0] for name, values in maps.items() if name != "image"}
    image = np.clip((maps["image"] * card.std + card.mean) * 255.0, 0, 255).astype(np.uint8)
    depth, sigma = _depth_and_sigma(flat["mu"], flat["log_b"], card)
    truth = flat["truth"]
    known = (truth > 0) & np.isfinite(truth)
    error = 100.0 * np.abs(depth - truth) / np.where(known, truth, np.nan)
    panels = [
        labelled_panel(image, "image"),
        labelled_panel(colorize_depth(truth), "truth, canonical m", depth_scale()),
        labelled_panel(colorize_depth(depth), "depth, canonical m", depth_scale()),
        labelled_panel(colorize_sigma(sigma, depth), "sigma, % of depth", SIGMA_SCALE),
        labelled_panel(ERROR_SCALE.colors(error), "error, % of truth", ERROR_SCALE),
    ]
    if "teacher_mu" in flat:
        depth, sigma = _depth_and_sigma(flat["teacher_mu"], flat["teacher_log_b"], card)
        panels += [
            labelled_panel(colorize_depth(depth), "teacher depth, canonical m", depth_scale()),
            labelled_panel(colorize_sigma(sigma, depth), "teacher sigma, % of depth", SIGMA_SCALE),
        ]
    panels += [
        labelled_panel(WEIGHT_SCALE.colors(flat[name]), name.replace("_", " "), WEIGHT_SCALE)
        for name in ("response_weight", "feature_weight")
        if name in flat
    ]
    panels += [np.zeros_like(panels[0])] * (-len(panels) % COLUMNS)
    rows = [np.hstack(panels[first : first + COLUMNS]) for first in range(0, len(panels), COLUMNS)]
    return np.vstack(rows)


def _depth_and_sigma(mu: np.ndarray, log_b: np.ndarray, card: ModelCard) -> tuple[np.ndarray, np.ndarray]:
    depth = np.exp(mu)
    return depth, card.sigma_scale * np.exp(log_b) * depth
