"""Distillation of a frozen teacher, which sees the pair, into the student."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from adu_depth_core.losses.distillation import (
    confidence,
    doubt,
    feature_distance,
    focal_weight,
    laplace_divergence,
    normalised,
    weighted_mean,
)
from adu_depth_core.networks.attention import PooledSelfAttention
from adu_depth_core.training.config import DistillationConfig


@dataclass(frozen=True)
class Taught:
    """A teacher's predictions for a batch of views.

    :param mu: log canonical depth, ``(N, 1, H, W)``
    :param log_b: log Laplace scale in log depth, same shape
    :param valid: pixels with a prediction, bool, same shape
    :param features: its decoder maps, finest first; empty for cached predictions
    """

    mu: torch.Tensor
    log_b: torch.Tensor
    valid: torch.Tensor
    features: Sequence[torch.Tensor] = ()


class Adapter(nn.Sequential):
    """From the student's feature space to the teacher's: attention over pooled keys, then 1x1 convolution.

    :param channels: channels of both
    :param pool: keys and values are averaged over this many pixels in each direction
    :param attention: False leaves the convolution alone
    """

    def __init__(self, channels: int, pool: int, attention: bool) -> None:
        layers = [PooledSelfAttention(channels, heads=4, pool=pool)] if attention else []
        super().__init__(*layers, nn.Conv2d(channels, channels, 1))


class Distiller(nn.Module):
    """The distillation terms and the adapters they need; dropped after training.

    :param config: the terms and their weights
    :param channels: channels of the decoder's levels, finest first
    """

    def __init__(self, config: DistillationConfig, channels: Sequence[int]) -> None:
        super().__init__()
        self.config = config
        levels = len(channels)
        # Level i has stride 2^(i + 1): pooling by 2^(levels - 1 - i) leaves the coarsest level's size.
        self.adapters = nn.ModuleList(
            Adapter(count, 2 ** (levels - 1 - level), config.attention)
            for level, count in enumerate(channels)
            if config.feature
        )
        self.maps: dict[str, torch.Tensor] = {}

    def forward(
        self,
        mu: torch.Tensor,
        log_b: torch.Tensor,
        features: Sequence[torch.Tensor],
        teacher: Taught,
        progress: float,
    ) -> dict[str, torch.Tensor]:
        """The weighted terms, ``response`` and ``feature``, as far as they are switched on.

        :param mu: the student's log canonical depth, ``(N, 1, H, W)``
        :param log_b: its log scale, same shape
        :param features: its decoder maps, finest first
        :param teacher: the teacher's predictions for the same views
        :param progress: share of the run that is done, for the warm-up
        """
        ramp = min(progress / self.config.warmup, 1.0) if self.config.warmup else 1.0
        valid = teacher.valid
        trust = torch.ones_like(mu)
        if self.config.uncertainty:
            trust = confidence(teacher.log_b)
        losses = {}
        if self.config.response:
            focal = focal_weight(
                mu, teacher.mu, self.config.focal, self.config.focal_alpha, self.config.focal_gamma
            )
            weight = normalised(focal * trust, valid)
            divergence = laplace_divergence(mu, log_b, teacher.mu, teacher.log_b)
            losses["response"] = ramp * self.config.response * weighted_mean(divergence, weight, valid)
            self.maps["response_weight"] = weight
        if self.config.feature:
            need = trust * doubt(log_b) if self.config.uncertainty else trust
            levels = [
                self._level(adapter(own), wanted, need, valid)
                for adapter, own, wanted in zip(self.adapters, features, teacher.features, strict=True)
            ]
            losses["feature"] = ramp * self.config.feature * torch.stack(levels).mean()
            self.maps["feature_weight"] = normalised(need, valid)
        return losses

    @staticmethod
    def _level(
        adapted: torch.Tensor, wanted: torch.Tensor, need: torch.Tensor, valid: torch.Tensor
    ) -> torch.Tensor:
        size = adapted.shape[-2:]
        weight = F.interpolate(need, size=size, mode="bilinear", align_corners=False, antialias=False)
        known = valid[..., : size[0], : size[1]]
        return weighted_mean(feature_distance(adapted, wanted), normalised(weight, known), known)
