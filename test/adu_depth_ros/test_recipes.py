"""Recipes of docs/recipes.md: topics, parameters and fields in their files match the running node."""

import dataclasses
import importlib.util
import json
import os
import re
import time
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from adu_depth_ros.parameters import Parameters

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
RECIPES = CONFIG / "recipes"
SHOWN = {
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
    "rviz_default_plugins/PointCloud2": "sensor_msgs/msg/PointCloud2",
}
"""Message type shown by each rviz2 display."""

SOURCES = "ADU_DEPTH_ROS_SOURCES"
"""Environment variable: a folder with checkouts of navigation2 and image_pipeline (docs/development.md)."""


def source(path: str) -> str:
    """Text of a file in another project's checkout."""
    folder = os.environ.get(SOURCES)
    if not folder:
        pytest.skip(
            f"needs the sources of {path.split('/')[0]}: set {SOURCES} to the folder of their checkouts"
        )
    return Path(folder, path).read_text(encoding="utf-8")


def read(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def costmap() -> dict:
    return read(RECIPES / "nav2_local_costmap.yaml")["local_costmap"]["local_costmap"]["ros__parameters"]


def node_parameters() -> dict:
    return read(RECIPES / "points_for_nav2.yaml")["/**"]["ros__parameters"]


@pytest.fixture(scope="module")
def published(start_node, client, shipped_model, wait_for) -> dict[str, str]:
    """Topics and types of the running node, configured by the Nav2 recipe, and of its camera."""
    node = start_node(
        "--params-file", str(RECIPES / "points_for_nav2.yaml"), "-p", f"model:={shipped_model}",
        "-r", "image:=/camera/image_rect", "-r", "camera_info:=/camera/camera_info",
    )  # fmt: skip
    wait_for(lambda: client.state() == "active", "the node to be active", 60)

    def topics() -> dict[str, str]:
        found = dict(client.node.get_topic_names_and_types())
        return {name: types[0] for name, types in found.items()} if "/depth/points" in found else {}

    found = wait_for(topics, "the node's topics")
    assert not node.errors()
    return found


def test_the_rviz_layout_shows_topics_of_the_node(published):
    manager = read(CONFIG / "live.rviz")["Visualization Manager"]
    displays = [display for display in manager["Displays"] if "Topic" in display]
    assert len(displays) == 6
    for display in displays:
        topic = display["Topic"]["Value"]
        assert published[topic] == SHOWN[display["Class"]], topic
        assert display["Topic"]["Reliability Policy"] == "Best Effort"  # receives from any publisher


def test_the_foxglove_layout_shows_topics_of_the_node(published):
    layout = json.loads((CONFIG / "foxglove_live.json").read_text(encoding="utf-8"))
    panels = layout["configById"]
    for panel in panels.values():
        if image := panel.get("imageMode"):
            assert published[image["imageTopic"]] == "sensor_msgs/msg/Image"
            assert published[image["calibrationTopic"]] == "sensor_msgs/msg/CameraInfo"
        for topic in panel.get("topics", {}):
            assert published[topic] == "sensor_msgs/msg/PointCloud2"
        if topic := panel.get("topicToRender"):
            assert published[topic] == "diagnostic_msgs/msg/DiagnosticArray"

    def leaves(part) -> list[str]:
        return [part] if isinstance(part, str) else leaves(part["first"]) + leaves(part["second"])

    assert sorted(leaves(layout["layout"])) == sorted(panels)


def test_layouts_colour_points_by_a_field_that_they_have(published, client, camera, wait_for):
    camera.images = client.node.create_publisher(Image, "/camera/image_rect", 10)
    camera.infos = client.node.create_publisher(CameraInfo, "/camera/camera_info", 10)
    camera.wait_for_subscriber()
    clouds = client.listen(PointCloud2, "/depth/points")
    wait_for(lambda: camera.send() and not time.sleep(0.1) and clouds, "a cloud")
    fields = {field.name for field in clouds[0].fields}
    displays = read(CONFIG / "live.rviz")["Visualization Manager"]["Displays"]
    (cloud,) = (d for d in displays if d["Class"] == "rviz_default_plugins/PointCloud2")
    panels = json.loads((CONFIG / "foxglove_live.json").read_text(encoding="utf-8"))["configById"]
    named = {cloud["Channel Name"], panels["3D!points"]["topics"]["/depth/points"]["colorField"]}
    assert named == {"sigma"} <= fields


def test_parameters_for_nav2_are_the_nodes_and_within_their_ranges():
    fields = {field.name: field for field in dataclasses.fields(Parameters)}
    for name, value in node_parameters().items():
        low, high = fields[name].metadata["limits"]
        assert low <= value <= high, name
        assert type(value) is type(fields[name].default), name
        assert name.startswith("points_")


def test_the_costmap_takes_the_points_that_it_is_sent(published):
    layer, points = costmap()["depth_layer"], node_parameters()
    (name,) = layer["observation_sources"].split()
    observed = layer[name]
    assert published[observed["topic"]] == f"sensor_msgs/msg/{observed['data_type']}"
    assert observed["obstacle_max_range"] == points["points_far"]
    assert observed["obstacle_min_range"] == points["points_near"]
    assert observed["raytrace_max_range"] <= observed["obstacle_max_range"]
    assert points["points_voxel"] >= costmap()["resolution"]
    assert points["points_rate"] == costmap()["update_frequency"]
    assert 2 * points["points_far"] <= costmap()["width"]
    assert (
        0 < observed["min_obstacle_height"] < observed["max_obstacle_height"] <= layer["max_obstacle_height"]
    )


def test_the_voxels_are_at_most_16_and_as_high_as_the_obstacles():
    layer = costmap()["depth_layer"]
    assert layer["z_voxels"] <= 16
    assert layer["origin_z"] + layer["z_voxels"] * layer["z_resolution"] >= layer["max_obstacle_height"]


def keys(mapping: dict) -> set[str]:
    nested = [keys(value) for value in mapping.values() if isinstance(value, dict)]
    return set(mapping).union(*nested)


def test_nav2_has_the_parameters():
    files = ["plugins/voxel_layer", "plugins/obstacle_layer", "plugins/inflation_layer", "src/costmap_2d_ros"]
    text = "".join(source(f"navigation2/nav2_costmap_2d/{file}.cpp") for file in files)
    layers = {*costmap()["plugins"], costmap()["depth_layer"]["observation_sources"]}
    assert keys(costmap()) - layers <= set(re.findall(r'"\.?(\w+)"', text))
    plugins = {costmap()[name]["plugin"] for name in costmap()["plugins"]}
    assert plugins <= set(
        re.findall(r"nav2_costmap_2d::\w+Layer", source("navigation2/nav2_costmap_2d/costmap_plugins.xml"))
    )


@pytest.fixture(scope="module")
def launch_file():
    pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS installation")
    path = ROOT / "launch" / "depth_image_proc.launch.py"
    spec = importlib.util.spec_from_file_location("depth_image_proc_launch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def component(launch_file, image: str = ""):
    """The component that the launch file loads: plugin, remappings and parameters, as text."""
    from launch import LaunchContext
    from launch.utilities import perform_substitutions

    context = LaunchContext()
    node = launch_file.component("/depth/image", image, "/depth/points_xyz")

    def text(parts) -> str:
        return perform_substitutions(context, parts)

    remappings = {text(source): text(target) for source, target in node.remappings}
    assert text(node.package) == "depth_image_proc"
    return text(node.node_plugin), remappings, node.parameters


def test_depth_image_proc_reads_what_the_node_publishes(launch_file, published, client):
    plugin, remappings, _ = component(launch_file)
    assert plugin == "depth_image_proc::PointCloudXyzNode"
    depth = remappings["image_rect"]
    assert published[depth] == "sensor_msgs/msg/Image"
    # image_transport expects camera_info next to the image.
    assert published[depth.replace("image", "camera_info")] == "sensor_msgs/msg/CameraInfo"
    assert remappings["points"] not in published
    # For nodes that subscribe reliably, such as RegisterNode, and those that do not.
    (publisher,) = client.node.get_publishers_info_by_topic(depth)
    assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_the_launch_file_starts_a_container_with_its_arguments(launch_file):
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument
    from launch_ros.actions import ComposableNodeContainer

    description = launch_file.generate_launch_description()
    arguments = [a for a in description.entities if isinstance(a, DeclareLaunchArgument)]
    assert {a.name for a in arguments} == {"depth", "image", "points"}
    assert all(a.description and a.default_value is not None for a in arguments)
    context = LaunchContext()
    for argument in arguments:
        argument.execute(context)
    (container,) = launch_file.container(context)
    assert isinstance(container, ComposableNodeContainer)


def test_with_an_image_the_points_are_coloured(launch_file):
    plugin, remappings, parameters = component(launch_file, image="/camera/image_rect")
    assert plugin == "depth_image_proc::PointCloudXyzrgbNode"
    assert remappings["rgb/image_rect_color"] == "/camera/image_rect"
    assert remappings["depth_registered/image_rect"] == "/depth/image"
    assert len(parameters) == 1


def test_depth_image_proc_has_these_plugins_topics_parameters_and_encodings(launch_file):
    for given in ({}, {"image": "/camera/image_rect"}):
        plugin, remappings, _ = component(launch_file, **given)
        name = {"PointCloudXyzNode": "xyz", "PointCloudXyzrgbNode": "xyzrgb"}[plugin.partition("::")[2]]
        text = source(f"image_pipeline/depth_image_proc/src/point_cloud_{name}.cpp")
        assert f"RCLCPP_COMPONENTS_REGISTER_NODE({plugin})" in text
        assert set(remappings) <= set(re.findall(r'"([\w/]+)"', text))
        assert "TYPE_32FC1" in text
        assert "TYPE_16UC1" in text
        assert ('"exact_sync"' in text) == bool(given)
