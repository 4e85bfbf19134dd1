"""Outputs of depth_node for given inputs: one process, real DDS."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from adu_depth_ros.frame_statistics import FATES

FRAMES = 30
TOPICS = {
    "depth/image": Image,
    "depth/camera_info": CameraInfo,
    "uncertainty/image": Image,
    "depth/color": Image,
    "depth/points": PointCloud2,
}


@pytest.fixture(scope="module")
def node(start_node, camera, shipped_model):
    process = start_node("-p", f"model:={shipped_model}", "-p", "max_relative_sigma:=100.0")
    camera.wait_for_subscriber()
    return process


@pytest.fixture(scope="module")
def diagnostics(client, node):
    return client.listen(DiagnosticArray, "/diagnostics")


@pytest.fixture(scope="module")
def idle_values(node, camera, diagnostics, wait_for):
    """Diagnostics after frames sent without subscribers."""

    def received():
        camera.send()  # best effort: frames are lost until discovery completes
        time.sleep(0.1)
        return next((v for v in values_of(diagnostics) if v["frames received"] != "0"), None)

    return wait_for(received, "diagnostics of a frame")


@pytest.fixture(scope="module")
def outputs(client, node, camera, idle_values, wait_for):
    """All outputs, subscribed: returns once they are known to arrive."""
    topics = {topic: client.listen(message_type, topic) for topic, message_type in TOPICS.items()}
    wait_for(lambda: camera.send() and not time.sleep(0.1) and all(topics.values()), "all outputs")
    return topics


def values_of(diagnostics):
    return [{pair.key: pair.value for pair in array.status[0].values} for array in list(diagnostics)]


def depth_of(message):
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def clear(outputs):
    time.sleep(0.2)
    for messages in outputs.values():
        messages.clear()


def test_frames_that_nobody_sees_are_idle_and_not_dropped(idle_values):
    fates = {fate: idle_values[f"frames {fate}"] for fate in FATES}
    assert fates == {**dict.fromkeys(FATES, "0"), "idle": idle_values["frames received"]}


def test_one_output_for_each_input_stamp(outputs, camera, wait_for):
    clear(outputs)
    sent = []
    for _ in range(FRAMES):
        sent.append(camera.send())
        time.sleep(0.05)
    for topic, messages in outputs.items():
        wait_for(lambda messages=messages: len(messages) == FRAMES, f"{FRAMES} messages of {topic}")
        assert [message.header for message in messages] == sent


def test_depth_and_sigma_are_metres_of_the_images_size(outputs):
    depth, sigma = outputs["depth/image"][-1], outputs["uncertainty/image"][-1]
    for message in (depth, sigma):
        assert (message.encoding, message.width, message.height) == ("32FC1", 160, 48)
        assert not np.isnan(depth_of(message)).any()
    assert (depth_of(depth) > 0).all()
    assert (depth_of(sigma) > 0).all()
    info = outputs["depth/camera_info"][-1]
    assert (info.width, info.height, info.p[0], info.p[3]) == (160, 48, 100.0, -54.0)


def test_points_are_the_pixels_of_the_depth_image(outputs):
    cloud, depth = outputs["depth/points"][-1], outputs["depth/image"][-1]
    z = np.frombuffer(cloud.data, np.float32).reshape(48, 160, 5)[..., 2]
    finite = np.isfinite(depth_of(depth))
    assert np.array_equal(z[finite], depth_of(depth)[finite])
    assert np.isnan(z[~finite]).all()


def test_diagnostics_account_for_every_frame(outputs, camera, diagnostics, wait_for):
    for _ in range(20):  # faster than they can be processed
        camera.send()
    time.sleep(1)
    count = len(diagnostics)
    wait_for(lambda: len(diagnostics) > count + 1, "diagnostics")
    values = values_of(diagnostics)[-1]
    fates = [int(values[f"frames {fate}"]) for fate in FATES]
    assert sum(fates) == int(values["frames received"]) > FRAMES
    assert int(values["frames dropped"]) > 0
    assert 0 < float(values["inference p50 (ms)"]) <= float(values["inference p99 (ms)"])
    assert values["backend"].startswith("openvino")
    assert values["network size"] == "64x192"
    assert values["model"].endswith("adu_student.onnx")
    assert values["state"] == "active"


def test_depth_beyond_the_maximum_is_infinite(outputs, camera, client, wait_for):
    clear(outputs)
    camera.send()
    wait_for(lambda: outputs["depth/image"], "depth")
    middle = float(np.median(depth_of(outputs["depth/image"][-1])))
    assert client.set_parameter("max_depth", middle).successful
    clear(outputs)
    camera.send()
    wait_for(lambda: outputs["depth/image"], "depth")
    depth = depth_of(outputs["depth/image"][-1])
    assert 0.3 < np.isposinf(depth).mean() < 0.7
    assert depth[np.isfinite(depth)].max() < middle
    assert client.set_parameter("max_depth", 80.0).successful


def test_the_sigma_threshold_takes_effect_at_once(outputs, camera, client, wait_for):
    assert client.set_parameter("max_relative_sigma", 0.0).successful
    clear(outputs)
    camera.send()
    wait_for(lambda: outputs["depth/image"], "depth")
    assert np.isnan(depth_of(outputs["depth/image"][-1])).all()
    assert client.set_parameter("max_relative_sigma", 100.0).successful


def test_millimetres_are_published_on_request(outputs, camera, client, wait_for):
    assert client.set_parameter("depth_encoding", "16UC1").successful
    clear(outputs)
    camera.send()
    wait_for(lambda: outputs["depth/image"] and outputs["depth/points"], "depth")
    image = outputs["depth/image"][-1]
    assert (image.encoding, image.step) == ("16UC1", 320)
    millimetres = np.frombuffer(image.data, np.uint16).reshape(48, 160)
    z = np.frombuffer(outputs["depth/points"][-1].data, np.float32).reshape(48, 160, 5)[..., 2]
    fits = z < 65.535
    assert np.abs(millimetres[fits] / 1000 - z[fits]).max() <= 0.0006
    assert (millimetres[~fits] == 0).all()
    assert client.set_parameter("depth_encoding", "32FC1").successful


BAD_IMAGES = {
    "unknown encoding": ({"encoding": "infrared"}, "'infrared'"),
    "short data": ({"data": bytes(100)}, "100 bytes, shorter than step * height = 480 * 48"),
    "zero size": ({"width": 0, "height": 0, "step": 0, "data": b""}, "image is empty"),
    "other size than its calibration": (
        {"width": 80, "height": 48, "step": 240, "data": bytes(240 * 48)},
        "camera_info is of a 48x160 image",
    ),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_bad_image_gets_one_error_and_the_next_good_one_its_depth(name, node, outputs, camera, wait_for):
    changes, complaint = BAD_IMAGES[name]
    clear(outputs)
    for _ in range(3):
        camera.send(**changes)
        time.sleep(0.1)
    node.wait_for_error(complaint)
    good = camera.send()
    wait_for(lambda: outputs["depth/image"], "depth of the good frame")
    assert [message.header for message in outputs["depth/image"]] == [good]
    assert sum(complaint in error for error in node.errors()) == 1


def test_an_uncalibrated_camera_gets_one_error_until_it_is_calibrated(node, outputs, camera, wait_for):
    clear(outputs)
    for _ in range(3):
        header = camera.header()
        camera.send_info(header, k=[0.0] * 9, p=[0.0] * 12)
        camera.send_image(header)
        time.sleep(0.1)
    node.wait_for_error("K[0] is 0")
    good = camera.send()
    wait_for(lambda: outputs["depth/image"], "depth of the calibrated frame")
    assert [message.header for message in outputs["depth/image"]] == [good]
    assert sum("K[0] is 0" in error for error in node.errors()) == 1


ABSURD = {
    "focal length of a thousandth": {"k": [1e-3, 0, 80, 0, 1e-3, 24, 0, 0, 1], "p": [0.0] * 12},
    "focal length of a million": {"p": [1e6, 0, 80, 0, 0, 1e6, 24, 0, 0, 0, 1, 0]},
    "focal length beyond float32": {"p": [1e30, 0, 80, 0, 0, 1e30, 24, 0, 0, 0, 1, 0]},
}


@pytest.mark.parametrize("name", ABSURD)
def test_an_absurd_calibration_is_an_error_and_gives_no_depth(name, node, outputs, camera, wait_for):
    clear(outputs)
    for _ in range(3):
        header = camera.header()
        camera.send_info(header, **{key: [float(v) for v in value] for key, value in ABSURD[name].items()})
        camera.send_image(header)
        time.sleep(0.1)
    node.wait_for_error("field of view of")
    good = camera.send()
    wait_for(lambda: outputs["depth/image"], "depth of the good frame")
    assert [message.header for message in outputs["depth/image"]] == [good]


def test_a_stamp_before_1970_is_rejected_and_gives_no_depth(node, outputs, camera, diagnostics, wait_for):
    clear(outputs)
    header = camera.header()
    header.stamp.sec = -5
    camera.send_info(header)
    camera.send_image(header)
    node.wait_for_error("the image's stamp is -5 s, before 1970")
    good = camera.send()
    wait_for(lambda: outputs["depth/image"], "depth of the good frame")
    assert [message.header for message in outputs["depth/image"]] == [good]


def test_the_first_image_of_a_frame_waits_for_its_calibration(outputs, camera, wait_for):
    clear(outputs)
    header = camera.header()
    header.frame_id = "second_camera"
    camera.send_image(header)
    time.sleep(0.3)
    assert not outputs["depth/image"]
    camera.send_info(header)
    wait_for(lambda: outputs["depth/image"], "depth")
    assert outputs["depth/image"][0].header == header


def test_images_without_calibration_are_named_with_topic_and_frame(node, outputs, camera):
    for _ in range(2):
        header = camera.header()
        header.frame_id = "third_camera"
        camera.send_image(header)
        time.sleep(0.1)
    error = node.wait_for_error("no camera_info of frame 'third_camera'")
    assert "/camera_info" in error
    assert "'camera'" in error


def test_rejections_are_in_the_diagnostics(node, outputs, camera, diagnostics, wait_for):
    camera.send(encoding="infrared")
    wait_for(lambda: "infrared" in values_of(diagnostics)[-1]["last rejection"], "the reason")


def test_nothing_unexpected_was_logged(node):
    assert node.is_alive()
    assert not [line for line in node.log if "fault" in line or "Traceback" in line]
