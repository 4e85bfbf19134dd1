"""``depth_node``: the process of the node."""

from __future__ import annotations

import sys
import threading

from adu_depth_ros.stop_signals import StopSignals


def main(args: list[str] | None = None) -> int:
    """Run the node until Ctrl-C or SIGTERM.

    :return: exit status: 0; 1 if an engine could not be built, or ROS arguments cannot be used. A signal
        before the node exists ends the process with 128 + signal
    """
    signals = StopSignals()
    # Not earlier: these imports take half a second or more.
    import argparse

    import rclpy
    from rclpy.exceptions import ParameterException
    from rclpy.signals import SignalHandlerOptions
    from rclpy.utilities import remove_ros_args

    from adu_depth_ros.dds_profile import use_profile_for_images
    from adu_depth_ros.lifecycle_node import DepthNode
    from adu_depth_ros.stoppable_executor import StoppableExecutor

    parser = argparse.ArgumentParser(
        prog="depth_node",
        description="Metric depth and its uncertainty for every pixel of one camera. Subscribes to image "
        "and camera_info; publishes depth/image, depth/camera_info, uncertainty/image, depth/color and "
        "depth/points while they have subscribers, and /diagnostics. `ros2 param describe` explains "
        "parameters.",
        epilog="Example: depth_node --ros-args -r image:=/camera/image_rect "
        "-r camera_info:=/camera/camera_info -p depth_encoding:=16UC1",
    )
    stop = threading.Event()
    small_memory = use_profile_for_images()
    try:
        parser.parse_args(remove_ros_args(args)[1:])
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        executor = StoppableExecutor(stop)
        signals.call(executor.stop)
        node = DepthNode(stop)
    except (ParameterException, RuntimeError) as error:  # invalid ROS arguments
        print(f"depth_node: error: {error}", file=sys.stderr)
        return 1
    if small_memory:
        node.get_logger().warning(small_memory)
    try:
        if node.builds_only():
            return 0 if node.build() else 1
        executor.add_node(node)
        node.autostart()
        executor.spin_until_stopped()
        return 0
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
