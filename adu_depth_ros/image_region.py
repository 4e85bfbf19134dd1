"""The region of interest of an image, and the mask of the vehicle itself in it."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.camera_info import Window
from adu_depth_core.encoded_image import decode

NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"


def parse_region(text: str) -> Window | None:
    """``LEFT,TOP,WIDTH,HEIGHT`` in pixels of the image; None for an empty text, the whole image.

    :raises ValueError: if the text is neither
    """
    if not text:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*", text)
    region = Window(*map(int, match.groups())) if match is not None else None
    if region is None or not (region.width and region.height):
        raise ValueError(
            f"region_of_interest is {text!r}: must be LEFT,TOP,WIDTH,HEIGHT in pixels, e.g. 0,100,1242,275"
        )
    return region


def check_inside(region: Window, width: int, height: int) -> None:
    """:raises ValueError: if the region is not inside an image of this size"""
    if region.left + region.width > width or region.top + region.height > height:
        raise ValueError(
            f"region_of_interest {','.join(map(str, region))} is outside the {height}x{width} image (height "
            f"x width)"
        )


def check_mask(text: str) -> None:
    """:raises ValueError: if ``ego_mask`` is neither the path of a readable image nor polygons"""
    if text.lower().endswith(".png"):
        _read(text, _changed(text))
    elif text:
        _polygons(text)


def hidden_pixels(text: str, width: int, height: int) -> np.ndarray | None:
    """Mask of the vehicle itself, bool ``(height, width)``, read-only; None for an empty text.

    :param text: path of a PNG of the image's size, black where the vehicle is; or polygons of the vehicle in
        pixels, ``x,y x,y x,y; x,y x,y x,y``
    :raises ValueError: if it is neither, or the PNG is of another size
    """
    if not text:
        return None
    if not text.lower().endswith(".png"):
        return _filled(text, width, height)
    hidden = _read(text, _changed(text))
    if hidden.shape != (height, width):
        raise ValueError(
            f"ego_mask {text} is of {hidden.shape[0]}x{hidden.shape[1]} pixels, the image of "
            f"{height}x{width} "
            "(height x width)"
        )
    return hidden


def _changed(path: str) -> int:
    try:
        return Path(path).expanduser().stat().st_mtime_ns
    except OSError as error:
        raise ValueError(f"ego_mask {path} cannot be read: {error.strerror}") from error


@functools.lru_cache(maxsize=8)
def _read(path: str, changed: int) -> np.ndarray:
    try:
        hidden: np.ndarray = decode(Path(path).expanduser().read_bytes(), cv2.IMREAD_GRAYSCALE) == 0
    except (OSError, ValueError) as error:
        raise ValueError(f"ego_mask {path} cannot be read: {error}") from error
    hidden.flags.writeable = False
    return hidden


@functools.lru_cache(maxsize=8)
def _filled(text: str, width: int, height: int) -> np.ndarray:
    filled = np.zeros((height, width), np.uint8)
    for polygon in _polygons(text):
        cv2.fillPoly(filled, [np.round(polygon).astype(np.int32)], 1)
    hidden = filled.astype(bool)
    hidden.flags.writeable = False
    return hidden


def _polygons(text: str) -> list[np.ndarray]:
    polygons = []
    for part in filter(str.strip, text.split(";")):
        texts = part.split()
        corners = [found for text in texts if (found := re.fullmatch(f"{NUMBER},{NUMBER}", text))]
        if len(corners) < 3 or len(corners) < len(texts):
            raise ValueError(
                f"ego_mask is {text!r}: must be the path of a .png, or polygons of three corners and more in "
                "pixels, e.g. 0,340 620,300 1241,340 1241,374 0,374"
            )
        polygons.append(np.array([[float(corner[1]), float(corner[2])] for corner in corners]))
    return polygons
