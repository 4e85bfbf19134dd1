"""Where in the scene errors are: metrics of the pixels of a distance band or of a part of the image."""

from __future__ import annotations

import itertools

import numpy as np

from adu_depth_core.evaluation.metrics import depth_metrics
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.uncertainty import uncertainty_metrics

BANDS = (0.0, 10.0, 20.0, 40.0, 80.0)
"""Edges of the bands of ground truth distance, metres."""

BAND_NAMES = tuple(f"{near:g}-{far:g} m" for near, far in itertools.pairwise(BANDS))

REGION_NAMES = tuple(
    f"{row} {column}" for row in ("top", "middle", "bottom") for column in ("left", "centre", "right")
)
"""Thirds of the image's height and width, row by row."""

GroupMetrics = dict[str, tuple[int, dict[str, float]]]
"""Number of pixels and metrics by name of the group; groups without a pixel are left out."""


def group_metrics(
    protocol: Protocol, truth: np.ndarray, depth: np.ndarray, sigma: np.ndarray
) -> tuple[GroupMetrics, GroupMetrics]:
    """Metrics of each distance band and of each image region of one frame.

    All depth metrics, coverage and likelihood; the rankings (AUSE, AURG) are of whole images.

    :param truth: metres ``(H, W)``; 0, NaN or infinite where unknown
    :param depth: predicted metres ``(H, W)``
    :param sigma: its uncertainty in metres ``(H, W)``
    """
    height, width = truth.shape
    rows, columns = np.nonzero(protocol.mask(truth))
    g, s = truth[rows, columns], sigma[rows, columns]
    p = protocol.clamp(depth[rows, columns])
    band = np.searchsorted(BANDS, g, side="left") - 1
    region = 3 * (3 * rows // height) + 3 * columns // width

    def of(number: np.ndarray, names: tuple[str, ...]) -> GroupMetrics:
        groups: GroupMetrics = {}
        for i, name in enumerate(names):
            members = np.flatnonzero(number == i)
            if members.size:
                pixels = p[members], s[members], g[members], np.ones(members.size, bool)
                metrics = depth_metrics(pixels[0], pixels[2], pixels[3]) | uncertainty_metrics(*pixels)
                groups[name] = (members.size, metrics)
        return groups

    return of(band, BAND_NAMES), of(region, REGION_NAMES)


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
