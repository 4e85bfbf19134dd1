"""Detection of a static camera."""

from __future__ import annotations

import cv2
import numpy as np

STILL_LEVELS = 4.0
STILL_SHARE = 0.95
"""An image is static if this fraction of its pixels, averaged over 8x8, changes by fewer grey levels."""


def stands_still(before: np.ndarray, now: np.ndarray) -> bool:
    """True if two images RGB uint8 ``(H, W, 3)`` of one size show a static scene from a static camera."""
    size = (max(1, now.shape[1] // 8), max(1, now.shape[0] // 8))
    small = [
        cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32).mean(-1)
        for image in (before, now)
    ]
    return bool(np.mean(np.abs(small[1] - small[0]) < STILL_LEVELS) >= STILL_SHARE)
