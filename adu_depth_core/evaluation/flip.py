"""Flip test-time augmentation: the prediction averaged with that of the mirrored image."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction


class ImagePredictor(Protocol):
    """Depth of one image: a ``Predictor``, or a ``CheckpointPredictor`` of a monocular network."""

    def predict(self, image: np.ndarray, camera: Camera, /) -> Prediction: ...


def predict_with_flip(predictor: ImagePredictor, image: np.ndarray, camera: Camera) -> Prediction:
    """Average of the network's two outputs, log depth and log scale, over an image and its mirror image.

    Both are metric through the same focal, so averaging logs is the geometric mean of depth and of sigma.

    :param image: RGB uint8 ``(H, W, 3)``
    :param camera: intrinsics of the image
    :return: what it says besides is of the image as it is
    """
    straight = predictor.predict(image, camera)
    mirrored = predictor.predict(np.ascontiguousarray(image[:, ::-1]), camera.flip_horizontal())
    return dataclasses.replace(
        straight,
        depth=np.sqrt(straight.depth * mirrored.depth[:, ::-1]),
        sigma=np.sqrt(straight.sigma * mirrored.sigma[:, ::-1]),
    )
