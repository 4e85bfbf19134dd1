"""Where in the scene errors are: metrics of the pixels of a distance band or of a part of the image."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from adu_depth_core.evaluation.metrics import depth_means
from adu_depth_core.evaluation.pixels import Parts, Pixels
from adu_depth_core.evaluation.protocol import Protocol
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


CELLS = (len(BANDS), len(REGION_NAMES))
"""Bands and regions that pixels are counted in; the last band is beyond all that have a name."""


def pixels_by_cell(
    protocol: Protocol, truth: np.ndarray, depth: np.ndarray, sigma: np.ndarray
) -> tuple[Pixels, Parts] | None:
    """The pixels that count, cell by cell, band by band; None if there are none.

    A limit belongs to the nearer band.
    Parameters and errors are those of ``Pixels.of``.
    """
    place = np.flatnonzero(protocol.mask(truth))
    if not place.size:
        return None
    cell = np.take(_region_map(*truth.shape), place)
    distance = np.take(truth, place)
    for limit in BANDS[1:]:
        cell += (distance > limit) * np.uint8(len(REGION_NAMES))
    order = np.argsort(cell, kind="stable")  # of bytes: a radix sort
    edges = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=math.prod(CELLS)))])
    return Pixels.at(np.take(place, order), protocol, truth, depth, sigma), Parts(edges)


@functools.lru_cache(maxsize=4)
def _region_map(height: int, width: int) -> np.ndarray:
    """Number of the region of each pixel of an image."""
    regions = (3 * (3 * np.arange(height) // height))[:, None] + 3 * np.arange(width) // width
    return regions.astype(np.uint8)


def group_metrics(depth: np.ndarray, uncertainty: np.ndarray) -> tuple[GroupMetrics, GroupMetrics]:
    """Metrics of each distance band and of each image region of one frame.

    All depth metrics, coverage and likelihood; the rankings (AUSE, AURG) are of whole images.

    :param depth: ``metrics.depth_sums`` by ``pixels_by_cell``
    :param uncertainty: ``uncertainty.uncertainty_sums`` by ``pixels_by_cell``
    """

    def of(axis: int, names: tuple[str, ...]) -> GroupMetrics:
        columns = [sums.reshape(-1, *CELLS).sum(axis=axis).T for sums in (depth, uncertainty)]
        return {
            name: (int(d[-1]), depth_means(d) | uncertainty_means(u))
            for name, d, u in zip(names, *columns, strict=False)  # the band beyond the last has no name
            if d[-1]
        }

    return of(2, BAND_NAMES), of(1, REGION_NAMES)


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
