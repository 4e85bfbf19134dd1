"""Losses against ground-truth depth. All work on log depth and ignore pixels without ground truth."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def silog(
    error: torch.Tensor,
    valid: torch.Tensor,
    weight: torch.Tensor | None = None,
    variance_focus: float = 0.85,
) -> torch.Tensor:
    """Scale-invariant log loss of an image, ``10 * sqrt(mean(e^2) - variance_focus * mean(e)^2)``, averaged.

    Eigen et al. 2014 with the constants of BTS (Lee et al. 2019), who take it over the whole batch. Over each
    image it does not depend on what the image shares a process with. 0.001 where prediction and truth agree.

    :param error: ``mu - log g``, ``(N, ...)``
    :param valid: pixels that have ground truth, bool, same shape
    :param weight: how much each pixel counts, at least 0, same shape; None for all alike
    :return: scalar, the mean over images with valid pixels; 0 if no pixel is valid
    """
    weights = (valid if weight is None else torch.where(valid, weight, 0.0)).flatten(1).to(error.dtype)
    errors = torch.where(valid, error, 0.0).flatten(1)
    total = weights.sum(1)
    mean, square = ((weights * values).sum(1) / total.clamp(min=1e-6) for values in (errors, errors.square()))
    # The offset keeps the gradient of the square root finite at a perfect prediction.
    loss = 10.0 * torch.sqrt((square - variance_focus * mean.square()).clamp(min=0.0) + 1e-8)
    return torch.where(total > 0, loss, 0.0).sum() / (total > 0).sum().clamp(min=1)


def laplace_nll(
    error: torch.Tensor, log_b: torch.Tensor, valid: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Laplace negative log likelihood, ``|e| * exp(-log_b) + log_b``, mean over valid pixels.

    The constant ``log 2`` is left out; the minimum over ``log_b`` is at ``b = |e|``.

    :param error: ``mu - log g``, any shape
    :param log_b: log of the Laplace scale in log depth, same shape
    :param valid: pixels that have ground truth, bool, same shape
    :param weight: how much each pixel counts, at least 0, same shape; None for all alike
    :return: scalar; 0 if no pixel is valid
    """
    weights = (valid if weight is None else torch.where(valid, weight, 0.0)).to(error.dtype)
    likelihood = error.abs() * torch.exp(-log_b) + log_b
    return torch.where(valid, weights * likelihood, 0.0).sum() / weights.sum().clamp(min=1e-6)


def beyond_range(mu: torch.Tensor, log_far: float, beyond: torch.Tensor) -> torch.Tensor:
    """Mean shortfall ``max(log_far - mu, 0)`` over pixels known only to be beyond ``far`` (sky).

    :param mu: predicted log depth, any shape
    :param log_far: log of ``far``, the nearest depth that these pixels may have
    :param beyond: which pixels these are, bool, same shape as ``mu``
    :return: scalar; 0 if there are none
    """
    count = beyond.sum().clamp(min=1)
    return torch.where(beyond, F.relu(log_far - mu), 0.0).sum() / count
