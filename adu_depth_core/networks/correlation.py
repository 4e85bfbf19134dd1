"""Stereo matching inside a network: group-wise correlation volume, its aggregation, soft-argmin disparity.

Convention: views are rectified, and the right view shows the left view's pixel ``x`` at ``x - d`` with
disparity ``d >= 0``, here in pixels of the feature map unless stated otherwise.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def correlation_volume(
    left: torch.Tensor, right: torch.Tensor, disparities: int, groups: int
) -> torch.Tensor:
    """Group-wise correlation of both views for each whole disparity (GwcNet, Guo et al. 2019).

    Each group of channels is normalised to length 1 first, so that an entry is a cosine and does not depend
    on the brightness of a view.

    :param left: features ``(N, C, H, W)``; C is a multiple of ``groups``
    :param right: features of the right view, same shape
    :param disparities: number of disparities D, from 0 on
    :return: ``(N, groups, D, H, W)``; 0 where the match would lie outside the right view
    :raises ValueError: if the shapes differ or the channels cannot be grouped
    """
    if left.shape != right.shape:
        raise ValueError(f"views differ: {tuple(left.shape)} and {tuple(right.shape)}")
    if left.shape[1] % groups:
        raise ValueError(f"channels ({left.shape[1]}) must be a multiple of groups ({groups})")
    left, right = (F.normalize(view.unflatten(1, (groups, -1)), dim=2) for view in (left, right))
    slices = []
    for disparity in range(disparities):
        kept = max(left.shape[-1] - disparity, 0)
        cosine = (left[..., left.shape[-1] - kept :] * right[..., :kept]).sum(2)
        slices.append(F.pad(cosine, (left.shape[-1] - kept, 0)))
    return torch.stack(slices, dim=2)


def soft_argmin(scores: torch.Tensor, radius: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Sub-pixel disparity of the best match, and how much of the evidence agrees with it.

    The expectation is taken over ``radius`` disparities on each side of the best one only: over all of them
    (Kendall et al. 2017) two equally good matches would give a disparity between the two, where nothing is.

    :param scores: ``(N, D, H, W)``, higher is better
    :return: disparity and confidence (probability mass near the best match, 0 to 1), both ``(N, 1, H, W)``
    """
    probability = torch.softmax(scores, dim=1)
    best = probability.argmax(dim=1, keepdim=True)
    index = torch.arange(scores.shape[1], device=scores.device).view(1, -1, 1, 1)
    near = torch.where((index - best).abs() <= radius, probability, 0.0)
    confidence = near.sum(dim=1, keepdim=True)
    return (near * index).sum(dim=1, keepdim=True) / confidence, confidence


def local_correlation(
    left: torch.Tensor, right: torch.Tensor, disparity: torch.Tensor, radius: int = 3
) -> torch.Tensor:
    """Cosine of each left pixel with the right pixels around the one that ``disparity`` points to.

    :param left: features ``(N, C, H, W)``
    :param right: features of the right view, same shape
    :param disparity: ``(N, 1, H, W)`` pixels of these maps
    :param radius: pixels to each side
    :return: ``(N, 2 * radius + 1, H, W)``, for ``disparity - radius`` to ``disparity + radius``
    """
    height, width = left.shape[-2:]
    left, right = F.normalize(left, dim=1), F.normalize(right, dim=1)
    rows = torch.arange(height, device=left.device, dtype=left.dtype).view(1, height, 1)
    columns = torch.arange(width, device=left.device, dtype=left.dtype).view(1, 1, width) - disparity[:, 0]
    # grid_sample wants -1 and 1 at the outer edges of the first and last pixel.
    y = ((2.0 * rows + 1.0) / height - 1.0).expand_as(columns)
    cosines = []
    for offset in range(-radius, radius + 1):
        x = (2.0 * (columns - offset) + 1.0) / width - 1.0
        sampled = F.grid_sample(right, torch.stack([x, y], dim=-1), align_corners=False)
        cosines.append((left * sampled).sum(dim=1, keepdim=True))
    return torch.cat(cosines, dim=1)


class Aggregation(nn.Module):
    """Small 3-D hourglass that turns a correlation volume into matching scores.

    :param groups: channels of the volume
    :param channels: channels inside
    """

    def __init__(self, groups: int, channels: int = 12) -> None:
        super().__init__()
        self.enter = nn.Sequential(_convolution(groups, channels), _convolution(channels, channels))
        self.down = nn.Sequential(
            _convolution(channels, 2 * channels, stride=2), _convolution(2 * channels, 2 * channels)
        )
        self.up = _convolution(2 * channels, channels)
        self.score = nn.Conv3d(channels, 1, 3, padding=1)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """``(N, groups, D, H, W)`` to scores ``(N, D, H, W)``."""
        fine = self.enter(volume)
        coarse = F.interpolate(
            self.up(self.down(fine)), size=fine.shape[2:], mode="trilinear", align_corners=False
        )
        return self.score(F.relu(fine + coarse))[:, 0]


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm3d(outputs),
        nn.ReLU(),
    )
