"""Detection of a static camera."""

from __future__ import annotations

import cv2
import numpy as np

STILL_LEVELS = 4.0
STILL_SHARE = 0.95
"""An image is static if this fraction of its pixels, averaged over 8x8, changes by fewer grey levels."""


def stands_still(before: np.ndarray, now: np.ndarray) -> bool:
    """True if two images show a static scene from a static camera.

    :param before: uint8 ``(H, W)`` or ``(H, W, C)``
    :param now: of the same shape
    """
    size = (max(1, now.shape[1] // 8), max(1, now.shape[0] // 8))
    small = [
        cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], -1).mean(-1, np.float32)
        for image in (before, now)
    ]
    return bool(np.mean(np.abs(small[1] - small[0]) < STILL_LEVELS) >= STILL_SHARE)
