"""A short description of an input by the encoder's features, to tell whether it is like the training data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

COMPONENTS = 64
"""Directions in which training images differ among themselves; novelty is what lies outside them."""

FAULT_DIRECTIONS = 8
"""Known faults of cameras and drivers that have a direction of their own."""

SHRINKAGE = 0.3
"""Added to the variances when fault directions are fitted: images are fewer than statistics."""


class Fingerprint(nn.Module):
    """Novelty of an input, and how far it lies in the direction of each known fault.

    Mean and spread of every feature channel over the image describe it. Training images differ from each
    other mostly within ``COMPONENTS`` directions; the novelty is the squared distance from that subspace
    relative to the training data's, about 1 for familiar images. It tells other rigs from KITTI's, where the
    Mahalanobis distance within the subspace did not. Faults that move the statistics little, such as swapped
    channels, are found along linear discriminants (Fisher 1936) fitted to training images with and without
    the fault.

    :param channels: channels of the encoder's levels

    :ivar centre: mean of the statistics over the training data, ``(2 * sum(channels),)``
    :ivar scale: their inverse standard deviation, same shape
    :ivar axes: orthonormal basis of the subspace, ``(COMPONENTS, 2 * sum(channels))``
    :ivar faults: discriminants of unit variance over the training data, ``(FAULT_DIRECTIONS, ...)``
    :ivar unit: squared distance of the training data from the subspace, scalar
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        count = 2 * sum(channels)
        self.register_buffer("centre", torch.zeros(count))
        self.register_buffer("scale", torch.zeros(count))
        self.register_buffer("axes", torch.zeros(COMPONENTS, count))
        self.register_buffer("faults", torch.zeros(FAULT_DIRECTIONS, count))
        self.register_buffer("unit", torch.ones(()))

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Features ``(N, C_i, H_i, W_i)`` to ``(N, 1 + FAULT_DIRECTIONS)``: novelty, then standard deviations
        along each fault.
        """
        centred = (self.statistics(features) - self.centre) * self.scale
        inside = centred @ self.axes.T @ self.axes
        novelty = (centred - inside).square().sum(1, keepdim=True) / self.unit
        return torch.cat([novelty, centred @ self.faults.T], dim=1)

    @staticmethod
    def statistics(features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Mean and standard deviation of each channel, ``(N, 2 * sum(channels))``."""
        means = [feature.mean((2, 3)) for feature in features]
        spreads = [
            ((feature - mean[:, :, None, None]).square().mean((2, 3)) + 1e-6).sqrt()
            for feature, mean in zip(features, means, strict=True)
        ]
        return torch.cat(means + spreads, dim=1)

    def fit(self, familiar: torch.Tensor, sound: torch.Tensor, faulty: Sequence[torch.Tensor]) -> None:
        """Take everything from the training data.

        :param familiar: statistics of many training images, ``(V, 2 * sum(channels))``
        :param sound: statistics of some, ``(M, ...)``
        :param faulty: of the same images with each of ``FAULT_DIRECTIONS`` faults
        :raises ValueError: if there are too few images to fit ``COMPONENTS`` directions on, or another number
            of faults
        """
        if len(familiar) <= 2 * COMPONENTS:
            raise ValueError(f"{len(familiar)} images are too few to fit {COMPONENTS} directions on")
        if len(faulty) != FAULT_DIRECTIONS:
            raise ValueError(f"{len(faulty)} faults instead of {FAULT_DIRECTIONS}")
        values = familiar.double()
        centre, scale = values.mean(0), 1.0 / values.std(0).clamp(min=1e-6)
        # Channels differ in scale by orders of magnitude: correlations, not covariances, are decomposed.
        centred = (values - centre) * scale
        axes = torch.linalg.svd(centred, full_matrices=False).Vh[:COMPONENTS]
        within = centred.T @ centred / len(centred) + SHRINKAGE * torch.eye(len(centre), dtype=torch.float64)
        moved = torch.stack([((fault - sound).double() * scale).mean(0) for fault in faulty])
        directions = torch.linalg.solve(within, moved.T)
        directions = directions / (centred @ directions).std(0)
        self.centre.copy_(centre)
        self.scale.copy_(scale)
        self.axes.copy_(axes)
        self.faults.copy_(directions.T)
        self.unit.copy_((centred - centred @ axes.T @ axes).square().sum(1).mean())
