"""Focal length from a photo's EXIF."""

import math

import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from adu_depth_core.exif import read_exif_focal

BASE = ExifTags.Base


def photo(path, entries, size=(4000, 3000)):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(entries)
    Image.new("RGB", size).save(path, exif=exif)
    return path


@pytest.mark.parametrize("size", [(4000, 3000), (1000, 750), (750, 1000)])
def test_the_35_mm_equivalent_holds_for_the_diagonal_of_any_size(tmp_path, size):
    path = photo(tmp_path / "p.jpg", {BASE.FocalLengthIn35mmFilm: 26, BASE.FocalLength: 4.25}, size)
    focal = read_exif_focal(path)
    assert focal.pixels == pytest.approx(26 * math.hypot(*size) / 43.2666, rel=1e-4)
    assert focal.source == "26 mm equivalent"


@pytest.mark.parametrize(("unit", "per_unit"), [(2, 25.4), (3, 10.0), (None, 25.4)])
def test_the_sensors_resolution_serves_where_there_is_no_equivalent(tmp_path, unit, per_unit):
    entries = {
        BASE.FocalLength: IFDRational(50, 1),
        BASE.FocalPlaneXResolution: IFDRational(round(4000 / 22.3 * per_unit * 1000), 1000),  # 22.3 mm wide
        BASE.ExifImageWidth: 4000,
        BASE.ExifImageHeight: 3000,
    }
    if unit:
        entries[BASE.FocalPlaneResolutionUnit] = unit
    for size in ((4000, 3000), (3000, 4000)):
        focal = read_exif_focal(photo(tmp_path / "p.jpg", entries, size))
        assert focal.pixels == pytest.approx(50 / 22.3 * 4000, rel=1e-4)
    # Resized afterwards: sensor pixels are not image pixels.
    assert read_exif_focal(photo(tmp_path / "p.jpg", entries, (2000, 1500))) is None


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {BASE.FocalLength: 4.25},  # unknown sensor size
        {BASE.FocalLengthIn35mmFilm: 0},  # "unknown" in EXIF
        {BASE.FocalLength: IFDRational(1, 0), BASE.FocalPlaneXResolution: IFDRational(0, 0)},
    ],
)
def test_none_where_the_camera_did_not_say(tmp_path, entries):
    assert read_exif_focal(photo(tmp_path / "p.jpg", entries)) is None


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe1\xff\xffExif\0\0garbage"])
def test_none_where_there_is_no_exif_that_can_be_read(tmp_path, content):
    (tmp_path / "p.jpg").write_bytes(content)
    assert read_exif_focal(tmp_path / "p.jpg") is None
