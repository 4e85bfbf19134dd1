"""ROS 2 interface of ADU-Depth: parameters, message conversion, lifecycle and diagnostics."""
