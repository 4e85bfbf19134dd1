"""The launch file with the real ``ros2 launch``; runs where ROS 2 and this package are installed (colcon)."""

import dataclasses
import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS installation")
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext
from launch_ros.utilities import evaluate_parameters
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters

from adu_depth_ros.parameters import Parameters

LAUNCH_FILE = Path(__file__).resolve().parents[2] / "launch" / "depth.launch.py"


@pytest.fixture
def launch(client):
    """Run ``ros2 launch adu_depth depth.launch.py`` with arguments."""
    try:
        get_package_prefix("adu_depth")
    except PackageNotFoundError:
        pytest.skip(
            "adu_depth is not installed where ROS looks; build it with colcon and source its setup.bash"
        )
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        command = [shutil.which("ros2"), "launch", "adu_depth", LAUNCH_FILE.name, *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)


@pytest.fixture
def module():
    spec = importlib.util.spec_from_file_location("depth_launch", LAUNCH_FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_parameter_is_an_argument_of_its_type(module):
    ours = {field.name: type(field.default) for field in dataclasses.fields(Parameters)}
    ours |= {"cameras": list[str], "use_sim_time": bool}
    assert {name: kind for name, (kind, _) in module.PARAMETERS.items()} == ours


def context_of(module, **given):
    context = LaunchContext()
    context.launch_configurations.update(given)
    for argument in module.ARGUMENTS:
        if argument.name in ("params_file", "fastdds_profile"):  # need the installed package
            context.launch_configurations[argument.name] = "file"
        else:
            argument.execute(context)
    return context


def test_several_cameras_have_topics_by_their_names(module):
    context = context_of(
        module, cameras="[front, rear]", image="/{camera}/image_rect", camera_info="/rig/{camera}/info"
    )
    assert module.input_topics(context, "rear") == [
        ("rear/image", "/rear/image_rect"),
        ("rear/image/compressed", "/rear/image_rect/compressed"),
        ("rear/camera_info", "/rig/rear/info"),
    ]
    assert module.input_topics(context_of(module, cameras="[front, rear]"), "rear") == []
    (node,) = module.depth_node(context)
    given = [entry for entry in node._Node__parameters if isinstance(entry, dict)]
    assert evaluate_parameters(context, given) == ({"cameras": ["front", "rear"]},)


def test_one_topic_for_several_cameras_is_an_error(module):
    context = context_of(module, cameras="[front, rear]", image="/camera/image_rect")
    with pytest.raises(ValueError, match="one topic for all cameras"):
        module.depth_node(context)


def test_launch_starts_the_node_with_its_arguments(launch, client, shipped_model, tmp_path, wait_for):
    params = tmp_path / "my.yaml"
    params.write_text(
        f"/**:\n  ros__parameters:\n    model: {shipped_model}\n    max_depth: 30.0\n    points_stride: 4\n"
    )
    process = launch(
        "namespace:=front",
        "node_name:=eyes",
        "image:=/rig/image",
        "camera_info:=/rig/info",
        "network_size:=64x192",
        "lazy_subscription:=false",
        "max_depth:=42.0",
        f"params_file:={params}",
    )
    wait_for(lambda: client.node.count_subscribers("/rig/image"), "the node to subscribe", seconds=30)
    state = client.call(GetState, "/front/eyes/get_state").current_state.label
    assert state == "active"
    names = ["max_depth", "points_stride", "network_size"]
    values = client.call(GetParameters, "/front/eyes/get_parameters", names=names).values
    assert [values[0].double_value, values[1].integer_value, values[2].string_value] == [42.0, 4, "64x192"]
    assert client.node.count_subscribers("/rig/info") == 1
    assert client.node.count_publishers("/front/depth/image") == 1
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "process has finished cleanly" in output
    assert "Traceback" not in output
