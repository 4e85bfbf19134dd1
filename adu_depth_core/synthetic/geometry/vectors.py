"""Arithmetic on many 3-D vectors at once.

Without ``@``: on products this thin, BLAS spends far longer waking its threads than multiplying.
"""

from __future__ import annotations

import cv2
import numpy as np


def turned(vectors: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """``rotation @ v`` for each row v of ``(N, 3)`` float32."""
    return cv2.transform(vectors.reshape(1, -1, 3), np.asarray(rotation, np.float32)).reshape(-1, 3)


def dots(vectors: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Scalar product ``(N,)`` of each row ``(N, 3)`` with one vector ``(3,)``, or with the other's row."""
    return np.einsum("ij,ij->i" if other.ndim == 2 else "ij,j->i", vectors, other)


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Length of each row, ``(N, 1)``."""
    return np.sqrt(dots(vectors, vectors))[:, None]


def cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Vector product of rows ``(..., 3)``; NumPy's own takes several times as long on few rows."""
    (a, b, c), (x, y, z) = np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0)
    return np.stack([b * z - c * y, c * x - a * z, a * y - b * x], axis=-1)
