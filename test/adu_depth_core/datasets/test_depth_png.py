import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.datasets.depth_png import read_png16, read_rgb, write_png16
from adu_depth_core.errors import UserError


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
