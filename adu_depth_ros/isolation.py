"""A private DDS domain for a group of processes."""

from __future__ import annotations

import random
import socket

from adu_depth_ros.distribution import this_machine_only

# The highest domain whose ports lie below Linux's ephemeral ones (docs.ros.org, "The ROS_DOMAIN_ID").
_LAST_DOMAIN = 101


def private_domain() -> dict[str, str]:
    """Environment variables that give a process and its children a free domain, on this machine only.

    :raises OSError: if no domain is free
    :raises importlib.metadata.PackageNotFoundError: if rclpy is not installed
    """
    return {"ROS_DOMAIN_ID": str(_free_domain()), **this_machine_only()}


def _free_domain() -> int:
    domains = list(range(1, _LAST_DOMAIN + 1))
    random.shuffle(domains)
    for domain in domains:
        # Where the first participant of a domain listens (DDSI-RTPS 2.2, section 9.6.1).
        port = 7400 + 250 * domain + 10
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return domain
    raise OSError("every DDS domain is in use on this machine")
