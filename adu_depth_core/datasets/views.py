"""Training views from samples of any dataset: an image, its depth, and the other camera's image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_matching import match_stereo
from adu_depth_core.stereo_pair import disparity_to_depth

LABELS = ("auto", "none")
"""Treatment of frames without ground truth: ``auto`` labels pairs by semi-global matching, ``none`` leaves
them unlabelled, for a teacher to label."""

SIDES = ("left", "right")


@dataclass(frozen=True)
class View:
    """One image with its depth.

    :param image: RGB uint8 ``(H, W, 3)``
    :param depth: float32 ``(H, W)`` metres; 0 unknown, +inf known to be beyond any range (sky)
    :param camera: intrinsics
    :param other: image of the other camera of a rectified pair, RGB uint8 ``(H, W, 3)``; None without one
    :param offset: metres from this camera to the other along x, negative if that is to the left
    :param taught: a teacher's depth in metres and log Laplace scale in log depth, float ``(2, H, W)``, 0
        where depth is unknown; None without a teacher
    """

    image: np.ndarray
    depth: np.ndarray
    camera: Camera
    other: np.ndarray | None = None
    offset: float = 0.0
    taught: np.ndarray | None = None


def views_of(sample: Sample, labels: str = "auto", sides: Sequence[str] = SIDES) -> list[View]:
    """The views of a sample that provide supervision.

    The depth of the right view is that of the left, moved. A single image has a left view only, and none
    without ground truth.

    :param labels: one of ``LABELS``
    :param sides: which views of a pair
    """
    if sample.right is None:
        return [] if sample.depth is None else [View(sample.left, sample.depth, sample.camera)]
    focal_times_baseline = sample.camera.fx * sample.baseline
    if sample.depth is not None:
        depth_of = {
            side: sample.depth if side == "left" else depth_in_right_view(sample.depth, focal_times_baseline)
            for side in sides
        }
    elif labels == "none":
        depth_of = {side: np.zeros(sample.camera.size, np.float32) for side in sides}
    else:
        disparities = dict(zip(SIDES, match_stereo(sample.left, sample.right), strict=True))
        depth_of = {side: disparity_to_depth(disparities[side], focal_times_baseline) for side in sides}
    images = {
        "left": (sample.left, sample.right, sample.baseline),
        "right": (sample.right, sample.left, -sample.baseline),
    }
    return [
        View(image, depth_of[side], sample.camera, other, offset)
        for side, (image, other, offset) in images.items()
        if side in depth_of
    ]


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
