"""Self-attention over an image feature map, with pooled keys and values."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class PooledSelfAttention(nn.Module):
    """Each pixel looks at the whole map: queries at full, keys and values at pooled resolution.

    Residual, so an untrained block changes little. Pooling the keys (as in PVT's spatial reduction,
    Wang et al. 2021) makes the cost linear in the pixels.

    :param channels: channels of the map; a multiple of ``heads``
    :param heads: attention heads
    :param pool: keys and values are averaged over ``pool x pool`` pixels
    """

    def __init__(self, channels: int, heads: int = 4, pool: int = 1) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"channels ({channels}) must be a multiple of heads ({heads})")
        self.heads = heads
        self.pool = pool
        self.norm = nn.GroupNorm(1, channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key_value = nn.Conv2d(channels, 2 * channels, 1)
        self.project = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, feature: torch.Tensor) -> torch.Tensor:
        """``(N, C, H, W)`` to ``(N, C, H, W)``."""
        batch, channels, height, width = feature.shape
        normed = self.norm(feature)
        pooled = F.avg_pool2d(normed, self.pool, ceil_mode=True) if self.pool > 1 else normed
        query = self._tokens(self.query(normed))
        key, value = (self._tokens(t) for t in self.key_value(pooled).chunk(2, dim=1))
        mixed = F.scaled_dot_product_attention(query, key, value)
        mixed = mixed.transpose(2, 3).reshape(batch, channels, height, width)
        return feature + self.project(mixed)

    def _tokens(self, feature: torch.Tensor) -> torch.Tensor:
        """``(N, C, H, W)`` to ``(N, heads, H * W, C / heads)``."""
        batch, channels = feature.shape[:2]
        return feature.reshape(batch, self.heads, channels // self.heads, -1).transpose(2, 3)
