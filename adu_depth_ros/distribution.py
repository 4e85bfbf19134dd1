"""Differences between ROS 2 distributions, Humble to Lyrical, that the package has to account for."""

from __future__ import annotations

from importlib.metadata import version

IRON, KILTED = 4, 9
"""Major versions of rclpy in those distributions. ``ROS_DISTRO`` is not used: packages from PyPI do not set
it."""


def rclpy_major() -> int:
    """Major version of the installed rclpy: 3 in Humble, 7 in Jazzy, 9 in Kilted, 10 in Lyrical.

    :raises importlib.metadata.PackageNotFoundError: if rclpy is not installed
    """
    return int(version("rclpy").split(".")[0])


def profiles_variable() -> str:
    """Environment variable that names the profile file of Fast DDS. Version 3 renamed it; Kilted's middleware
    warns of the old name, and version 2 ignores the new one.
    """
    return "FASTDDS_DEFAULT_PROFILES_FILE" if rclpy_major() >= KILTED else "FASTRTPS_DEFAULT_PROFILES_FILE"


def this_machine_only() -> dict[str, str]:
    """Environment variables that restrict discovery to this machine. Humble has only the older one, of which
    later distributions warn.
    """
    if rclpy_major() >= IRON:
        return {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    return {"ROS_LOCALHOST_ONLY": "1"}


def rejects_impossible_transitions() -> bool:
    """True if rclpy itself answers a request for a transition that is not possible; before Kilted its
    exception ends the process.
    """
    return rclpy_major() >= KILTED


def recorded_topics(topics: list[str]) -> list[str]:
    """Arguments of ``ros2 bag record`` that select topics. Humble lacks the option, Lyrical requires it."""
    return ["--topics", *topics] if rclpy_major() >= IRON else topics
