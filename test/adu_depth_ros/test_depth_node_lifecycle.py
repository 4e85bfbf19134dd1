"""Transitions, parameters and model files of depth_node, through its real services."""

import dataclasses
import shutil
import signal
import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import DescribeParameters
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from adu_depth_core.inference.installed_models import model_names
from adu_depth_core.model_card import card_path, file_sha256, read_card
from adu_depth_ros.parameters import Parameters


@pytest.fixture(scope="module")
def waiting_node(start_node, shipped_model):
    """An unconfigured node, shared by the tests that leave it unconfigured."""
    return start_node("-p", "autostart:=false", "-p", f"model:={shipped_model}")


@pytest.fixture
def configurable(waiting_node, client):
    yield waiting_node
    assert waiting_node.is_alive()
    for transition in {"active": ("deactivate", "cleanup"), "inactive": ("cleanup",)}.get(client.state(), ()):
        assert client.change_state(transition)


def test_every_transition_works_and_works_again(configurable, client):
    assert client.state() == "unconfigured"
    for _ in range(2):
        for transition, state in [
            ("configure", "inactive"),
            ("activate", "active"),
            ("deactivate", "inactive"),
            ("activate", "active"),
            ("deactivate", "inactive"),
            ("cleanup", "unconfigured"),
        ]:
            assert client.change_state(transition), transition
            assert client.state() == state


def test_an_impossible_transition_is_refused_and_the_node_lives(configurable, client):
    assert not client.change_state("activate")
    by_number = Transition(id=Transition.TRANSITION_ACTIVATE)
    assert not client.call(ChangeState, "change_state", transition=by_number).success
    configurable.wait_for_error("transition")  # rclpy's own text since Kilted
    assert client.state() == "unconfigured"


def test_an_inactive_node_does_not_listen(configurable, client, camera, wait_for):
    assert client.change_state("configure")
    time.sleep(0.5)
    assert camera.images.get_subscription_count() == 0
    assert client.change_state("activate")
    camera.wait_for_subscriber()
    assert client.change_state("deactivate")
    wait_for(lambda: camera.images.get_subscription_count() == 0, "the subscription to go")


def test_a_parameter_of_the_outputs_changes_only_while_unconfigured(configurable, client):
    assert client.change_state("configure")
    refused = client.set_parameter("output_size", "network")
    assert not refused.successful
    for word in ("output_size", "deactivate", "cleanup", "configure", "activate"):
        assert word in refused.reason
    assert client.set_parameter("max_depth", 50.0).successful
    assert client.change_state("cleanup")
    assert client.set_parameter("output_size", "network").successful
    assert client.set_parameter("output_size", "image").successful


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("backend", "tensorflow", "auto, openvino"),
        ("depth_encoding", "mono8", "32FC1, 16UC1"),
        ("network_size", "big", "HEIGHTxWIDTH"),
        ("max_relative_sigma", -0.1, "out of range"),
        ("points_stride", 0, "out of range"),
        ("max_depth", "far", "Wrong parameter type"),
        ("autostart", True, "read-only"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_would(configurable, client, name, value, complaint):
    result = client.set_parameter(name, value)
    assert not result.successful
    assert complaint in result.reason


def test_every_parameter_describes_itself(configurable, client):
    names = [field.name for field in dataclasses.fields(Parameters)]
    descriptors = client.call(DescribeParameters, "describe_parameters", names=names).descriptors
    assert [d.name for d in descriptors] == names
    for descriptor in descriptors:
        assert len(descriptor.description) > 10, descriptor.name
        number = descriptor.type in (ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_DOUBLE)
        assert number == bool(descriptor.integer_range or descriptor.floating_point_range), descriptor.name


def missing(model):
    model.unlink()
    return "does not exist"


def without_card(model):
    card_path(model).unlink()
    return "model card"


def of_another_model(model):
    model.write_bytes(model.read_bytes() + b"\0")
    return "SHA-256"


def damaged_with_a_matching_card(model):
    card = read_card(model)
    model.write_bytes(b"not a network")
    dataclasses.replace(card, files={model.name: file_sha256(model)}).write(card_path(model))
    return "could not be loaded"


def with_a_damaged_card(model):
    card_path(model).write_text("{")
    return "not JSON"


@pytest.mark.parametrize(
    "damage", [missing, without_card, of_another_model, damaged_with_a_matching_card, with_a_damaged_card]
)
def test_a_bad_model_is_one_error_and_a_good_one_then_works(
    configurable, client, shipped_model, tmp_path, damage
):
    model = tmp_path / damage.__name__ / "student.onnx"
    model.parent.mkdir()
    shutil.copy(shipped_model, model)
    card = dataclasses.replace(read_card(shipped_model), files={model.name: file_sha256(model)})
    card.write(card_path(model))
    complaint = damage(model)
    assert client.set_parameter("model", str(model)).successful
    assert not client.change_state("configure")
    assert client.state() == "unconfigured"
    error = configurable.wait_for_error(complaint)
    assert str(model.parent) in error
    assert sum(str(model.parent) in line for line in configurable.errors()) == 1
    assert client.set_parameter("model", str(shipped_model)).successful
    assert client.change_state("configure")


def test_models_are_chosen_by_name(configurable, client, shipped_model):
    assert client.set_parameter("model", "huge").successful
    assert not client.change_state("configure")
    error = configurable.wait_for_error("no installed model 'huge'")
    assert "small (Non-commercial" in error
    assert client.set_parameter("model", model_names()[-1]).successful
    assert client.change_state("configure")
    assert client.change_state("cleanup")
    assert client.set_parameter("model", str(shipped_model)).successful


def test_a_gpu_is_passed_on_to_the_model(configurable, client, shipped_model):
    assert client.set_parameter("model", str(shipped_model)).successful
    assert client.set_parameter("gpu", 1).successful
    assert not client.change_state("configure")
    configurable.wait_for_error("runs on the CPU, GPU 1 is for: tensorrt")
    assert client.set_parameter("gpu", 0).successful
    assert client.change_state("configure")


def test_compressed_images_are_an_input_too(configurable, client, camera, wait_for):
    assert client.set_parameter("image_transport", "compressed").successful
    assert client.change_state("configure")
    assert client.change_state("activate")
    images = client.node.create_publisher(CompressedImage, "image/compressed", 10)
    depth = client.listen(Image, "depth/image")
    wait_for(images.get_subscription_count, "the node to subscribe")
    wait_for(lambda: images.get_subscription_count() and camera.infos.get_subscription_count(), "calibration")
    picture = np.full((48, 160, 3), 128, np.uint8)
    data = cv2.imencode(".jpg", picture)[1].tobytes()

    def send():
        header = camera.header()
        camera.send_info(header)
        images.publish(CompressedImage(header=header, format="jpeg", data=data))
        time.sleep(0.1)
        return depth

    wait_for(send, "depth")
    assert (depth[0].width, depth[0].height) == (160, 48)
    images.publish(CompressedImage(header=camera.header(), format="jpeg", data=b"damaged"))
    configurable.wait_for_error("could not be decoded")
    assert client.change_state("deactivate")
    assert client.change_state("cleanup")
    assert client.set_parameter("image_transport", "raw").successful


def test_depth_of_the_networks_size_has_its_own_calibration(configurable, client, camera, wait_for):
    assert client.set_parameter("output_size", "network").successful
    assert client.change_state("configure")
    assert client.change_state("activate")
    depth, infos = client.listen(Image, "depth/image"), client.listen(CameraInfo, "depth/camera_info")
    camera.wait_for_subscriber()
    wait_for(lambda: camera.send() and not time.sleep(0.1) and depth and infos, "depth")
    # 48x160 is scaled to 58x192 in the network's 64x192
    assert (depth[0].width, depth[0].height) == (infos[0].width, infos[0].height) == (192, 58)
    assert infos[0].p[0] == pytest.approx(100.0 * 192 / 160)
    assert infos[0].p[3] == pytest.approx(-54.0 * 192 / 160)
    assert client.change_state("deactivate")
    assert client.change_state("cleanup")
    assert client.set_parameter("output_size", "image").successful


def test_a_node_that_is_shut_down_is_finalized(configurable, client):
    assert client.change_state("configure")
    assert client.change_state("shutdown")
    assert client.state() == "finalized"


def test_several_nodes_have_entries_of_their_own_in_the_diagnostics(start_node, client, wait_for):
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    for arguments, name in [
        ((), "depth_node: depth"),
        (("-r", "__ns:=/front"), "front/depth_node: depth"),
        (("-r", "__node:=left"), "left: depth"),
    ]:
        start_node("-p", "autostart:=false", *arguments)
        diagnostics.clear()
        wait_for(lambda name=name: name in {a.status[0].name for a in list(diagnostics)}, name)


def test_the_network_takes_the_size_of_the_cameras_aspect(
    start_node, client, camera, shipped_model, wait_for
):
    """192x640 is warmed up at configure; a square camera gets the same pixel count in its own shape."""
    start_node("-p", f"model:={shipped_model}", "-p", "network_size:=auto", "-p", "output_size:=network")
    camera.wait_for_subscriber()
    depth = client.listen(Image, "depth/image")
    sizes = client.listen(DiagnosticArray, "/diagnostics")

    def network_size():
        return next((v.value for a in sizes[-1:] for v in a.status[0].values if v.key == "network size"), "")

    wait_for(lambda: network_size() == "192x640", "diagnostics of the configured node")
    side = {"width": 96, "height": 96}

    def send() -> None:
        header = camera.header()
        matrix = [100.0, 0.0, 48.0, 0.0, 100.0, 48.0, 0.0, 0.0, 1.0]
        camera.send_info(header, **side, k=matrix, p=[0.0] * 12)
        camera.send_image(header, **side, step=3 * 96, data=bytes(3 * 96 * 96))

    wait_for(lambda: send() or time.sleep(0.05) or depth, "depth")
    assert (depth[0].height, depth[0].width) == (352, 352)
    wait_for(lambda: network_size() == "352x352", "diagnostics of the square camera")


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]],
    ids=["SIGINT", "SIGTERM", "SIGINT from the terminal and from ros2 launch"],
)
def test_a_signal_ends_a_working_node_without_a_word(
    start_node, client, camera, shipped_model, wait_for, signals
):
    node = start_node("-p", f"model:={shipped_model}")
    camera.wait_for_subscriber()
    depth = client.listen(Image, "depth/image")
    wait_for(lambda: camera.send() and not time.sleep(0.02) and depth, "depth")
    assert client.state() == "active"
    for _ in range(5):
        camera.send()
    assert node.end(*signals) == 0
    assert not node.errors()


def test_a_model_that_fails_at_the_start_leaves_a_node_that_can_be_mended(
    start_node, client, shipped_model, tmp_path
):
    node = start_node("-p", f"model:={tmp_path / 'missing.onnx'}")
    node.wait_for_error("missing.onnx does not exist")
    assert client.state() == "unconfigured"
    assert client.set_parameter("model", str(shipped_model)).successful
    assert client.change_state("configure")


@pytest.mark.parametrize(
    "arguments",
    [("-p", "max_depth:=80"), ("-p", "backend:=abacus"), ("--params-file", "missing.yaml")],
    ids=lambda arguments: arguments[-1],
)
def test_arguments_that_cannot_be_used_end_the_start_with_one_line(start_node, wait_for, arguments):
    node = start_node(*arguments)
    wait_for(lambda: not node.is_alive(), "the node to end")
    assert node.end(signal.SIGTERM) == 1
    assert len(node.log) == 1
    assert arguments[-1].split(":=")[0] in node.log[0]
