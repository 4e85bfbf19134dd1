"""Classes of pixels, where a data set knows them exactly: class images are uint8 ``(H, W)``."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.images import read_image


class PixelClass(IntEnum):
    """Classes of a street, in the spirit of Cityscapes.

    ``PERSON`` includes cyclists with their bicycles; ``POLE`` masts, lamps and bollards; ``SIGN`` plates,
    signal heads and advertisements; ``BARRIER`` walls, fences and rails; ``GROUND`` all that lies flat:
    lanes, pavements, verges; ``OTHER`` what else stands about: bins, benches, shelters, cones.
    """

    OTHER = 0
    SKY = 1
    GROUND = 2
    BUILDING = 3
    VEGETATION = 4
    VEHICLE = 5
    PERSON = 6
    POLE = 7
    SIGN = 8
    BARRIER = 9


def read_classes(path: Path) -> np.ndarray:
    """Read a class image, uint8 ``(H, W)``.

    :raises UserError: if the file is missing, too large, not an 8-bit one-channel image, or holds an unknown
        class
    """
    stored = read_image(path, cv2.IMREAD_UNCHANGED)
    if stored.dtype != np.uint8 or stored.ndim != 2:
        raise UserError(f"{path}: expected an 8-bit one-channel PNG, got {stored.dtype} {stored.shape}")
    if stored.max() > max(PixelClass):
        raise UserError(f"{path}: holds class {stored.max()}, the last known one is {max(PixelClass)}")
    return stored
