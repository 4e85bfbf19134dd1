import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.errors import UserError
from adu_depth_core.images import downscale, read_png16, read_rgb, write_png16


@given(values=st.lists(st.floats(1 / 256, 255.9), min_size=1, max_size=20))
def test_depth_survives_within_half_a_step(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("png") / "depth.png"
    depth = np.array([values], np.float32)
    write_png16(path, depth)
    read = read_png16(path)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, depth, atol=1 / 512 + 1e-6)


def test_values_that_cannot_be_stored_become_unknown(tmp_path):
    path = tmp_path / "depth.png"
    write_png16(path, np.array([[np.nan, np.inf, -1.0, 0.0, 256.0, 255.99, 10.5]], np.float32))
    np.testing.assert_array_equal(read_png16(path), [[0, 0, 0, 0, 0, np.float32(65533 / 256), 10.5]])


def test_the_stored_number_is_256_times_the_metres(tmp_path):
    path = tmp_path / "depth.png"
    write_png16(path, np.full((2, 3), 12.25, np.float32))
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored, np.full((2, 3), 12.25 * 256))


def test_an_8_bit_or_colour_png_is_no_depth(tmp_path):
    path = tmp_path / "image.png"
    for image in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.uint16)):
        cv2.imwrite(str(path), image)
        with pytest.raises(UserError, match=r"image.png: expected a 16-bit one-channel PNG, got uint"):
            read_png16(path)


@pytest.mark.parametrize("read", [read_png16, read_rgb])
def test_a_missing_or_damaged_file_is_named(read, tmp_path):
    path = tmp_path / "broken.png"
    with pytest.raises(UserError, match=r"broken.png: missing or not a readable image"):
        read(path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(UserError, match=r"broken.png: missing or not a readable image"):
        read(path)


def test_images_are_rgb(tmp_path):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.array([[[1, 2, 3]]], np.uint8))  # OpenCV writes blue, green, red
    np.testing.assert_array_equal(read_rgb(path), [[[3, 2, 1]]])


@pytest.mark.parametrize("factor", [2, 3, 5.3, 11])
def test_downscale_does_not_alias(factor):
    """Pixel noise averages out; plain bilinear interpolation would keep most of it at any factor."""
    width, height = 96, 64
    noise = np.random.default_rng(3).integers(0, 256, (int(height * factor), int(width * factor)), np.uint8)
    averaged = downscale(noise, width, height)
    assert averaged.shape == (height, width)
    reference = cv2.resize(noise, (width, height), interpolation=cv2.INTER_AREA).std()
    assert averaged.std() < 1.45 * reference
    assert averaged.std() < 0.7 * noise.std()


@pytest.mark.parametrize("factor", [0.5, 1, 1.9, 3.7, 8])
def test_downscale_moves_nothing(factor):
    """A ramp remains the ramp of the resized camera: pixel centres map as in ``Camera.resize``."""
    width, height = 60, 40
    columns = round(width * factor)
    ramp = np.tile(np.linspace(10, 240, columns), (round(height * factor), 1)).round().astype(np.uint8)
    centres = (np.arange(width) + 0.5) * columns / width - 0.5
    expected = np.interp(centres, np.arange(columns), ramp[0])
    inner = slice(2, -2)
    np.testing.assert_allclose(downscale(ramp, width, height)[20, inner], expected[inner], atol=2)
