"""ROS images to arrays and back, without copies where the format allows.

``cv_bridge`` copies every image twice and does not work with NumPy 2 and OpenCV 5, so it is
used, if installed, only for encodings that ``adu_depth_core.image_decoding`` does not support.
"""

from __future__ import annotations

import array
import sys

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from adu_depth_core.image_decoding import ENCODINGS, decode_image


def image_from_message(message: Image) -> tuple[np.ndarray, str]:
    """Pixels of an image message: see ``decode_image``, plus the encodings of ``cv_bridge``.

    :raises ValueError: if the image cannot be read
    """
    if message.encoding in ENCODINGS:
        return decode_image(message)
    return _ask_cv_bridge(message), "rgb"


def image_to_message(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    """Image message with the given pixels.

    :param pixels: ``(H, W)`` or ``(H, W, C)`` of the encoding's type
    :param encoding: ROS encoding, e.g. ``32FC1``
    """
    return Image(
        header=header,
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=sys.byteorder == "big",
        step=pixels.strides[0] if pixels.flags.c_contiguous else pixels[0].nbytes,
        data=message_bytes(pixels),
    )


def message_bytes(values: np.ndarray) -> array.array[int]:
    """The bytes of an array as the type that message fields accept without checking each element.

    ``array.array("B", values)`` and lists are a hundred times slower.
    """
    data = array.array("B")
    if values.size:  # an empty view cannot be cast
        data.frombytes(np.ascontiguousarray(values).data.cast("B"))
    return data


def _ask_cv_bridge(message: Image) -> np.ndarray:
    known = f"known encodings: {', '.join(ENCODINGS)}"
    try:
        from cv_bridge import CvBridge
    except Exception as error:  # if built for another NumPy it fails with errors other than ImportError
        raise ValueError(
            f"unknown image encoding {message.encoding!r} ({known}; cv_bridge might know more: {error})"
        ) from error
    try:
        pixels: np.ndarray = CvBridge().imgmsg_to_cv2(message, "rgb8")
    except Exception as error:
        raise ValueError(
            f"image encoding {message.encoding!r} is unknown here ({known}) and cv_bridge says: {error}"
        ) from error
    return pixels
