"""Decoder: from a feature pyramid to log depth and its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from adu_depth_core.networks.attention import PooledSelfAttention

DEFAULT_CHANNELS = (24, 40, 64, 112, 160)

SMALLEST_LOG_B = -5.0
"""Scales under exp(-5), 0.7 % of depth, are finer than any ground truth and let single pixels rule the
likelihood."""


def bounded_log_b(raw: torch.Tensor) -> torch.Tensor:
    """``raw``, smoothly kept above ``SMALLEST_LOG_B``: the gradient fades there and never ends.

    The network does it rather than the losses, so that inference publishes what was trained.
    """
    return SMALLEST_LOG_B + F.softplus(raw - SMALLEST_LOG_B, beta=4.0)


class ConvBlock(nn.Sequential):
    """3x3 convolution, batch norm, ReLU6 (bounded activations quantise well)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU6()
        )


class UpBlock(nn.Module):
    """Double the resolution of the coarse map and fuse it with the encoder's map of that size."""

    def __init__(self, coarse: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.reduce = ConvBlock(coarse, outputs)
        self.fuse = ConvBlock(outputs + skip, outputs)

    def forward(self, coarse: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        up = F.interpolate(self.reduce(coarse), scale_factor=2.0, mode="nearest")
        return self.fuse(torch.cat([up, skip], dim=1))


class Decoder(nn.Module):
    """U-shaped decoder with global attention at the coarsest level.

    :param encoder_channels: channels of the encoder's levels, finest first; each level has twice the
        stride of the one before
    :param channels: channels of the decoder's levels at the same strides, finest first; None for the default:
        narrower at finer levels, counted from the coarsest, as some encoders begin at stride 4

    :ivar channels: as given; the shapes that distillation compares
    """

    def __init__(self, encoder_channels: Sequence[int], channels: Sequence[int] | None = None) -> None:
        super().__init__()
        if channels is None:
            channels = DEFAULT_CHANNELS[-len(encoder_channels) :]
        if len(encoder_channels) != len(channels):
            raise ValueError(f"{len(encoder_channels)} encoder levels but {len(channels)} decoder levels")
        self.channels = tuple(channels)
        self.bottleneck = nn.Sequential(
            nn.Conv2d(encoder_channels[-1], channels[-1], 1, bias=False),
            nn.BatchNorm2d(channels[-1]),
            nn.ReLU6(),
            PooledSelfAttention(channels[-1]),
        )
        self.up = nn.ModuleList(
            UpBlock(channels[level + 1], encoder_channels[level], channels[level])
            for level in range(len(channels) - 1)
        )

    def forward(self, features: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Decoder maps, finest first, each of its encoder level's resolution."""
        maps = [self.bottleneck(features[-1])]
        for level in reversed(range(len(self.up))):
            maps.insert(0, self.up[level](maps[0], features[level]))
        return maps


class DepthHead(nn.Module):
    """Log canonical depth and log Laplace scale from the decoder's finest map, at its resolution.

    :param channels: channels of that map
    :param initial_depth: canonical depth in metres that an untrained head gives
    """

    def __init__(self, channels: int, initial_depth: float = 15.0) -> None:
        super().__init__()
        self.predict = nn.Conv2d(channels, 2, 3, padding=1)
        nn.init.normal_(self.predict.weight, std=1e-3)
        with torch.no_grad():
            self.predict.bias.copy_(torch.tensor([initial_depth, 0.1]).log())


class FullResolutionHead(nn.Module):
    """``mu`` and ``log_b`` of every input pixel from the decoder's finest map.

    Each pixel of the map gives a block of ``stride x stride`` pixels of its own (sub-pixel convolution, Shi
    et al. 2016): edges fall between input pixels, where interpolation would blur them.

    :param channels: channels of that map
    :param stride: its stride
    :param initial_depth: canonical depth in metres that an untrained head gives
    """

    def __init__(self, channels: int, stride: int, initial_depth: float = 15.0) -> None:
        super().__init__()
        self.stride = stride
        block = stride * stride
        self.predict = nn.Conv2d(channels, 2 * block, 3, padding=1)
        with torch.no_grad():
            # All pixels of a block start equal, to avoid checkerboard artefacts (ICNR, Aitken et al. 2017).
            self.predict.weight.normal_(std=1e-3)
            self.predict.weight.copy_(self.predict.weight[::block].repeat_interleave(block, dim=0))
            self.predict.bias.copy_(torch.tensor([initial_depth, 0.1]).log().repeat_interleave(block))

    def forward(self, feature: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(N, C, H / stride, W / stride)`` to two maps ``(N, 1, H, W)``; FP32 under autocast too, where
        bfloat16 would leave 1 % of depth between neighbouring values.
        """
        with torch.autocast(feature.device.type, enabled=False):
            maps = F.pixel_shuffle(self.predict(feature.float()), self.stride)
        return maps[:, 0:1], bounded_log_b(maps[:, 1:2])
