"""Metrics by part of the scene: distance bands, image regions, ground and obstacles."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adu_depth_core.evaluation.metrics import depth_means
from adu_depth_core.evaluation.pixels import Parts, Pixels
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.surfaces import SURFACE_NAMES, Surfaces
from adu_depth_core.evaluation.uncertainty import uncertainty_means

BANDS = (0.0, 10.0, 20.0, 40.0, 80.0)
"""Edges of the bands of ground truth distance, metres."""

BAND_NAMES = tuple(f"{near:g}-{far:g} m" for near, far in itertools.pairwise(BANDS))

REGION_NAMES = tuple(
    f"{row} {column}" for row in ("top", "middle", "bottom") for column in ("left", "centre", "right")
)
"""Thirds of the image's height and width, row by row."""

GroupMetrics = dict[str, tuple[int, dict[str, float]]]
"""Number of pixels and metrics by name of the group; groups without a pixel are left out."""


CELLS = (len(BANDS), len(REGION_NAMES), len(SURFACE_NAMES) + 1)
"""Bands, regions and surfaces that pixels are counted in; the last band is beyond all that have a name, the
first surface is neither ground nor obstacle."""


class Groups(NamedTuple):
    """Metrics of the groups of one frame."""

    bands: GroupMetrics
    regions: GroupMetrics
    surfaces: GroupMetrics


def pixels_by_cell(
    protocol: Protocol,
    truth: np.ndarray,
    depth: np.ndarray,
    sigma: np.ndarray | None,
    surfaces: Surfaces | None = None,
) -> tuple[Pixels, Parts] | None:
    """The pixels that count, cell by cell, band by band; None if there are none.

    A limit belongs to the nearer band.

    :param surfaces: tells ground from obstacles; None: not known. The other parameters and errors are those
        of ``Pixels.of``.
    """
    place = np.flatnonzero(protocol.mask(truth))
    if not place.size:
        return None
    distance = np.take(truth, place)
    band = np.zeros(place.size, np.uint8)
    for limit in BANDS[1:]:
        band += distance > limit
    cell = band * np.uint8(CELLS[1]) + np.take(_region_map(*truth.shape), place)
    cell *= np.uint8(CELLS[2])
    if surfaces is not None:
        cell += surfaces.at(place, distance)
    order = np.argsort(cell, kind="stable")  # of bytes: a radix sort
    edges = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=math.prod(CELLS)))])
    return Pixels.at(np.take(place, order), protocol, truth, depth, sigma), Parts(edges)


@functools.lru_cache(maxsize=4)
def _region_map(height: int, width: int) -> np.ndarray:
    """Number of the region of each pixel of an image."""
    regions = (3 * (3 * np.arange(height) // height))[:, None] + 3 * np.arange(width) // width
    return regions.astype(np.uint8)


def group_metrics(depth: np.ndarray, uncertainty: np.ndarray | None) -> Groups:
    """Metrics of each distance band, image region and surface of one frame.

    All depth metrics, coverage and likelihood; the rankings (AUSE, AURG) are of whole images.

    :param depth: ``metrics.depth_sums`` by ``pixels_by_cell``
    :param uncertainty: ``uncertainty.uncertainty_sums`` by ``pixels_by_cell``; None without sigma
    """

    def of(axis: int, names: Sequence[str]) -> GroupMetrics:
        others = tuple(i + 1 for i in range(len(CELLS)) if i != axis)

        def columns(sums: np.ndarray) -> np.ndarray:
            total: np.ndarray = sums.reshape(-1, *CELLS).sum(axis=others)
            return total

        return column_metrics(names, columns(depth), None if uncertainty is None else columns(uncertainty))

    return Groups(of(0, BAND_NAMES), of(1, REGION_NAMES), of(2, ("", *SURFACE_NAMES)))


def column_metrics(names: Sequence[str], depth: np.ndarray, uncertainty: np.ndarray | None) -> GroupMetrics:
    """Metrics of each column that has a name and pixels.

    :param names: of the first columns; empty for those without
    :param depth: ``metrics.depth_sums`` of them
    :param uncertainty: ``uncertainty.uncertainty_sums`` of them; None without sigma
    """
    metrics = {}
    for i, name in enumerate(names):
        if name and depth[-1, i]:
            known = depth_means(depth[:, i])
            if uncertainty is not None:
                known |= uncertainty_means(uncertainty[:, i])
            metrics[name] = int(depth[-1, i]), known
    return metrics


class GroupMeans:
    """Means over frames of the metrics of groups."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._sums: dict[str, dict[str, float]] = {name: {} for name in names}
        self._pixels = dict.fromkeys(names, 0)
        self._frames = dict.fromkeys(names, 0)

    def add(self, groups: GroupMetrics) -> None:
        """Take one frame."""
        for name, (pixels, metrics) in groups.items():
            sums = self._sums[name]
            for metric, value in metrics.items():
                sums[metric] = sums.get(metric, 0.0) + value
            self._pixels[name] += pixels
            self._frames[name] += 1

    def means(self) -> list[tuple[str, int, int, dict[str, float]]]:
        """Name, pixels, frames with such pixels, and the mean of each metric over those frames."""
        return [
            (
                name,
                self._pixels[name],
                self._frames[name],
                {metric: total / self._frames[name] for metric, total in sums.items()},
            )
            for name, sums in self._sums.items()
        ]
