"""Monocular student: one image and its camera to log canonical depth and its uncertainty."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.decoder import Decoder, FullResolutionHead
from adu_depth_core.networks.encoder import DEFAULT_ENCODER, Encoder
from adu_depth_core.networks.fingerprint import Fingerprint
from adu_depth_core.networks.rays import RayEncoding
from adu_depth_core.networks.weights import load_weights


class Student(nn.Module):
    """Encoder, rays, decoder and head.

    :param encoder: timm name of the encoder
    :param encoder_weights: source of the initial weights, see ``Encoder``
    """

    def __init__(self, encoder: str = DEFAULT_ENCODER, encoder_weights: str = "none") -> None:
        super().__init__()
        self.encoder = Encoder(encoder, encoder_weights)
        channels, strides = list(self.encoder.channels), self.encoder.strides
        self.fingerprint = Fingerprint(channels)
        self.rays = RayEncoding(channels, strides)
        # The finest level also sees the image's own pixels: edges finer than the encoder's stride exist only
        # there.
        channels[0] += 3 * strides[0] ** 2
        self.decoder = Decoder(channels)
        self.head = FullResolutionHead(self.decoder.channels[0], strides[0])

    def forward(
        self, image: torch.Tensor, camera: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """
        :param image: ``(N, 3, H, W)`` float, normalised RGB, H and W multiples of the coarsest stride
        :param camera: fx, fy, cx, cy in pixels of ``image``, ``(N, 4)`` float
        :return: ``mu`` (log canonical depth) and ``log_b`` (log Laplace scale in log depth), both
            ``(N, 1, H, W)``, and the input's fingerprint, ``(N, 1 + FAULT_DIRECTIONS)``
        """
        encoded = self.encoder(image)
        mu, log_b = self.head(self._decode(image, camera, encoded)[0])
        return mu, log_b, self.fingerprint(encoded)

    def features(self, image: torch.Tensor, camera: torch.Tensor) -> list[torch.Tensor]:
        """Decoder maps, finest first, ``(N, C_i, H / stride_i, W / stride_i)``; for distillation."""
        return self._decode(image, camera, self.encoder(image))

    def _decode(
        self, image: torch.Tensor, camera: torch.Tensor, encoded: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        features = self.rays(encoded, camera)
        pixels = F.pixel_unshuffle(image, self.encoder.strides[0])
        features[0] = torch.cat([features[0], pixels], dim=1)
        return self.decoder(features)


def load_student(weights: Path, card: ModelCard) -> Student:
    """The student of a safetensors file, FP32, in evaluation mode.

    :raises ValueError: if the file is damaged or is not a student with the card's encoder
    """
    return load_weights(Student(card.encoder), weights).eval()
