"""Looking up many points in a picture."""

from __future__ import annotations

import cv2
import numpy as np

_ROW = 1024


def bilinear(picture: np.ndarray, x: np.ndarray, y: np.ndarray, border: int = cv2.BORDER_WRAP) -> np.ndarray:
    """Interpolated values at ``(N,)`` columns x and rows y of a picture ``(H, W)`` or ``(H, W, C)``.

    :param border: extrapolation outside the picture, an OpenCV ``BORDER_`` constant
    :return: ``(N,)`` or ``(N, C)`` of the picture's type
    """
    count = len(x)
    # cv2.remap takes its points in the shape of a picture, with no side over 32767 and none of 0.
    rows = max(1, -(-count // _ROW))
    maps = np.zeros((2, rows * _ROW), np.float32)
    maps[0, :count], maps[1, :count] = x, y
    found = cv2.remap(picture, *maps.reshape(2, rows, _ROW), cv2.INTER_LINEAR, borderMode=border)
    return found.reshape(-1, *picture.shape[2:])[:count]
