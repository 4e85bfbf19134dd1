"""Metric depth and uncertainty from one camera: everything that does not need ROS."""

from adu_depth_core import telemetry

__version__ = "0.1.0"

# Here, because this is run before any module of ours, and so before any of theirs.
telemetry.switch_off()
