"""Images of a camera at rest told from those of a drive."""

from __future__ import annotations

import cv2
import numpy as np

STILL_LEVELS = 4.0
STILL_SHARE = 0.95
"""A picture stands still if this share of its pixels, averaged over 8x8, changes by fewer grey levels."""


def stands_still(before: np.ndarray, now: np.ndarray) -> bool:
    """Whether two images RGB uint8 ``(H, W, 3)`` of one size show a scene and a camera at rest."""
    size = (max(1, now.shape[1] // 8), max(1, now.shape[0] // 8))
    small = [
        cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32).mean(-1)
        for image in (before, now)
    ]
    return bool(np.mean(np.abs(small[1] - small[0]) < STILL_LEVELS) >= STILL_SHARE)
