"""Metric depth and uncertainty from one camera: everything that does not need ROS."""

from adu_depth_core import telemetry

__version__ = "0.1.0"

# Must run before any other module imports these libraries.
telemetry.switch_off()
