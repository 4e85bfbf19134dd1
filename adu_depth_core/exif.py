"""Focal length of a photo from its EXIF data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from adu_depth_core.encoded_image import FORMATS

FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)

UNIT_MM = {2: 25.4, 3: 10.0}
"""Of ``FocalPlaneResolutionUnit``: inch (also where it is missing) and centimetre."""


@dataclass(frozen=True)
class ExifFocal:
    """A focal length and where it comes from.

    :param pixels: focal length in pixels of the image as it is
    :param source: the EXIF entry it was derived from, in words
    """

    pixels: float
    source: str


def read_exif_focal(path: Path) -> ExifFocal | None:
    """The focal length of a photo; None where its EXIF has none, or there is no EXIF that can be read.

    The 35 mm equivalent comes first: it holds for the image's diagonal whatever size the image was resized to
    (CIPA DCG-001). Else the focal length in mm and the sensor's pixels per unit, of a photo that was not
    resized.

    :param path: image file
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            exif = image.getexif()
            entries = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    except Exception:  # any error of Pillow's parser; the pixels are decoded elsewhere
        return None
    equivalent = _number(entries, ExifTags.Base.FocalLengthIn35mmFilm)
    if equivalent:
        pixels = equivalent * math.hypot(width, height) / FULL_FRAME_DIAGONAL_MM
        return ExifFocal(pixels, f"{equivalent:g} mm equivalent")
    millimetres = _number(entries, ExifTags.Base.FocalLength)
    resolution = _number(entries, ExifTags.Base.FocalPlaneXResolution)
    size = {_number(entries, tag) for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)}
    if millimetres and resolution and size == {float(width), float(height)}:
        unit = UNIT_MM.get(entries.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))
        if unit is not None:
            return ExifFocal(
                millimetres * resolution / unit, f"{millimetres:g} mm and the sensor's resolution"
            )
    return None


def _number(entries: dict[int, object], tag: int) -> float | None:
    """A positive finite number; None for anything else, such as a fraction with denominator 0."""
    try:
        value = float(entries[tag])  # type: ignore[arg-type]  # TypeError is caught
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value > 0 else None
