"""Losses against ground-truth depth. All work on log depth and ignore pixels without ground truth."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def silog(error: torch.Tensor, valid: torch.Tensor, variance_focus: float = 0.85) -> torch.Tensor:
    """Scale-invariant log loss of an image, ``10 * sqrt(mean(e^2) - variance_focus * mean(e)^2)``, averaged.

    Eigen et al. 2014 with the constants of BTS (Lee et al. 2019), who take it over the whole batch. Over each
    image it does not depend on what the image shares a process with. 1e-3 where prediction and truth agree.

    :param error: ``mu - log g``, ``(N, ...)``
    :param valid: which pixels have ground truth, bool, same shape
    :return: scalar, the mean over images with valid pixels; 0 if no pixel is valid
    """
    errors = torch.where(valid, error, 0.0).flatten(1)
    count = valid.flatten(1).sum(1)
    mean, square = (values.sum(1) / count.clamp(min=1) for values in (errors, errors.square()))
    # The offset keeps the gradient of the square root finite at a perfect prediction.
    loss = 10.0 * torch.sqrt(square - variance_focus * mean.square() + 1e-8)
    return torch.where(count > 0, loss, 0.0).sum() / (count > 0).sum().clamp(min=1)


def laplace_nll(error: torch.Tensor, log_b: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Laplace negative log likelihood, ``|e| * exp(-log_b) + log_b``, mean over valid pixels.

    The constant ``log 2`` is left out; the minimum over ``log_b`` is at ``b = |e|``.

    :param error: ``mu - log g``, any shape
    :param log_b: log of the Laplace scale in log depth, same shape
    :param valid: which pixels have ground truth, bool, same shape
    :return: scalar; 0 if no pixel is valid
    """
    count = valid.sum().clamp(min=1)
    # Below exp(-5), under 1 % of depth, smaller scales only let single pixels dominate the gradient.
    log_b = log_b.clamp(min=-5.0)
    likelihood = error.abs() * torch.exp(-log_b) + log_b
    return torch.where(valid, likelihood, 0.0).sum() / count


def beyond_range(mu: torch.Tensor, log_far: torch.Tensor, beyond: torch.Tensor) -> torch.Tensor:
    """Mean shortfall ``max(log_far - mu, 0)`` over pixels known only to be beyond ``far`` (sky).

    :param mu: predicted log depth, any shape
    :param log_far: log of the nearest depth such a pixel may have, broadcastable to ``mu``
    :param beyond: which pixels these are, bool, same shape as ``mu``
    :return: scalar; 0 if there are none
    """
    count = beyond.sum().clamp(min=1)
    return torch.where(beyond, F.relu(log_far - mu), 0.0).sum() / count
