#!/bin/bash
# Runs a command with ROS and the workspace in its environment.
set -e
source "/opt/ros/$ROS_DISTRO/setup.bash" --
source /opt/adu_depth/install/local_setup.bash --
exec "$@"
