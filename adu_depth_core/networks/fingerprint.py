"""A short description of an input by the encoder's features, to tell whether it is like the training data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

COMPONENTS = 64


class Fingerprint(nn.Module):
    """Mean and spread of each feature channel over the image, whitened.

    Over the training data each component has mean 0 and variance 1, so that the mean of their squares is
    about 1 for a familiar input and larger for others: the squared Mahalanobis distance per dimension (Lee
    et al. 2018). Early levels notice noise and mosaics, late ones other scenes.

    :param channels: channels of the encoder's levels

    :ivar centre: mean of the statistics over the training data, ``(2 * sum(channels),)``
    :ivar whitening: their projection, ``(COMPONENTS, 2 * sum(channels))``; all 0 before it is fitted
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        count = 2 * sum(channels)
        self.register_buffer("centre", torch.zeros(count))
        self.register_buffer("whitening", torch.zeros(COMPONENTS, count))

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Features ``(N, C_i, H_i, W_i)`` to a fingerprint ``(N, COMPONENTS)``."""
        return (self.statistics(features) - self.centre) @ self.whitening.T

    @staticmethod
    def statistics(features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Mean and standard deviation of each channel, ``(N, 2 * sum(channels))``."""
        means = [feature.mean((2, 3)) for feature in features]
        spreads = [
            ((feature - mean[:, :, None, None]).square().mean((2, 3)) + 1e-6).sqrt()
            for feature, mean in zip(features, means, strict=True)
        ]
        return torch.cat(means + spreads, dim=1)

    def fit(self, statistics: torch.Tensor) -> None:
        """Take centre and whitening from the training data.

        :param statistics: as ``statistics`` gives them, of many views, ``(V, 2 * sum(channels))``
        :raises ValueError: if there are too few views to fit ``COMPONENTS`` components on
        """
        if len(statistics) <= 2 * COMPONENTS:
            raise ValueError(f"{len(statistics)} views are too few to fit {COMPONENTS} components on")
        values = statistics.double()
        centre, scale = values.mean(0), values.std(0).clamp(min=1e-6)
        # Channels differ in scale by orders of magnitude: correlations, not covariances, are decomposed.
        _, spread, axes = torch.linalg.svd((values - centre) / scale, full_matrices=False)
        deviation = spread[:COMPONENTS] / (len(values) - 1) ** 0.5
        whitening = axes[:COMPONENTS] / deviation[:, None] / scale
        self.centre.copy_(centre)
        self.whitening.copy_(whitening)
