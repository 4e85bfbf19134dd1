"""How unlike the training data an input is, and what follows for the uncertainty of the answer."""

from __future__ import annotations

import numpy as np

from adu_depth_core.model_card import ModelCard


def novelty(fingerprint: np.ndarray) -> float:
    """Mean square of a fingerprint: about 1 for an input like the training data, larger for others.

    The squared Mahalanobis distance per dimension, as the fingerprint is whitened (``networks.fingerprint``).

    :param fingerprint: float32 ``(components,)``
    """
    return float(np.mean(np.square(fingerprint, dtype=np.float64)))


def sigma_growth(value: float, card: ModelCard) -> float:
    """Factor of sigma: ``(max(novelty, reference) / reference) ** sigma_growth``; the formula is ours.

    1 up to the card's ``reference``, the novelty of the frames that ``sigma_scale`` was fitted on; beyond
    it a power of the distance, fitted on rigs that were not trained on.

    :param value: the input's novelty
    :param card: with novelty entries
    """
    reference = card.novelty["reference"]
    return (max(value, reference) / reference) ** card.novelty["sigma_growth"]
