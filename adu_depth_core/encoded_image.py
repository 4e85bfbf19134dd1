"""Encoded images (PNG, JPEG, ...): their size from the header, and their pixels if the size is plausible.

OpenCV allocates the size in a header before it reads the data: one flipped bit can request gigabytes.
"""

from __future__ import annotations

import io
import warnings

import cv2
import numpy as np
from PIL import Image

FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats whose headers are read; OpenCV knows more, whose size nobody could check."""

MAX_PIXELS = 1 << 26
"""Pixels of the largest image that is decoded: 8192x8192, 200 MB as RGB."""

_NO_IMAGE = "it is damaged, or no camera's image"

# Pillow's own limit is above ours; its warning would duplicate our error.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_size(data: bytes | memoryview | np.ndarray) -> tuple[int, int]:
    """Width and height that the header of an encoded image announces; its pixels are not touched.

    :raises ValueError: if the header is damaged or of another format, or announces more than ``MAX_PIXELS``
    """
    return _look(data, whole=False)


def _look(data: bytes | memoryview | np.ndarray, whole: bool) -> tuple[int, int]:
    """Size from the header; ``whole`` also follows a PNG's chunks to their end, with their checksums.

    OpenCV makes room for what a chunk announces, too.
    """
    image = None
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if whole:
                image.verify()
    except Image.DecompressionBombError as error:
        raise ValueError(f"its header announces more than {MAX_PIXELS} pixels: {_NO_IMAGE}") from error
    except Exception as error:  # any error of the parser
        if image is not None:
            raise ValueError(_damaged(*image.size)) from error
        raise ValueError(f"no header of {', '.join(FORMATS)} that can be read") from error
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"its header announces more than {MAX_PIXELS} pixels ({height}x{width}): {_NO_IMAGE}"
        )
    return width, height


def decode(data: bytes | memoryview | np.ndarray, flags: int) -> np.ndarray:
    """Pixels of an encoded image as ``cv2.imdecode`` gives them with ``flags``.

    :raises ValueError: see ``read_size``; or if the data behind a sound header is damaged
    """
    width, height = _look(data, whole=True)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        pixels = None
    # Photos may be turned by their orientation tag, unless the flags forbid it.
    if pixels is None or sorted(pixels.shape[:2]) != sorted((width, height)):
        raise ValueError(_damaged(width, height))
    return pixels


def _damaged(width: int, height: int) -> str:
    return f"its header announces {height}x{width} pixels, but its data is damaged"
