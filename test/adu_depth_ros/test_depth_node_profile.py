"""The node with a camera profile: named in its diagnostics, and rejected by name if it does not apply."""

import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from adu_depth_core.camera import Camera
from adu_depth_core.inference.camera_profile import CameraProfile
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.model_card import read_card


@pytest.fixture
def values_with_profile(start_node, camera, client, wait_for, shipped_model, tmp_path):
    """Starts a node with a profile for a given focal length; its diagnostics after the first frames."""
    card = read_card(shipped_model)
    path = tmp_path / "mine.profile.json"

    def start(focal, *ros_arguments):
        mine = Camera(focal, focal, 80.0, 24.0, 160, 48)
        CameraProfile(card.name, card.files, mine, DepthCorrection(log_scale=0.1)).write(path)
        node = start_node("-p", f"profile:={path}", *ros_arguments)
        camera.wait_for_subscriber()
        diagnostics = client.listen(DiagnosticArray, "/diagnostics")
        client.listen(Image, "depth/image")

        def told():
            camera.send()
            time.sleep(0.1)
            for array in reversed(diagnostics):
                values = {pair.key: pair.value for pair in array.status[0].values}
                done = [values.get(f"frames {fate}", "0") for fate in ("published", "rejected")]
                return values if done != ["0", "0"] else None

        return path, node, wait_for(told, "diagnostics of a frame")

    return start


def test_the_profile_in_use_is_named(values_with_profile):
    path, node, values = values_with_profile(100.0)
    assert values["camera profile"] == str(path)
    assert values["frames rejected"] == "0"
    assert node.errors() == []


def test_a_profile_holds_for_a_region_of_its_camera(values_with_profile, client):
    """Profiles apply to full images: the region's own camera has another size and principal point."""
    path, node, values = values_with_profile(100.0, "-p", "region_of_interest:=20,16,120,32")
    assert values["camera profile"] == str(path)
    assert values["frames rejected"] == "0"
    result = client.call(Trigger, "reload")  # loads for the camera seen so far
    assert result.success, result.message
    assert node.errors() == []


def test_frames_of_another_camera_are_rejected_by_name(values_with_profile):
    path, node, values = values_with_profile(140.0)
    assert values["frames published"] == "0"
    told = values["last rejection"]
    assert told.startswith(f"camera profile {path} is of a camera with fx 140")
    assert "this one has fx 100" in told
    assert "Traceback" not in "".join(node.log)
