"""Pixels of ROS image messages, without copies where the format allows.

A message is any object with the fields of ``sensor_msgs/Image`` or ``sensor_msgs/CompressedImage``, from
``rclpy`` or from a bag: the live node and the offline commands read an image alike.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from adu_depth_core.encoded_image import decode, read_size

CHANNELS = {
    "rgb8": "rgb",
    "bgr8": "bgr",
    "rgba8": "rgba",
    "bgra8": "bgra",
    "mono8": "mono",
    "8UC1": "mono",
    "8UC3": "bgr",  # OpenCV, which writes this encoding, uses this order
}
"""Channel order of the 8-bit encodings that are used as they are."""

# OpenCV's older names (BayerBG for RGGB) count from the second row and column; these count as ROS does.
BAYER = {
    "bayer_rggb8": cv2.COLOR_BayerRGGB2RGB,
    "bayer_bggr8": cv2.COLOR_BayerBGGR2RGB,
    "bayer_gbrg8": cv2.COLOR_BayerGBRG2RGB,
    "bayer_grbg8": cv2.COLOR_BayerGRBG2RGB,
}

YUV422 = {
    "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuv422": cv2.COLOR_YUV2RGB_UYVY,
    "yuyv": cv2.COLOR_YUV2RGB_YUYV,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUYV,
}

ENCODINGS = (*CHANNELS, "mono16", *BAYER, *YUV422)
"""Supported encodings."""


def decode_image(message: Any) -> tuple[np.ndarray, str]:
    """Pixels of a ``sensor_msgs/Image``.

    :return: uint8 ``(H, W)`` or ``(H, W, C)``, perhaps a view of the message's data, and its channel
        order: ``rgb``, ``bgr``, ``rgba``, ``bgra`` or ``mono``
    :raises ValueError: if the image is empty, its data shorter than announced, its rows shorter than
        their pixels, or its encoding unknown
    """
    encoding = message.encoding
    _check_size(message)
    if encoding in CHANNELS:
        channels = CHANNELS[encoding]
        count = 1 if channels == "mono" else len(channels)
        pixels = _rows(message, count)
        return (pixels if count == 1 else pixels.reshape(message.height, message.width, count)), channels
    if encoding == "mono16":
        # Full scale to full scale, as cv_bridge does; the more significant byte is the 8-bit image.
        return _rows(message, 2)[:, 0 if message.is_bigendian else 1 :: 2], "mono"
    if encoding in BAYER:
        if message.height < 2 or message.width < 2:
            raise ValueError(f"a {encoding} image needs 2x2 pixels, got {message.height}x{message.width}")
        return cv2.cvtColor(_rows(message, 1), BAYER[encoding]), "rgb"
    if encoding in YUV422:
        if message.width % 2:
            raise ValueError(f"a {encoding} image has pairs of columns, got a width of {message.width}")
        pairs = _rows(message, 2).reshape(message.height, message.width, 2)
        return cv2.cvtColor(pairs, YUV422[encoding]), "rgb"
    raise ValueError(f"unknown image encoding {encoding!r}, known are {', '.join(ENCODINGS)}")


def announced_size(message: Any) -> tuple[int, int]:
    """Width and height that a ``sensor_msgs/Image`` or ``CompressedImage`` says it has, without decoding it.

    To be compared with its camera's before the pixels are decoded: a damaged header may announce any size.

    :raises ValueError: if the image is empty, its data shorter than announced, or no image that is known
    """
    if hasattr(message, "encoding"):
        _check_size(message)
        return message.width, message.height
    with _naming(message):
        return read_size(message.data)


def decode_compressed(message: Any) -> tuple[np.ndarray, str]:
    """Pixels of a ``sensor_msgs/CompressedImage``: JPEG, PNG and the other ``encoded_image.FORMATS``.

    :return: uint8 ``(H, W, 3)`` and its channel order, ``bgr``
    :raises ValueError: if the data is no such image, too large, or a Bayer mosaic
    """
    with _naming(message):
        # image_transport's "ENCODING; FORMAT compressed TARGET": without a target colour the encoding is
        # unchanged.
        encoding, _, compression = message.format.partition(";")
        if encoding.startswith("bayer") and not compression.rstrip().endswith(("bgr8", "rgb8")):
            raise ValueError(
                "it is a Bayer mosaic, which compression blurs: debayer it before (image_proc's debayer "
                "node), or use the raw image topic"
            )
        # Applying a photo's orientation tag would make the image disagree with its camera_info.
        return decode(message.data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION), "bgr"


@contextlib.contextmanager
def _naming(message: Any) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"compressed image of format {message.format!r} ({len(message.data)} bytes) could not be "
            f"decoded: {error}"
        ) from error


def _check_size(message: Any) -> None:
    if message.width == 0 or message.height == 0:
        raise ValueError(f"image is empty ({message.height}x{message.width} pixels)")
    expected = message.step * message.height
    if len(message.data) < expected:
        raise ValueError(
            f"image data is {len(message.data)} bytes, shorter than step * height = "
            f"{message.step} * {message.height} = {expected}"
        )


def _rows(message: Any, bytes_per_pixel: int) -> np.ndarray:
    """The rows of an image without their padding, uint8 ``(height, width * bytes_per_pixel)``."""
    row_bytes = message.width * bytes_per_pixel
    if message.step < row_bytes:
        raise ValueError(
            f"image step is {message.step} bytes, but {message.width} pixels of {message.encoding} "
            f"are {row_bytes} bytes"
        )
    data = np.frombuffer(message.data, np.uint8, count=message.step * message.height)
    return data.reshape(message.height, message.step)[:, :row_bytes]
