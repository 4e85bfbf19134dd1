"""Result of the predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera


@dataclass(frozen=True)
class Prediction:
    """Depth and its uncertainty.

    :param depth: float32 ``(H, W)`` metres along z, within the model card's depth range
    :param sigma: float32 ``(H, W)`` metres: 68.3 % of pixels are expected within ``depth +- sigma``
    :param camera: intrinsics of these maps: the image's own, or scaled where they are at network size
    :param novelty: novelty of the image relative to the training data, about 1 for a familiar one,
        see ``inference.novelty``; None if the model does not provide it
    :param unfamiliar: the novelty is beyond the model card's threshold: depth and sigma may both be far off
    :param camera_doubt: warning that the model was not trained for this camera, see
        ``inference.trained_cameras``; empty if it was
    """

    depth: np.ndarray
    sigma: np.ndarray
    camera: Camera
    novelty: float | None = None
    unfamiliar: bool = False
    camera_doubt: str = ""
