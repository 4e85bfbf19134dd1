"""Depth as ``image_transport``'s plugin ``compressedDepth`` reads it.

The payload is a header of the plugin's ``ConfigHeader`` (int32 format, 0; float32 a, b) and a 16-bit PNG. A
``16UC1`` image is its pixels. Of a ``32FC1`` image the PNG holds ``v = a / depth + b``, and the plugin
decodes
``depth = a / (v - b)``, 0 as NaN (``compressed_depth_image_transport/src/codec.cpp``).
"""

from __future__ import annotations

import struct

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from adu_depth_ros.image_conversion import message_bytes

INVERSE_DEPTH = 0
"""The plugin's only ``compressionFormat``."""

LARGEST = 65535.0


def compressed_depth(
    pixels: np.ndarray, encoding: str, header: Header, near: float, far: float, level: int
) -> CompressedImage:
    """A depth image as the plugin's message.

    The plugin's own publisher spends most of the 16 bits on what is nearer than a metre; here they cover
    ``near`` to ``far`` evenly in inverse depth, so that the largest error, half a step at ``far``, is
    ``far**2 * (1 / near - 1 / far) / (2 * 65534)``: 48 mm at 80 m for a nearest metre.

    :param pixels: float32 ``(H, W)`` metres, or uint16 millimetres
    :param encoding: ``32FC1`` or ``16UC1``
    :param near: metres; what is nearer is taken to be there (``32FC1``)
    :param far: metres; what is farther, and what is not finite, is decoded as NaN (``32FC1``)
    :param level: of PNG, 0 to 9; larger is smaller and slower
    """
    a = b = 0.0
    if encoding == "32FC1":
        a = (LARGEST - 1.0) / (1.0 / near - 1.0 / far)
        b = 1.0 - a / far
        pixels = _quantised(pixels, np.float32(a), np.float32(b), far)
    png = cv2.imencode(".png", pixels, (cv2.IMWRITE_PNG_COMPRESSION, level))[1]
    data = message_bytes(np.frombuffer(struct.pack("<iff", INVERSE_DEPTH, a, b), np.uint8))
    data.frombytes(png.data.cast("B"))
    return CompressedImage(header=header, format=f"{encoding}; compressedDepth png", data=data)


def _quantised(depth: np.ndarray, a: np.float32, b: np.float32, far: float) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = a / depth + (b + np.float32(0.5))
        known = depth <= np.float32(far)  # false for NaN
    return np.where(known, np.clip(values, 1.0, LARGEST), 0.0).astype(np.uint16)
