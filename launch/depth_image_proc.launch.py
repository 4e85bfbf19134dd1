"""Point cloud of the depth image by depth_image_proc, in a component container.

``ros2 launch adu_depth depth_image_proc.launch.py --show-args`` lists the arguments. The node itself, whose
own cloud ``depth/points`` also has sigma and filters, is started by ``depth.launch.py``.
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import ComposableNodeContainer
from launch_ros.descriptions import ComposableNode

ARGUMENTS = [
    DeclareLaunchArgument("depth", default_value="/depth/image", description="topic of the depth image"),
    DeclareLaunchArgument(
        "image",
        default_value="",
        description="topic of the rectified image that colours the points, of the depth image's size, with "
        "camera_info beside it [empty: points without colour]",
    ),
    DeclareLaunchArgument(
        "points", default_value="/depth/points_xyz", description="topic of the published cloud"
    ),
]


def component(depth: str, image: str, points: str) -> ComposableNode:
    """depth_image_proc's node for the topics given by the arguments.

    It expects camera_info next to the image topic, as image_transport does.
    """
    if image:
        plugin = "PointCloudXyzrgbNode"
        remappings = [("rgb/image_rect_color", image), ("depth_registered/image_rect", depth)]
        # Depth carries the stamp of its image.
        parameters = [{"exact_sync": True}]
    else:
        plugin, remappings, parameters = "PointCloudXyzNode", [("image_rect", depth)], []
    return ComposableNode(
        package="depth_image_proc",
        plugin=f"depth_image_proc::{plugin}",
        name="depth_to_points",
        remappings=[*remappings, ("points", points)],
        parameters=parameters,
    )


def container(context: LaunchContext) -> list[ComposableNodeContainer]:
    topics = [LaunchConfiguration(name).perform(context) for name in ("depth", "image", "points")]
    return [
        ComposableNodeContainer(
            name="depth_points",
            namespace="",
            package="rclcpp_components",
            executable="component_container",
            composable_node_descriptions=[component(*topics)],
            output="screen",
        )
    ]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=container)])
