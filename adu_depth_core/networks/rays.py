"""Viewing direction of each pixel as a network input: depth from one image depends on pitch and field of
view."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

HIDDEN = 16
FINEST_STRIDE = 4
"""Finer levels are not told: it would cost most there, and the coarser ones have been."""

TYPICAL_LOG_FOCAL = 5.9
"""Log of about 365 px, a usual focal length at the network's input: keeps the third channel near 0."""


def ray_map(camera: torch.Tensor, height: int, width: int, stride: int) -> torch.Tensor:
    """Tangents of the viewing ray of each feature pixel, and the focal length.

    A pixel looks along ``(x, y, 1)`` in the optical frame (REP 103: x right, y down). The centre of feature
    pixel ``i`` is the input's pixel ``(i + 0.5) * stride - 0.5``.

    :param camera: fx, fy, cx, cy in pixels of the network's input, ``(N, 4)``
    :param height: rows of the feature map
    :param width: its columns
    :param stride: input pixels per feature pixel
    :return: ``(N, 3, height, width)``: x, y, and ``log(fx) - TYPICAL_LOG_FOCAL``
    """
    fx, fy, cx, cy = camera.view(-1, 4, 1, 1).unbind(1)
    columns = (torch.arange(width, device=camera.device, dtype=camera.dtype) + 0.5) * stride - 0.5
    rows = (torch.arange(height, device=camera.device, dtype=camera.dtype) + 0.5) * stride - 0.5
    x = (columns.view(1, 1, -1) - cx) / fx
    y = (rows.view(1, -1, 1) - cy) / fy
    focal = torch.log(fx) - TYPICAL_LOG_FOCAL
    blank = torch.zeros_like(x + y)
    return torch.stack([x + blank, y + blank, focal + blank], dim=1)


class RayEncoding(nn.Module):
    """Adds what the rays say to the features of an encoder; an untrained one changes nothing.

    :param channels: channels of the encoder's levels, finest first
    :param strides: their strides
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3, HIDDEN, 1), nn.ReLU6(), nn.Conv2d(HIDDEN, count, 1))
            for count, stride in zip(channels, strides, strict=True)
            if stride >= FINEST_STRIDE
        )
        for level in self.levels:
            nn.init.zeros_(level[-1].weight)
            nn.init.zeros_(level[-1].bias)

    def forward(self, features: Sequence[torch.Tensor], camera: torch.Tensor) -> list[torch.Tensor]:
        """
        :param features: ``(N, C_i, H / stride_i, W / stride_i)``, finest first
        :param camera: fx, fy, cx, cy in pixels of the network's input, ``(N, 4)``
        :return: features of the same shapes
        """
        told = list(features)
        first = len(told) - len(self.levels)
        for index, level in enumerate(self.levels, start=first):
            height, width = told[index].shape[-2:]
            rays = ray_map(camera, height, width, self.strides[index])
            told[index] = told[index] + level(rays)
        return told
