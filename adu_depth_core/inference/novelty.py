"""Novelty of an input relative to the training data, and the resulting growth of the uncertainty."""

from __future__ import annotations

import numpy as np

from adu_depth_core.model_card import ModelCard

MOST = 10.0
"""Upper limit for the growth of sigma: beyond it depth is unknown anyway, far outside the range of the
fit."""


def novelty(fingerprint: np.ndarray) -> float:
    """About 1 for an input like the training data, larger for others (``networks.fingerprint``).

    :param fingerprint: float32 ``(1 + faults,)``
    """
    return float(fingerprint[0])


def is_unfamiliar(fingerprint: np.ndarray, card: ModelCard) -> bool:
    """True beyond the card's ``threshold`` of novelty, or beyond ``fault_threshold`` standard deviations in
    the direction of a known fault.

    :param fingerprint: float32 ``(1 + faults,)``
    :param card: with novelty entries
    """
    return bool(
        fingerprint[0] > card.novelty["threshold"] or fingerprint[1:].max() > card.novelty["fault_threshold"]
    )


def sigma_growth(value: float, card: ModelCard) -> float:
    """Factor of sigma: ``(max(novelty, reference) / reference) ** sigma_growth``, at most ``MOST`` (ours).

    1 up to the card's ``reference``, the novelty of frames of the training rig; beyond it a power of the
    distance, fitted on several rigs.

    :param value: the input's novelty
    :param card: with novelty entries
    """
    reference: float = card.novelty["reference"]
    growth: float = (max(value, reference) / reference) ** card.novelty["sigma_growth"]
    return min(growth, MOST)
