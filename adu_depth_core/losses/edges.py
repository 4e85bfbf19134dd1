"""Edges and obstacles, which the road's many pixels would outweigh. Pure functions on dense depth."""

from __future__ import annotations

import torch
from torch.nn import functional as F

SCALES = (1, 2, 4, 8)
LEVEL = 0.8
"""Cosine of a surface's normal with the image's vertical from which it is ground: up to 37 degrees off."""


def gradient_matching(error: torch.Tensor, valid: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Differences of the error between neighbours at several scales: 0 where all edges are in their places.

    MegaDepth (Li and Snavely 2018) and MiDaS (Ranftl et al. 2020): a depth that is off by a factor costs
    nothing here, one that is smooth across an edge does.

    :param error: ``mu - log g``, ``(N, 1, H, W)``
    :param valid: pixels of dense truth, bool, same shape
    :param weight: how much each pixel counts, at least 0, same shape
    :return: scalar, the sum over scales of mean absolute differences; 0 without valid pixels
    """
    total = error.new_zeros(())
    error = torch.where(valid, error, 0.0)
    weight = torch.where(valid, weight, 0.0)
    for scale in SCALES:
        values, weights = error[..., ::scale, ::scale], weight[..., ::scale, ::scale]
        for axis in (-1, -2):
            size = values.shape[axis] - 1
            here, there = values.narrow(axis, 0, size), values.narrow(axis, 1, size)
            both = torch.minimum(weights.narrow(axis, 0, size), weights.narrow(axis, 1, size))
            total = total + (both * (there - here).abs()).sum() / both.sum().clamp(min=1e-6)
    return total


def standing(depth: torch.Tensor, valid: torch.Tensor, rays: torch.Tensor) -> torch.Tensor:
    """Pixels whose surface is not level: cars, people, poles, walls, but neither road nor lawn.

    :param depth: dense depth along z, any unit, ``(N, 1, H, W)``
    :param valid: pixels where it is known, bool, same shape
    :param rays: viewing rays with z = 1, ``(N, 2, H, W)`` as x and y
    :return: bool, same shape as ``depth``; False where a neighbour is not known
    """
    # Every other pixel: surfaces are larger, and this takes a quarter of the time.
    known, z = valid[..., ::2, ::2], torch.where(valid, depth, 0.0)[..., ::2, ::2]
    x, y = (rays[..., ::2, ::2] * z).chunk(2, dim=1)
    (ax, ay, az), (bx, by, bz) = (
        [
            axis.narrow(side, 2, axis.shape[side] - 2) - axis.narrow(side, 0, axis.shape[side] - 2)
            for axis in (x, y, z)
        ]
        for side in (-1, -2)
    )
    ax, ay, az = (axis[..., 1:-1, :] for axis in (ax, ay, az))
    bx, by, bz = (axis[..., :, 1:-1] for axis in (bx, by, bz))
    across, up, along = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    upright = up.square() < LEVEL**2 * (across.square() + up.square() + along.square())
    surrounded = F.max_pool2d((~known).float(), 3, stride=1) == 0
    coarse = F.pad((upright & surrounded).float(), (1, 1, 1, 1))
    return F.interpolate(coarse, size=depth.shape[-2:], mode="nearest") > 0
