"""Monocular student: one image to log canonical depth and its uncertainty."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.decoder import Decoder, DepthHead
from adu_depth_core.networks.encoder import DEFAULT_ENCODER, Encoder
from adu_depth_core.networks.weights import load_weights


class Student(nn.Module):
    """Encoder, decoder and head.

    :param encoder: timm name of the encoder
    :param encoder_weights: where its initial weights come from, see ``Encoder``
    """

    def __init__(self, encoder: str = DEFAULT_ENCODER, encoder_weights: str = "none") -> None:
        super().__init__()
        self.encoder = Encoder(encoder, encoder_weights)
        self.decoder = Decoder(self.encoder.channels)
        self.head = DepthHead(self.decoder.channels[0], self.encoder.strides[0])

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``image`` ``(N, 3, H, W)`` float, normalised RGB, H and W multiples of the coarsest stride.

        :return: ``mu`` (log canonical depth) and ``log_b`` (log Laplace scale in log depth), ``(N, 1, H, W)``
        """
        return self.head(self.features(image)[0])

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Decoder maps, finest first, ``(N, C_i, H / stride_i, W / stride_i)``; for distillation."""
        return self.decoder(self.encoder(image))


def load_student(weights: Path, card: ModelCard) -> Student:
    """The student of a safetensors file, FP32, in evaluation mode.

    :raises ValueError: if the file is damaged or is not a student with the card's encoder
    """
    return load_weights(Student(card.encoder), weights).eval()
