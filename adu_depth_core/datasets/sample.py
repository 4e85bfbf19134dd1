"""The one sample type of all datasets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera


@dataclass(frozen=True)
class Sample:
    """A rectified view with what is known about it.

    :param name: identifies the frame within its dataset
    :param left: RGB uint8 ``(H, W, 3)``
    :param right: RGB uint8 ``(H, W, 3)`` of the right camera, or None
    :param depth: float32 ``(H, W)`` metres along z of the left view, 0 where unknown; None if unlabelled
    :param camera: intrinsics of the left (and right) view
    :param baseline: metres between the two cameras, or None
    """

    name: str
    left: np.ndarray
    right: np.ndarray | None
    depth: np.ndarray | None
    camera: Camera
    baseline: float | None
