"""The size of an image is read from its header, before memory is allocated for its pixels."""

import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.encoded_image import MAX_PIXELS, decode, read_size

ENCODERS = (".png", ".jpg", ".bmp", ".tiff", ".webp", ".ppm", ".pgm")


def encoded(suffix, height=24, width=40, channels=3):
    shape = (height, width) if suffix == ".pgm" or channels == 1 else (height, width, channels)
    return cv2.imencode(suffix, np.random.default_rng(0).integers(0, 256, shape, np.uint8))[1].tobytes()


def png_of(width, height):
    """A PNG that declares this size with a valid checksum, but holds one row of one pixel."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


def jpeg_of(width, height):
    data = bytearray(encoded(".jpg"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_of(width, height):
    data = bytearray(encoded(".bmp"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def ppm_of(width, height):
    return b"P6\n%d %d\n255\n" % (width, height) + bytes(100)


def peak_mb():
    """Peak resident memory of this process in MB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text()).group(1)) // 1000


@pytest.mark.parametrize("suffix", ENCODERS)
@given(height=st.integers(1, 60), width=st.integers(1, 60))
def test_the_size_is_that_of_the_pixels(suffix, height, width):
    data = encoded(suffix, height, width)
    assert read_size(data) == (width, height)
    assert decode(data, cv2.IMREAD_COLOR).shape == (height, width, 3)


def test_whatever_holds_the_bytes_is_read():
    data = encoded(".png")
    for buffer in (data, memoryview(data), np.frombuffer(data, np.uint8)):
        assert read_size(buffer) == (40, 24)


@pytest.mark.parametrize("make", [png_of, jpeg_of, bmp_of, ppm_of])
@pytest.mark.parametrize("size", [(8193, 8192), (30000, 30000), (60000, 60000)])
def test_a_size_that_no_camera_has_is_refused(make, size):
    with pytest.raises(ValueError, match=f"announces more than {MAX_PIXELS} pixels"):
        decode(make(*size), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"#?RADIANCE\n\n-Y 9 +X 9\n", b"x" * 99])
def test_what_has_no_header_is_refused(data):
    with pytest.raises(ValueError, match="no header of BMP, JPEG, PNG"):
        decode(data, cv2.IMREAD_COLOR)


def test_damaged_pixels_behind_a_sound_header_are_refused(capfd):
    data = bytearray(encoded(".png"))
    data[-40] ^= 1
    with pytest.raises(ValueError, match="announces 24x40 pixels, but its data is damaged"):
        decode(bytes(data), cv2.IMREAD_COLOR)


def test_a_chunk_that_announces_gigabytes_is_refused():
    data = bytearray(encoded(".png"))
    data[33] ^= 0x40  # length of the first pixel chunk: a gigabyte more, which OpenCV allocated
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = peak_mb()
    with pytest.raises(ValueError, match="announces 24x40 pixels, but its data is damaged"):
        decode(bytes(data), cv2.IMREAD_COLOR)
    assert peak_mb() - before < 100


@given(position=st.integers(8, 32), bit=st.integers(0, 7))
def test_no_flipped_bit_of_a_png_header_goes_unnoticed(position, bit):
    data = bytearray(encoded(".png"))
    data[position] ^= 1 << bit
    with pytest.raises(ValueError):
        decode(bytes(data), cv2.IMREAD_COLOR)
