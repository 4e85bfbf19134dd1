"""The one sample type of all datasets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError


@dataclass(frozen=True)
class Sample:
    """A rectified view with what is known about it.

    :param name: identifies the frame within its dataset
    :param left: RGB uint8 ``(H, W, 3)``
    :param right: RGB uint8 ``(H, W, 3)`` of the right camera, or None
    :param depth: float32 ``(H, W)`` metres along z of the left view, 0 where unknown; None if unlabelled
    :param camera: intrinsics of the left (and right) view
    :param baseline: metres between the two cameras, or None
    :param classes: uint8 ``(H, W)`` ``PixelClass`` of each pixel of the left view, or None if unknown
    """

    name: str
    left: np.ndarray
    right: np.ndarray | None
    depth: np.ndarray | None
    camera: Camera
    baseline: float | None
    classes: np.ndarray | None = None


def check_same_size(path: Path, values: np.ndarray, left: np.ndarray) -> None:
    """:raises UserError: if the content of ``path`` has another height or width than the left image"""
    if values.shape[:2] != left.shape[:2]:
        raise UserError(f"{path} has {values.shape[:2]} (height, width), its left image {left.shape[:2]}")
