"""Play a bag through depth_node on the bag's clock.

``ros2 launch adu_depth replay.launch.py --show-args`` lists the arguments, which include
those of ``depth.launch.py``.
"""

import importlib.util
import sys

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from adu_depth_ros.distribution import recorded_topics

SHARE = FindPackageShare("adu_depth")
RECORDED = ["depth/image", "depth/camera_info", "uncertainty/image"]
DRAIN_SECONDS = 3.0
"""Time for the last frames to pass through the node and reach the recorder."""

ARGUMENTS = [
    DeclareLaunchArgument("bag", description="folder of the bag, or its .mcap or .db3 file"),
    DeclareLaunchArgument(
        "image", default_value="/camera/left/image_rect", description="topic of the rectified image"
    ),
    DeclareLaunchArgument(
        "camera_info", default_value="/camera/left/camera_info", description="topic of its calibration"
    ),
    DeclareLaunchArgument("rate", default_value="1.0", description="speed; 0.5 is half as fast as recorded"),
    DeclareLaunchArgument(
        "delay",
        default_value="5.0",
        description="seconds before the first message, for the model to load; more on slow machines",
    ),
    DeclareLaunchArgument("loop", default_value="false", description="repeat until Ctrl-C"),
    DeclareLaunchArgument(
        "record",
        default_value="",
        description=f"folder of a new bag of {', '.join(RECORDED)}, e.g. for `adu_depth compare-bags` "
        "[empty: none]",
    ),
    DeclareLaunchArgument("rviz", default_value="false", description="open rviz2"),
    DeclareLaunchArgument(
        "rviz_config",
        default_value=PathJoinSubstitution([SHARE, "config", "replay.rviz"]),
        description="layout of rviz2",
    ),
]


def bag_processes(context: LaunchContext) -> list:
    """Player, and recorder if requested; when the player ends, everything shuts down."""

    def value(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    loop = IfCondition(LaunchConfiguration("loop")).evaluate(context)
    image = LaunchConfiguration("image").perform(context)
    play = play_command(value("bag"), value("rate"), value("delay"), loop, image)
    player = ExecuteProcess(cmd=play, name="player", output="screen")
    ending = [TimerAction(period=DRAIN_SECONDS, actions=[Shutdown(reason="end of the bag")])]
    # The handler comes first: a player that cannot open its bag exits immediately.
    actions = [RegisterEventHandler(OnProcessExit(target_action=player, on_exit=ending)), player]
    if value("record"):
        prefix = f"/{value('namespace').strip('/')}".rstrip("/")
        topics = [f"{prefix}/{topic}" for topic in RECORDED]
        record = record_command(value("record"), topics)
        actions.append(ExecuteProcess(cmd=record, name="recorder", output="screen"))
    if not has_rosbag2():
        actions.insert(
            0, LogInfo(msg="rosbag2 is not installed: using the player and recorder of adu_depth_ros")
        )
    return actions


def has_rosbag2() -> bool:
    """True if ``ros2 bag`` is available; the ROS wheels on PyPI lack it."""
    return importlib.util.find_spec("ros2bag") is not None


def play_command(bag: str, rate: str, delay: str, loop: bool, image: str) -> list[str]:
    """Plays a bag with its clock; the player of ``adu_depth_ros`` waits for the node instead of ``delay``."""
    if has_rosbag2():
        play = ["ros2", "bag", "play", bag, "--clock", "--rate", rate, "--delay", delay]
        return [*play, "--loop"] if loop else play
    if loop:
        raise RuntimeError(
            "loop:=true needs rosbag2, which is not installed: install ros-$ROS_DISTRO-rosbag2"
        )
    return [
        sys.executable,
        "-m",
        "adu_depth_ros.bag_player",
        bag,
        "--clock",
        "--rate",
        rate,
        "--wait-for",
        image,
    ]


def record_command(bag: str, topics: list[str]) -> list[str]:
    """Records topics until it is interrupted."""
    if has_rosbag2():
        return ["ros2", "bag", "record", "--use-sim-time", "-o", bag, *recorded_topics(topics)]
    return [sys.executable, "-m", "adu_depth_ros.bag_recorder", "--out", bag, *topics]


def generate_launch_description() -> LaunchDescription:
    depth_launch = PathJoinSubstitution([SHARE, "launch", "depth.launch.py"])
    return LaunchDescription(
        [
            *ARGUMENTS,
            # First: it sets the Fast DDS profile, which the player also needs for large images.
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(depth_launch),
                launch_arguments={
                    "image": LaunchConfiguration("image"),
                    "camera_info": LaunchConfiguration("camera_info"),
                    "use_sim_time": "true",
                    # The player waits for the image subscriber.
                    "lazy_subscription": "false",
                }.items(),
            ),
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=["-d", LaunchConfiguration("rviz_config")],
                parameters=[{"use_sim_time": True}],
                condition=IfCondition(LaunchConfiguration("rviz")),
            ),
            OpaqueFunction(function=bag_processes),
        ]
    )
