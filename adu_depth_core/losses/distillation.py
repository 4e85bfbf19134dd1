"""Distillation from teacher to student: losses and weight maps as pure functions.

All maps are per pixel, ``(N, 1, H, W)`` or of any one shape, in log depth. Weights and everything of the
teacher are without gradient. The formulas are ours (docs/training.md): of the paper we had the abstract only.
"""

from __future__ import annotations

import torch

FOCAL_SIGNS = ("disagreement", "agreement", "none")
"""Pixels with a larger weight in response distillation: those where the networks disagree, agree, or
neither."""

HALF_TRUST = 0.1
"""Laplace scale in log depth, about 10 % of depth, at which a network is trusted half."""


def laplace_divergence(
    mu: torch.Tensor, log_b: torch.Tensor, teacher_mu: torch.Tensor, teacher_log_b: torch.Tensor
) -> torch.Tensor:
    """Kullback-Leibler divergence of the student's from the teacher's Laplace distribution, per pixel.

    ``log_b - log_bT + exp(log_bT - log_b) * exp(-|d| / bT) + |d| / b - 1`` with ``d = mu - muT``: the closed
    form of KL(teacher || student). Zero where both agree, positive elsewhere.

    :return: same shape as ``mu``
    """
    teacher_mu, teacher_log_b = teacher_mu.detach(), teacher_log_b.detach()
    distance = (mu - teacher_mu).abs()
    overlap = torch.exp(teacher_log_b - log_b - distance * torch.exp(-teacher_log_b))
    return log_b - teacher_log_b + overlap + distance * torch.exp(-log_b) - 1.0


def focal_weight(
    mu: torch.Tensor, teacher_mu: torch.Tensor, sign: str, alpha: float = 5.0, gamma: float = 1.0
) -> torch.Tensor:
    """Focal-depth-adapted weight ``(1 - exp(-alpha * r)) ** gamma``, ``r = |zT - z| / (zT + z)``, 0 to 1.

    With ``sign`` ``agreement`` it is ``exp(-alpha * r) ** gamma``: pixels that the student has nearly right
    count more. ``none`` is 1 everywhere.

    :raises ValueError: for an unknown sign
    """
    if sign not in FOCAL_SIGNS:
        raise ValueError(f"focal sign {sign!r} is unknown; choose from {', '.join(FOCAL_SIGNS)}")
    if sign == "none":
        return torch.ones_like(mu)
    # |zT - z| / (zT + z) of depths is tanh(|d| / 2) of their logarithms, without overflow.
    ratio = torch.tanh((mu - teacher_mu).detach().abs() / 2.0)
    likeness = torch.exp(-alpha * ratio)
    return (likeness if sign == "agreement" else 1.0 - likeness) ** gamma


def confidence(log_b: torch.Tensor) -> torch.Tensor:
    """Confidence of a network, ``1 / (1 + b / HALF_TRUST)``: 1 when certain, 0 when uncertain."""
    return 1.0 / (1.0 + torch.exp(log_b.detach()) / HALF_TRUST)


def doubt(log_b: torch.Tensor) -> torch.Tensor:
    """``1 - confidence``: where the student needs its teacher."""
    return 1.0 - confidence(log_b)


def normalised(weight: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The weight map scaled to mean 1 over the valid pixels, and 0 elsewhere; without gradient.

    So a weight moves attention between pixels but does not change how much the term counts.

    :param weight: at least 0
    :param valid: bool, same shape
    """
    weight = torch.where(valid, weight.detach(), 0.0)
    return weight * (valid.sum() / weight.sum().clamp(min=1e-12))


def weighted_mean(values: torch.Tensor, weight: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """``sum(weight * values) / number of valid pixels``; 0 without any."""
    return torch.where(valid, weight * values, 0.0).sum() / valid.sum().clamp(min=1)


def feature_distance(feature: torch.Tensor, teacher_feature: torch.Tensor) -> torch.Tensor:
    """``1 - cosine`` of the feature vectors of each pixel, ``(N, C, H, W)`` to ``(N, 1, H, W)``; 0 to 2."""
    cosine = torch.nn.functional.cosine_similarity(feature, teacher_feature.detach(), dim=1)
    return (1.0 - cosine).unsqueeze(1)
