"""Rosbags read and written without ROS, over the ``rosbags`` library."""

from adu_depth_core.errors import require

require("rosbags", "bags", "to read and write bags")
