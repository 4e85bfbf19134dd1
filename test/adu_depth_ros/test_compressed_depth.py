"""Decoding as in ``compressed_depth_image_transport/src/codec.cpp`` (image_transport_plugins, rolling)."""

import struct

import cv2
import numpy as np
import pytest

pytest.importorskip("sensor_msgs")
from std_msgs.msg import Header

from adu_depth_core.inference.depth_output import encode_depth
from adu_depth_ros.compressed_depth import compressed_depth

DEPTH = np.geomspace(1.0, 79.9, 60 * 80).astype(np.float32).reshape(60, 80)


def decoded(message):
    """``decodeCompressedDepthImage``, step by step."""
    encoding, _, ending = message.format.partition(";")
    assert "compressedDepth png" in ending
    assert len(message.data) > 12
    compression_format, a, b = struct.unpack_from("<iff", bytes(message.data))
    assert compression_format == 0  # INV_DEPTH
    png = cv2.imdecode(np.frombuffer(message.data, np.uint8)[12:], cv2.IMREAD_UNCHANGED)
    assert png.dtype == np.uint16
    if encoding == "16UC1":
        return png
    a, b = np.float32(a), np.float32(b)
    with np.errstate(divide="ignore"):
        return np.where(png != 0, a / (png.astype(np.float32) - b), np.float32(np.nan))


def test_metres_come_back_with_an_error_of_half_a_step():
    message = compressed_depth(DEPTH, "32FC1", Header(frame_id="camera"), near=1.0, far=80.0, level=1)
    assert (message.format, message.header.frame_id) == ("32FC1; compressedDepth png", "camera")
    back = decoded(message)
    step = DEPTH.astype(np.float64) ** 2 * (1 / 1.0 - 1 / 80.0) / 65534
    assert (np.abs(back - DEPTH) <= 0.55 * step + 1e-5).all()
    assert np.abs(back - DEPTH).max() < 0.05


def test_what_is_unknown_or_far_is_nan_and_what_is_too_near_stays_near():
    depth = np.array([[np.nan, np.inf, 81.0, 80.0, 1.0, 0.5, 0.001]], np.float32)
    back = decoded(compressed_depth(depth, "32FC1", Header(), near=1.0, far=80.0, level=1))
    assert np.isnan(back[0, :3]).all()
    assert back[0, 3] == pytest.approx(80.0, rel=1e-3)
    assert back[0, 4:] == pytest.approx(1.0, rel=1e-3)


def test_millimetres_come_back_as_they_are():
    depth = DEPTH.copy()
    depth[0, :3] = np.nan, np.inf, 70.0
    pixels = encode_depth(depth, "16UC1")
    message = compressed_depth(pixels, "16UC1", Header(), near=1.0, far=80.0, level=3)
    assert message.format == "16UC1; compressedDepth png"
    assert np.array_equal(decoded(message), pixels)


def test_a_higher_level_is_not_larger():
    sizes = [len(compressed_depth(DEPTH, "32FC1", Header(), 1.0, 80.0, level).data) for level in (0, 1, 9)]
    assert sizes[0] > sizes[1] >= sizes[2]
