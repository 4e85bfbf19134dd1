"""Metrics by class (vehicles, people, poles, signs) for data sets with exact class images."""

from __future__ import annotations

import numpy as np

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.evaluation.groups import GroupMetrics, column_metrics
from adu_depth_core.evaluation.metrics import depth_sums
from adu_depth_core.evaluation.pixels import Parts, Pixels
from adu_depth_core.evaluation.surfaces import RANGE
from adu_depth_core.evaluation.uncertainty import uncertainty_sums

CLASS_NAMES = ("vehicle", "person", "pole", "sign")
"""Classes that a vehicle could hit and a smooth depth map loses; ``PixelClass`` in lower case."""

_NUMBER = np.zeros(max(PixelClass) + 1, np.uint8)
_NUMBER[[PixelClass[name.upper()] for name in CLASS_NAMES]] = np.arange(1, len(CLASS_NAMES) + 1)


def class_metrics(pixels: Pixels, classes: np.ndarray) -> GroupMetrics:
    """Metrics of the pixels of each of ``CLASS_NAMES`` within ``RANGE``, without those that have no pixel.

    :param pixels: of the frame
    :param classes: ``PixelClass`` of every pixel of the image, uint8 ``(H, W)``
    """
    number = np.where(pixels.truth <= RANGE, _NUMBER[np.take(classes, pixels.place)], 0)
    chosen = np.flatnonzero(number)
    order = chosen[np.argsort(number[chosen], kind="stable")]
    counts = np.bincount(number[chosen], minlength=len(CLASS_NAMES) + 1)[1:]
    parts = Parts(np.concatenate([[0], np.cumsum(counts)]))
    p, g = pixels.prediction[order], pixels.truth[order]
    uncertainty = None if pixels.sigma is None else uncertainty_sums(p, pixels.sigma[order], g, parts)
    return column_metrics(CLASS_NAMES, depth_sums(p, g, parts), uncertainty)
