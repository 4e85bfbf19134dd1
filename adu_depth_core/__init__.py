"""Metric depth and uncertainty from one camera: everything that does not need ROS."""

__version__ = "0.1.0"
