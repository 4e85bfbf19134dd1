"""Sizes are checked before pixels are decoded; Bayer mosaics are not taken for colour images."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
from adu_depth_core.bags.messages import compressed_image_message, image_message
from adu_depth_core.image_decoding import announced_size, decode_compressed

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)


def compressed(format, suffix=".png", pixels=PIXELS):
    return compressed_image_message(cv2.imencode(suffix, pixels)[1].tobytes(), format, 1, "camera")


@pytest.mark.parametrize(
    "message",
    [compressed("png"), compressed("jpeg", ".jpg"), image_message(PIXELS, "rgb8", 1, "camera")],
    ids=["png", "jpeg", "raw"],
)
def test_the_announced_size_is_width_and_height(message):
    assert announced_size(message) == (24, 16)


def test_a_raw_image_shorter_than_announced_has_no_size():
    message = image_message(PIXELS, "rgb8", 1, "camera")
    message.height = 17
    with pytest.raises(ValueError, match="shorter than step"):
        announced_size(message)


@pytest.mark.parametrize("read", [announced_size, decode_compressed])
def test_the_message_is_named_with_its_fault(read):
    message = compressed_image_message(b"\xff\xd8\xff", "jpeg", 1, "camera")
    with pytest.raises(ValueError, match=r"'jpeg' \(3 bytes\) could not be decoded: no header of"):
        read(message)


@pytest.mark.parametrize(
    "format", ["bayer_rggb8; jpeg compressed ", "bayer_gbrg16; png compressed", "bayer_bggr8; jpeg"]
)
def test_a_compressed_mosaic_is_refused(format):
    mosaic = compressed(format, pixels=PIXELS[..., 0])
    with pytest.raises(ValueError, match=r"'bayer_.*Bayer mosaic.*debayer"):
        decode_compressed(mosaic)


@pytest.mark.parametrize(
    "format", ["bayer_rggb8; jpeg compressed bgr8", "rgb8; png compressed bgr8", "png", ""]
)
def test_other_formats_are_decoded(format):
    assert np.array_equal(decode_compressed(compressed(format))[0], PIXELS)
