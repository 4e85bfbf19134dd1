import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sensor_msgs")
import cv2
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from adu_depth_core.image_decoding import ENCODINGS, decode_compressed
from adu_depth_ros.image_conversion import image_from_message, image_to_message

BYTES_PER_PIXEL = {"rgb8": 3, "bgr8": 3, "8UC3": 3, "rgba8": 4, "bgra8": 4, "mono8": 1, "8UC1": 1}
RGB = (200, 120, 40)


def message(encoding, rows, width, padding=b"", **fields):
    """Image message with padding at the end of each row."""
    rows = [bytes(row) + padding for row in rows]
    return Image(
        encoding=encoding, height=len(rows), width=width, step=len(rows[0]), data=b"".join(rows), **fields
    )


@given(
    encoding=st.sampled_from(sorted(BYTES_PER_PIXEL)),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    padding=st.binary(max_size=7),
    seed=st.integers(0, 99),
)
def test_pixels_survive_whatever_pads_the_rows(encoding, height, width, padding, seed):
    count = BYTES_PER_PIXEL[encoding]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, count), dtype=np.uint8)
    image, channels = image_from_message(message(encoding, pixels.reshape(height, -1), width, padding))
    assert np.array_equal(image.reshape(pixels.shape), pixels)
    assert len(channels) == count or (channels, count) == ("mono", 1)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8"])
def test_the_channel_order_is_what_the_encoding_says(encoding):
    by_name = dict(zip("rgba", (*RGB, 255), strict=True))
    image, channels = image_from_message(message(encoding, [[by_name[c] for c in encoding[:-1]]], 1))
    assert dict(zip(channels, image[0, 0].tolist(), strict=True)) == {c: by_name[c] for c in channels}


@pytest.mark.parametrize("big_endian", [False, True])
def test_mono16_becomes_its_more_significant_byte(big_endian):
    values = np.array([[0, 255, 256], [0x1234, 0xFF00, 0xFFFF]], ">u2" if big_endian else "<u2")
    rows = values.view(np.uint8).reshape(2, -1)
    image, channels = image_from_message(message("mono16", rows, 3, b"\7", is_bigendian=big_endian))
    assert channels == "mono"
    assert image.tolist() == [[0, 0, 1], [0x12, 0xFF, 0xFF]]


@pytest.mark.parametrize("encoding", [e for e in ENCODINGS if e.startswith("bayer")])
def test_bayer_mosaics_get_their_colors_back(encoding):
    # ROS names the Bayer pattern by the first row, then the second, left to right.
    pattern = np.array(["rgb".index(c) for c in encoding[6:10]]).reshape(2, 2)
    mosaic = np.array(RGB, np.uint8)[np.tile(pattern, (4, 4))]
    image, channels = image_from_message(message(encoding, mosaic, 8, b"\0\0"))
    assert channels == "rgb"
    assert (image == RGB).all()


@pytest.mark.parametrize("encoding", ["uyvy", "yuv422", "yuyv", "yuv422_yuy2"])
def test_yuv422_gets_its_colors_back(encoding):
    y, v, u = cv2.cvtColor(np.array([[RGB]], np.uint8), cv2.COLOR_RGB2YCrCb)[0, 0].tolist()
    # Studio swing: Y 16..235, U and V 16..240 (BT.601)
    y, u, v = (round(16 + y * 219 / 255), *(round(128 + (c - 128) * 224 / 255) for c in (u, v)))
    pair = [u, y, v, y] if encoding in ("uyvy", "yuv422") else [y, u, y, v]
    image, channels = image_from_message(message(encoding, [pair * 2, pair * 2], 4, b"\0"))
    assert channels == "rgb"
    assert np.abs(image.astype(int) - RGB).max() <= 3


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"encoding": "bayer_rggb16"}, r"unknown.*'bayer_rggb16'.*rgb8|'bayer_rggb16' is unknown.*rgb8"),
        ({"data": bytes(35)}, r"35 bytes, shorter than step \* height = 12 \* 3 = 36"),
        ({"width": 0}, "empty"),
        ({"height": 0}, "empty"),
        ({"width": 5}, "step is 12 bytes, but 5 pixels of rgb8 are 15"),
        ({"encoding": "yuyv", "width": 3}, "width of 3"),
        ({"encoding": "bayer_rggb8", "height": 1}, "2x2"),
    ],
)
def test_an_image_that_cannot_be_read_is_named(change, complaint):
    image = message("rgb8", np.zeros((3, 12), np.uint8), 4)
    for name, value in change.items():
        setattr(image, name, value)
    with pytest.raises(ValueError, match=complaint):
        image_from_message(image)


def test_cv_bridge_is_asked_for_other_encodings():
    pytest.importorskip("cv_bridge", reason="cv_bridge comes with a ROS installation", exc_type=Exception)
    pixels = np.full((2, 3 * 3), 0x4242, np.uint16)
    image, channels = image_from_message(message("rgb16", pixels.view(np.uint8), 3))
    assert (image == 0x42).all()
    assert image.shape == (2, 3, 3)
    assert channels == "rgb"


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_compressed_images_are_decoded(format):
    bgr = np.full((16, 24, 3), RGB[::-1], np.uint8)
    data = cv2.imencode(f".{format}", bgr)[1].tobytes()
    image, channels = decode_compressed(CompressedImage(format=f"rgb8; {format} compressed bgr8", data=data))
    assert channels == "bgr"
    assert np.abs(image.astype(int) - bgr).max() <= 3


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff damaged"])
def test_damaged_compressed_images_are_named(data):
    with pytest.raises(ValueError, match=rf"'jpeg' \({len(data)} bytes\) could not be decoded"):
        decode_compressed(CompressedImage(format="jpeg", data=data))


def test_messages_hold_the_pixels_and_say_how():
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)[:, 1:]
    image = image_to_message(pixels, "32FC1", Header(frame_id="camera"))
    assert (image.height, image.width, image.step, image.encoding) == (3, 3, 12, "32FC1")
    assert image.header.frame_id == "camera"
    assert np.frombuffer(image.data, np.float32).reshape(3, 3).tolist() == pixels.tolist()
