"""Single labelled views for monocular training, made from samples of any dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.kitti2015 import disparity_to_depth
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_matching import match_stereo


@dataclass(frozen=True)
class View:
    """One image with its depth.

    :param image: RGB uint8 ``(H, W, 3)``
    :param depth: float32 ``(H, W)`` metres; 0 unknown, +inf known to be beyond any range (sky)
    :param camera: intrinsics
    """

    image: np.ndarray
    depth: np.ndarray
    camera: Camera


def views_of(sample: Sample) -> Iterator[View]:
    """The left view and, for a stereo pair, the right view with the depth moved into it.

    A pair without ground truth is labelled by semi-global matching (``stereo_matching``).
    """
    if sample.right is None:
        if sample.depth is not None:
            yield View(sample.left, sample.depth, sample.camera)
        return
    focal_times_baseline = sample.camera.fx * sample.baseline
    if sample.depth is None:
        disparities = match_stereo(sample.left, sample.right)
        left, right = (disparity_to_depth(disparity, focal_times_baseline) for disparity in disparities)
    else:
        left, right = sample.depth, depth_in_right_view(sample.depth, focal_times_baseline)
    yield View(sample.left, left, sample.camera)
    yield View(sample.right, right, sample.camera)


def depth_in_right_view(depth: np.ndarray, focal_times_baseline: float) -> np.ndarray:
    """Depth of the left view moved to where the right camera of a rectified pair sees it.

    Where several pixels meet, the nearest stays. Sky (+inf) stays where it is unless something covers it.

    :param depth: float32 ``(H, W)`` metres, 0 unknown
    :param focal_times_baseline: fx in pixels times baseline in metres
    :return: float32 ``(H, W)`` metres, 0 unknown
    """
    rows, columns = np.nonzero(depth > 0)
    values = depth[rows, columns]
    targets = np.round(columns - focal_times_baseline / values).astype(int)
    inside = targets >= 0
    rows, targets, values = rows[inside], targets[inside], values[inside]
    order = np.argsort(-values)
    moved = np.zeros_like(depth)
    moved[rows[order], targets[order]] = values[order]
    return moved
