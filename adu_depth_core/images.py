"""Image files read and written, and images made smaller.

Depth and disparity files are those of the KITTI family: 16-bit PNG, uint16 / 256, 0 means no value.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.encoded_image import decode
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically

SCALE = 256.0


def read_png16(path: Path) -> np.ndarray:
    """Read a 16-bit PNG as float32 ``(H, W)`` in metres (depth) or pixels (disparity), 0 where unknown.

    :raises UserError: if the file is missing, not an image, too large, or not 16-bit with one channel
    """
    stored = read_image(path, cv2.IMREAD_UNCHANGED)
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise UserError(f"{path}: expected a 16-bit one-channel PNG, got {stored.dtype} {stored.shape}")
    return stored.astype(np.float32) / np.float32(SCALE)


def write_png16(path: Path, values: np.ndarray) -> None:
    """Write metres or pixels ``(H, W)`` as uint16 / 256.

    NaN, infinite, negative and over-range values become 0, unknown.

    :raises UserError: if the file cannot be written
    """
    scaled = np.round(np.asarray(values, dtype=np.float64) * SCALE)
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(scaled) & (scaled > 0) & (scaled <= np.iinfo(np.uint16).max)
    stored = np.where(valid, scaled, 0).astype(np.uint16)
    with write_atomically(path) as temporary:
        if not cv2.imwrite(str(temporary), stored):
            raise UserError(f"{path}: could not be written")


def read_rgb(path: Path) -> np.ndarray:
    """Read an image file as RGB uint8 ``(H, W, 3)``.

    :raises UserError: if the file is missing, not an image or too large
    """
    return cv2.cvtColor(read_image(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_image(path: Path, flags: int) -> np.ndarray:
    """Pixels of an image file as ``cv2.imread`` gives them with ``flags``.

    :raises UserError: if the file is missing, damaged, or larger than any camera's image
    """
    try:
        return decode(path.read_bytes(), flags)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: missing or not a readable image: {error}") from error


def downscale(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize without aliasing, at a tenth of the time of ``cv2.INTER_AREA``.

    Bilinear interpolation down to one half looks at every pixel; beyond that it skips some, so
    larger reductions go by halves first.

    :param image: uint8 ``(H, W)`` or ``(H, W, C)``
    :return: ``(height, width)`` or ``(height, width, C)``; also enlarges, bilinearly
    """
    rows, columns = image.shape[:2]
    while columns > 2 * width or rows > 2 * height:
        columns, rows = max(width, (columns + 1) // 2), max(height, (rows + 1) // 2)
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
