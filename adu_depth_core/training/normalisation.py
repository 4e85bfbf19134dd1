"""Normalisation of images on the training device: bytes are transferred, not floats."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch

from adu_depth_core.model_card import ModelCard


def normalised(images: torch.Tensor, card: ModelCard) -> torch.Tensor:
    """Normalised RGB, float32 of the same shape.

    :param images: RGB uint8 ``(..., 3, H, W)``
    :param card: has the mean and standard deviation of each channel
    """
    mean, deviation = (_of_channels(tuple(values), images.device) for values in (card.mean, card.std))
    return (images.float() / 255.0 - mean) / deviation


@functools.cache
def _of_channels(values: Sequence[float], device: torch.device) -> torch.Tensor:
    # Cached: a transfer at each step would make the CPU wait for the GPU.
    return torch.tensor(values, dtype=torch.float32, device=device).view(3, 1, 1)
