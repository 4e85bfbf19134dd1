"""Rosbag reading and writing without a ROS install."""
