"""Pictures and colour legends as data URIs."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from adu_depth_core.visualization import ColorScale

JPEG_QUALITY = 85


def jpeg_uri(picture: np.ndarray) -> str:
    """``data:image/jpeg`` of an RGB picture, uint8 ``(H, W, 3)``."""
    return _uri("jpeg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def legend_uri(scale: ColorScale, width: int = 240) -> str:
    """The colours of a scale from left to right, one pixel high, as ``data:image/png``."""
    values = np.geomspace(scale.low, scale.high, width, dtype=np.float32)
    return _uri("png", cv2.cvtColor(scale.colors(values[None]), cv2.COLOR_RGB2BGR), [])


def _uri(kind: str, bgr: np.ndarray, parameters: list[int]) -> str:
    _, data = cv2.imencode(f".{kind}", bgr, parameters)
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
