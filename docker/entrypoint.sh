#!/bin/bash
# Runs a command in the environment of ROS and the workspace.
set -e
source "/opt/ros/$ROS_DISTRO/setup.bash" --
source /opt/adu_depth/install/local_setup.bash --
exec "$@"
