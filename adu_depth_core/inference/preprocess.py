"""Conversion of a camera image to the network's input."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.images import downscale
from adu_depth_core.inference.backends.base import NetworkInput
from adu_depth_core.inference.placement import Placement
from adu_depth_core.model_card import ModelCard

CHANNELS = {
    "rgb": (0, 1, 2),
    "bgr": (2, 1, 0),
    "rgba": (0, 1, 2),
    "bgra": (2, 1, 0),
    "mono": (0, 0, 0),
}
"""Channel orders, and the positions of red, green and blue in each. Alpha is ignored."""


class Preprocessor:
    """Resizes, pads and normalises images into one buffer that is reused for every frame.

    :param card: model card with ``mean`` and ``std``
    :param network_size: ``(height, width)`` of the network's input
    """

    def __init__(self, card: ModelCard, network_size: tuple[int, int]) -> None:
        self._tensor = np.empty((1, 3, *network_size), np.float32)
        mean, std = np.asarray(card.mean, np.float64), np.asarray(card.std, np.float64)
        # (x / 255 - mean) / std as one multiplication and one addition per pixel
        self._gain = (1.0 / (255.0 * std)).astype(np.float32)
        self._offset = (-mean / std).astype(np.float32)

    def __call__(self, image: np.ndarray, placement: Placement, channels: str = "rgb") -> NetworkInput:
        """
        :param image: uint8 ``(H, W, C)`` of the placement's camera; mono also ``(H, W)``
        :param placement: position of the image on the input
        :param channels: key of ``CHANNELS``
        :return: the image, ``(1, 3, height, width)``, and its camera; valid until the next call
        :raises ValueError: if the image's type, size or channels are not as declared
        """
        check_image(image, placement.camera.size, channels)
        resized = downscale(image, placement.width, placement.height)
        planes = cv2.split(resized)
        content = placement.cut(self._tensor[0])
        for color, source in enumerate(CHANNELS[channels]):
            np.multiply(planes[source], self._gain[color], out=content[color], dtype=np.float32)
            content[color] += self._offset[color]
        _repeat_edges(self._tensor[0], placement)
        return NetworkInput(self._tensor, placement.camera_input)


def check_image(image: np.ndarray, size: tuple[int, int], channels: str) -> None:
    """:raises ValueError: unless ``image`` is uint8 of ``size`` ``(height, width)`` with these channels"""
    if channels not in CHANNELS:
        raise ValueError(f"channels is {channels!r}: must be one of {', '.join(CHANNELS)}")
    count = 1 if channels == "mono" else len(channels)
    shapes = [(*size, count)] + ([size] if count == 1 else [])
    if image.dtype != np.uint8 or image.shape not in shapes:
        raise ValueError(
            f"image is {image.dtype} {image.shape}: for this camera and channels={channels!r} "
            f"it must be uint8 {' or '.join(map(str, shapes))}"
        )


def _repeat_edges(tensor: np.ndarray, placement: Placement) -> None:
    """Fill the border of ``(3, rows, columns)`` around the placed image by replicating its edge."""
    left, top = placement.left, placement.top
    right, bottom = left + placement.width, top + placement.height
    rows = tensor[:, top:bottom]
    rows[:, :, :left] = rows[:, :, left : left + 1]
    rows[:, :, right:] = rows[:, :, right - 1 : right]
    tensor[:, :top] = tensor[:, top : top + 1]
    tensor[:, bottom:] = tensor[:, bottom - 1 : bottom]
