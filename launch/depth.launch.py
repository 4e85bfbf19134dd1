"""Start depth_node. ``ros2 launch adu_depth depth.launch.py --show-args`` lists what can be set."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue
from launch_ros.substitutions import FindPackageShare

CONFIG = PathJoinSubstitution([FindPackageShare("adu_depth"), "config"])
PROFILE_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"

PARAMETERS = {
    "model": (str, "ONNX file or TensorRT engine with its model card beside it"),
    "profile": (str, "camera profile by `adu_depth calibrate`: a file, 'auto' or 'none'"),
    "backend": (
        str,
        "inference runtime: auto, openvino, onnxruntime, pytorch, tensorrt, onnxruntime-cuda or pytorch-cuda",
    ),
    "network_size": (str, "network input as HEIGHTxWIDTH, e.g. 192x640, or 'auto'"),
    "threads": (int, "CPU threads for inference; 0 leaves it to the runtime"),
    "engine_cache": (str, "folder for the engines of backend tensorrt"),
    "engine_compute_capability": (str, "with build_only: GPUs to build for, e.g. sm86"),
    "allow_unverified_engine": (bool, "run an engine whose card says parity: not run"),
    "build_only": (bool, "build the engine into the engine cache and end"),
    "image_transport": (str, "raw, or compressed to subscribe IMAGE/compressed"),
    "rectified": (bool, "true: the image is rectified, camera_info's P holds; false: K"),
    "output_size": (str, "size of the published maps: image or network"),
    "depth_encoding": (str, "32FC1 (metres) or 16UC1 (millimetres)"),
    "max_depth": (float, "metres; farther becomes +inf"),
    "max_relative_sigma": (float, "pixels whose sigma / depth is larger become NaN"),
    "points_stride": (int, "every n-th row and column becomes a point of depth/points"),
    "autostart": (bool, "configure and activate at the start"),
    "use_sim_time": (bool, "time from /clock, for replays with `ros2 bag play --clock`"),
}
"""Type and description; an argument that is not given leaves the value of the parameter file."""

ARGUMENTS = [
    DeclareLaunchArgument("image", default_value="image", description="topic of the rectified image"),
    DeclareLaunchArgument("camera_info", default_value="camera_info", description="topic of its calibration"),
    DeclareLaunchArgument("namespace", default_value="", description="namespace of the node and its topics"),
    DeclareLaunchArgument("node_name", default_value="depth_node", description="name of the node"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([CONFIG, "depth_node.yaml"]),
        description="parameter file; arguments given here win over it",
    ),
    *(
        DeclareLaunchArgument(name, default_value="", description=f"{text} [empty: as in params_file]")
        for name, (_, text) in PARAMETERS.items()
    ),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
    DeclareLaunchArgument("respawn", default_value="false", description="start the node again if it ends"),
    DeclareLaunchArgument(
        "fastdds_profile",
        default_value=EnvironmentVariable(
            PROFILE_VARIABLE, default_value=PathJoinSubstitution([CONFIG, "fastdds_large_images.xml"])
        ),
        description="Fast DDS profile of the node (as in the environment, else fastdds_large_images.xml)",
    ),
]


def depth_node(context: LaunchContext) -> list[Node]:
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=value_type)
        for name, (value_type, _) in PARAMETERS.items()
        if LaunchConfiguration(name).perform(context)
    }
    image = LaunchConfiguration("image")
    return [
        Node(
            package="adu_depth",
            executable="depth_node",
            name=LaunchConfiguration("node_name"),
            namespace=LaunchConfiguration("namespace"),
            parameters=[ParameterFile(LaunchConfiguration("params_file")), given],
            remappings=[
                ("image", image),
                ("image/compressed", [image, "/compressed"]),
                ("camera_info", LaunchConfiguration("camera_info")),
            ],
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
