"""Optional outputs over real DDS: compressed depth, confidence, clouds, regions, masks, rates."""

import struct
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from diagnostic_msgs.msg import DiagnosticArray


@pytest.fixture(scope="module")
def node(start_node, camera, shipped_model):
    process = start_node("-p", f"model:={shipped_model}", "-p", "max_relative_sigma:=100.0")
    camera.wait_for_subscriber()
    return process


@pytest.fixture(scope="module")
def outputs(client, node, camera, wait_for):
    topics = client.listen_to_outputs()
    wait_for(lambda: camera.send() and not time.sleep(0.1) and all(topics.values()), "all outputs")
    return topics


@pytest.fixture
def set_parameters(client):
    """Set parameters for the duration of the test."""
    changed = {}

    def change(**values):
        for name, (value, default) in values.items():
            result = client.set_parameter(name, value)
            assert result.successful, result.reason
            changed[name] = default

    yield change
    for name, default in changed.items():
        assert client.set_parameter(name, default).successful


@pytest.fixture
def frame(outputs, camera, wait_for):
    """Send a frame; the resulting messages by topic."""

    def send(*without):
        time.sleep(0.2)
        for messages in outputs.values():
            messages.clear()
        header = camera.header()
        camera.send_info(header)
        camera.send_image(header)
        expected = [topic for topic in outputs if topic not in without]
        wait_for(lambda: all(outputs[topic] for topic in expected), f"{expected}")
        assert all(outputs[topic][0].header == header for topic in expected)
        return {topic: messages[0] for topic, messages in outputs.items() if messages}

    return send


def floats(message):
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def points(message):
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width, 5)


def test_compressed_depth_is_the_depth_image(frame, set_parameters):
    published = frame()
    depth, message = floats(published["depth/image"]), published["depth/image/compressedDepth"]
    assert message.format == "32FC1; compressedDepth png"
    _, a, b = struct.unpack_from("<iff", bytes(message.data))
    png = cv2.imdecode(np.frombuffer(message.data, np.uint8)[12:], cv2.IMREAD_UNCHANGED)
    finite = np.isfinite(depth)
    assert finite.any()
    assert np.array_equal(png != 0, finite)
    assert np.abs(a / (png[finite] - np.float32(b)) - depth[finite]).max() < 0.05
    set_parameters(depth_encoding=("16UC1", "32FC1"))
    published = frame()
    message = published["depth/image/compressedDepth"]
    assert message.format == "16UC1; compressedDepth png"
    png = cv2.imdecode(np.frombuffer(message.data, np.uint8)[12:], cv2.IMREAD_UNCHANGED)
    assert np.array_equal(png, np.frombuffer(published["depth/image"].data, np.uint16).reshape(48, 160))


def test_confidence_falls_with_relative_sigma(frame, set_parameters):
    set_parameters(confidence_tolerance=(0.5, 0.1))
    published = frame()
    message = published["confidence/image"]
    assert (message.encoding, message.width, message.height) == ("mono8", 160, 48)
    sure = np.frombuffer(message.data, np.uint8).reshape(48, 160).astype(float)
    depth, sigma = floats(published["depth/image"]), floats(published["uncertainty/image"])
    finite = np.isfinite(depth)
    assert np.ptp(sure[finite]) > 10
    order = np.argsort((sigma / depth)[finite])
    assert (np.diff(sure[finite][order]) <= 0).all()
    set_parameters(confidence_tolerance=(1.0, 0.1))
    wider = np.frombuffer(frame()["confidence/image"].data, np.uint8).reshape(48, 160)
    assert (wider >= sure).all()
    assert wider.mean() > sure.mean() + 5


def test_what_the_mask_hides_is_nan_everywhere_and_counts_nowhere(frame, set_parameters, client, wait_for):
    set_parameters(ego_mask=("0,30 159,30 159,47 0,47", ""))
    published = frame()
    for topic in ("depth/image", "uncertainty/image"):
        assert np.isnan(floats(published[topic])[30:]).all()
        assert np.isfinite(floats(published["uncertainty/image"])[:30]).all()
    assert not np.frombuffer(published["confidence/image"].data, np.uint8).reshape(48, 160)[30:].any()
    assert np.isnan(points(published["depth/points"])[30:, :, 2]).all()
    set_parameters(max_relative_sigma=(0.0, 100.0))
    assert np.isnan(floats(frame()["depth/image"])).all()
    set_parameters(max_relative_sigma=(100.0, 100.0))
    time.sleep(5.5)  # until the frames without depth leave the window
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    frame()
    withheld = wait_for(
        lambda: next(
            (p.value for a in diagnostics[1:] for p in a.status[0].values if p.key == "withheld (%)"), None
        ),
        "diagnostics",
    )
    assert withheld == "0"


def test_a_region_of_interest_is_published_with_its_calibration(frame, set_parameters):
    set_parameters(region_of_interest=("20,8,120,36", ""))
    published = frame()
    depth, info = published["depth/image"], published["depth/camera_info"]
    assert (depth.width, depth.height) == (120, 36)
    roi = info.roi
    assert (info.width, info.height) == (160, 48)
    assert (roi.x_offset, roi.y_offset, roi.width, roi.height) == (20, 8, 120, 36)
    cloud = points(published["depth/points"])
    z = cloud[0, 0, 2]
    assert cloud[0, 0, 0] == pytest.approx((20 - 80.0) / 100 * z, rel=1e-4)
    assert cloud[0, 0, 1] == pytest.approx((8 - 24.0) / 100 * z, rel=1e-4)


def test_a_region_outside_the_image_is_a_bad_frame(node, outputs, camera, set_parameters):
    set_parameters(region_of_interest=("20,8,1200,36", ""))
    camera.send()
    node.wait_for_error("region_of_interest 20,8,1200,36 is outside the 48x160 image")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("region_of_interest", "1,2,3", "LEFT,TOP,WIDTH,HEIGHT"),
        ("ego_mask", "missing.png", "missing.png cannot be read"),
        ("ego_mask", "1,2 3,4", "polygons of three corners"),
        ("points_voxel", -1.0, "out of range"),
        ("png_level", 10, "out of range"),
    ],
)
def test_what_makes_no_sense_is_refused(node, client, name, value, complaint):
    result = client.set_parameter(name, value)
    assert not result.successful
    assert complaint in result.reason


def test_clouds_can_be_thinned_and_rarer_than_depth(frame, set_parameters, outputs, camera, wait_for):
    whole = frame()["depth/points"]
    set_parameters(points_voxel=(1.0, 0.0), points_far=(40.0, 1000.0))
    message = frame()["depth/points"]
    thinned = points(message)
    assert message.height == 1
    assert 0 < message.width < whole.width * whole.height / 2
    assert np.isfinite(thinned).all()
    assert thinned[..., 2].max() <= 40.0
    set_parameters(points_rate=(2.0, 0.0))
    for messages in outputs.values():
        messages.clear()
    for _ in range(20):
        camera.send()
        time.sleep(0.1)
    wait_for(lambda: len(outputs["depth/image"]) >= 18, "depth")
    assert 3 <= len(outputs["depth/points"]) <= 7


def test_frames_beyond_the_rate_are_counted_as_limited(outputs, camera, client, set_parameters, wait_for):
    set_parameters(max_rate=(5.0, 0.0))
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    time.sleep(0.3)
    outputs["depth/image"].clear()
    for _ in range(30):
        camera.send()
        time.sleep(0.1)
    time.sleep(0.5)
    assert 12 <= len(outputs["depth/image"]) <= 18
    count = len(diagnostics)
    wait_for(lambda: len(diagnostics) > count + 1, "diagnostics")
    values = {pair.key: pair.value for pair in diagnostics[-1].status[0].values}
    assert int(values["frames limited"]) >= 12
    assert "dropped" not in diagnostics[-1].status[0].message
