"""``reload`` and ``save_frame`` of depth_node through its real services, while frames arrive."""

import dataclasses
import json
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
import cv2
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from adu_depth_core.model_card import card_path, file_sha256, read_card


@pytest.fixture(scope="module")
def node(start_node, camera, shipped_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    process = start_node("-p", f"model:={shipped_model}", "-p", f"save_folder:={folder}")
    camera.wait_for_subscriber()
    return process


@pytest.fixture(scope="module")
def depth(node, client, camera, wait_for):
    messages = client.listen(Image, "depth/image")
    wait_for(lambda: camera.send() and not time.sleep(0.1) and messages, "depth")
    return messages


@pytest.fixture
def flowing(depth, camera):
    """Send frames at 10 Hz in the background; call it to stop and get the headers of those sent."""
    sent, stop = [], threading.Event()

    def send():
        while not stop.wait(0.1):
            sent.append(camera.send())

    time.sleep(0.3)
    depth.clear()
    thread = threading.Thread(target=send)
    thread.start()

    def end():
        stop.set()
        thread.join()
        return sent

    yield end
    end()


@pytest.fixture
def copied_model(shipped_model, tmp_path):
    """The shipped student under another name, with a card that scales depth by ten."""
    model = tmp_path / "far.onnx"
    shutil.copy(shipped_model, model)
    card = read_card(shipped_model)
    card = dataclasses.replace(card, files={model.name: file_sha256(model)}, f_ref=card.f_ref / 10)
    card.write(card_path(model))
    return model


def median(message):
    return np.median(np.frombuffer(message.data, np.float32))


def test_a_reload_replaces_the_model_and_loses_no_frame(flowing, depth, client, copied_model, wait_for):
    assert client.set_parameter("max_relative_sigma", 100.0).successful
    assert client.set_parameter("max_depth", 1000.0).successful
    wait_for(lambda: len(depth) >= 5, "frames")
    before = median(depth[-1])
    assert client.set_parameter("model", str(copied_model)).successful
    assert median(depth[-1]) == before  # nothing changes before the reload
    result = client.call(Trigger, "reload")
    assert result.success, result.message
    assert str(copied_model) in result.message
    count = len(depth)
    wait_for(lambda: len(depth) >= count + 5, "frames of the new model")
    sent = flowing()
    wait_for(lambda: len(depth) == len(sent), f"depth of all {len(sent)} frames", seconds=5)
    assert [message.header for message in depth] == sent
    assert median(depth[-1]) > 3 * before


def test_a_reload_that_fails_leaves_the_model_that_works(flowing, depth, client, node, tmp_path, wait_for):
    assert client.set_parameter("model", str(tmp_path / "missing.onnx")).successful
    result = client.call(Trigger, "reload")
    assert not result.success
    assert "missing.onnx does not exist" in result.message
    count = len(depth)
    wait_for(lambda: len(depth) >= count + 3, "frames of the model that works")


def test_the_diagnostics_name_the_reloaded_model(node, client, copied_model, wait_for):
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    assert client.set_parameter("model", str(copied_model)).successful
    assert client.call(Trigger, "reload").success
    wait_for(
        lambda: any(p.value == str(copied_model) for a in diagnostics[-1:] for p in a.status[0].values),
        "the model in the diagnostics",
    )


def test_a_saved_frame_holds_all_that_made_its_depth(flowing, depth, client, wait_for):
    result = client.call(Trigger, "save_frame")
    assert result.success, result.message
    folder = Path(result.message)
    flowing()
    facts = json.loads((folder / "frame.json").read_text())
    stamp = facts["camera_info"]["header"]["stamp"]
    assert folder.name == f"depth_node_{stamp['sec']}_{stamp['nanosec']:09d}"
    published = wait_for(
        lambda: next((m for m in depth if m.header.stamp.nanosec == stamp["nanosec"]), None), "its depth"
    )
    saved, sigma = np.load(folder / "depth.npy"), np.load(folder / "sigma.npy")
    seen = np.frombuffer(published.data, np.float32).reshape(48, 160)
    finite = np.isfinite(seen)
    assert finite.any()
    assert np.array_equal(saved[finite], seen[finite])
    assert sigma.shape == saved.shape
    assert (sigma > 0).all()
    pixels = np.random.default_rng(0).integers(0, 256, (48, 160, 3), dtype=np.uint8)  # those of the driver
    assert np.array_equal(cv2.imread(str(folder / "image.png"))[..., ::-1], pixels)
    assert facts["camera_info"]["k"][0] == facts["camera"]["fx"] == 100.0
    assert facts["network_size"] == [64, 192]
    assert facts["parameters"]["threads"] == 1
    assert {"numpy", "openvino"} <= set(facts["versions"])
    assert json.loads((folder / "card.json").read_text())["name"] == "adu_student"


def test_a_frame_is_saved_although_nobody_listens(start_node, client, camera, shipped_model, tmp_path):
    start_node("-p", f"model:={shipped_model}", "-p", f"save_folder:={tmp_path}")
    camera.wait_for_subscriber()
    results = []
    caller = threading.Thread(target=lambda: results.append(client.call(Trigger, "save_frame")))
    caller.start()
    while caller.is_alive():
        camera.send()
        time.sleep(0.1)
    assert results[0].success, results[0].message


def test_without_frames_the_reason_is_told(start_node, client, camera, shipped_model):
    node = start_node("-p", f"model:={shipped_model}", "-p", "autostart:=false")
    for service in ("reload", "save_frame"):
        result = client.call(Trigger, service)
        assert not result.success
        assert "the node is unconfigured" in result.message
    assert client.change_state("configure")
    assert client.change_state("activate")
    result = client.call(Trigger, "save_frame")
    assert not result.success
    assert "no frame was processed within 5 s" in result.message
    assert node.is_alive()
