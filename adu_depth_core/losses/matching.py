"""Supervision of stereo matching."""

from __future__ import annotations

import torch

BLUR = 0.1
"""Share of the target that moves to each side."""


def matching_loss(scores: torch.Tensor, disparity: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Cross entropy of the matching scores with a narrow distribution around the true disparity.

    A distribution as target (AcfNet, Zhang et al. 2020) keeps the scores unimodal, which a soft-argmin alone
    does not. Ours is shared between the two whole disparities beside the true one, and blurred: unlike that
    of a sampled Laplace, its expectation is exactly the true disparity.

    :param scores: ``(N, D, H, W)``
    :param disparity: true disparity in pixels of this map, ``(N, 1, H, W)``
    :param valid: which pixels have one, bool, same shape; those outside 0 to D - 1 are left out
    :return: scalar; 0 if no pixel is valid
    """
    count = scores.shape[1]
    valid = valid & (disparity >= 0) & (disparity <= count - 1)
    index = torch.arange(count, device=scores.device, dtype=scores.dtype).view(1, -1, 1, 1)
    target = _target(index, torch.where(valid, disparity, 0.0))
    entropy = -(target * torch.log_softmax(scores, dim=1)).sum(dim=1, keepdim=True)
    return torch.where(valid, entropy, 0.0).sum() / valid.sum().clamp(min=1)


def _target(index: torch.Tensor, disparity: torch.Tensor) -> torch.Tensor:
    def hat(centre: torch.Tensor) -> torch.Tensor:
        return (1.0 - (index - centre).abs()).clamp(min=0.0)

    # At the ends of the range there is no room to blur to both sides.
    blur = torch.where((disparity < 1.0) | (disparity > index.amax() - 1.0), 0.0, BLUR)
    return (1.0 - 2.0 * blur) * hat(disparity) + blur * (hat(disparity - 1.0) + hat(disparity + 1.0))
