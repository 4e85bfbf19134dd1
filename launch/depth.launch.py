"""Start depth_node. ``ros2 launch adu_depth depth.launch.py --show-args`` lists the arguments."""

from dataclasses import fields

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackageShare

from adu_depth_ros.dds_profile import OLD_VARIABLE
from adu_depth_ros.distribution import profiles_variable
from adu_depth_ros.parameters import Parameters

CONFIG = PathJoinSubstitution([FindPackageShare("adu_depth"), "config"])
PROFILE_VARIABLE = profiles_variable()

PARAMETERS = {
    field.name: (
        list[str] if isinstance(field.default, tuple) else type(field.default),
        field.metadata["description"],
    )
    for field in fields(Parameters)
}
PARAMETERS["use_sim_time"] = (bool, "time from /clock, for replays with `ros2 bag play --clock`")
"""Type and description; arguments not given keep the values of the parameter file."""

ARGUMENTS = [
    DeclareLaunchArgument(
        "image",
        default_value="image",
        description="topic of the image; with several cameras with {camera} in it, e.g. /{camera}/image_rect",
    ),
    DeclareLaunchArgument(
        "camera_info", default_value="camera_info", description="topic of its calibration, in the same form"
    ),
    DeclareLaunchArgument("namespace", default_value="", description="namespace of the node and its topics"),
    DeclareLaunchArgument("node_name", default_value="depth_node", description="name of the node"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([CONFIG, "depth_node.yaml"]),
        description="parameter file; arguments given here override it",
    ),
    *(
        DeclareLaunchArgument(name, default_value="", description=f"{text} [empty: as in params_file]")
        for name, (_, text) in PARAMETERS.items()
    ),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    DeclareLaunchArgument("respawn", default_value="false", description="restart the node if it exits"),
    DeclareLaunchArgument(
        "fastdds_profile",
        default_value=EnvironmentVariable(
            PROFILE_VARIABLE,
            default_value=EnvironmentVariable(
                OLD_VARIABLE, default_value=PathJoinSubstitution([CONFIG, "fastdds_large_images.xml"])
            ),
        ),
        description="Fast DDS profile of the node (as in the environment, else fastdds_large_images.xml)",
    ),
]


def input_topics(context: LaunchContext, camera: str) -> list[tuple[str, str]]:
    """Remappings of a camera's image and calibration topics."""
    image, info = (LaunchConfiguration(name).perform(context) for name in ("image", "camera_info"))
    if not camera:
        return [("image", image), ("image/compressed", f"{image}/compressed"), ("camera_info", info)]
    remapped = []
    for name, topic in (("image", image), ("camera_info", info)):
        if topic == name:  # unchanged: in the camera's namespace
            continue
        if "{camera}" not in topic:
            raise ValueError(f"{name}:={topic} is one topic for all cameras: write e.g. /{{camera}}/{name}")
        remapped.append((f"{camera}/{name}", topic.replace("{camera}", camera)))
        if name == "image":
            remapped.append((f"{camera}/image/compressed", f"{remapped[-1][1]}/compressed"))
    return remapped


def depth_node(context: LaunchContext) -> list[Node]:
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=value_type)
        for name, (value_type, _) in PARAMETERS.items()
        if LaunchConfiguration(name).perform(context)
    }
    cameras = yaml.safe_load(LaunchConfiguration("cameras").perform(context) or "['']")
    return [
        Node(
            package="adu_depth",
            executable="depth_node",
            name=LaunchConfiguration("node_name"),
            namespace=LaunchConfiguration("namespace"),
            parameters=[ParameterFile(LaunchConfiguration("params_file")), given],
            remappings=[pair for camera in cameras for pair in input_topics(context, camera)],
            arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
            output="screen",
            emulate_tty=True,
            respawn=LaunchConfiguration("respawn"),
            respawn_delay=2.0,
        )
    ]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            *ARGUMENTS,
            SetEnvironmentVariable(PROFILE_VARIABLE, LaunchConfiguration("fastdds_profile")),
            OpaqueFunction(function=depth_node),
        ]
    )
