"""An environment in which our processes find each other over DDS, and nobody else."""

from __future__ import annotations

import os
import random
import socket

# The highest domain whose ports lie below Linux's ephemeral ones (docs.ros.org, "The ROS_DOMAIN_ID").
_LAST_DOMAIN = 101


def isolated_environment() -> dict[str, str]:
    """Environment variables of this process with a free DDS domain on this machine only.

    :raises OSError: if no domain is free
    """
    return {
        **os.environ,
        "ROS_DOMAIN_ID": str(_free_domain()),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",  # Iron and later
        "ROS_LOCALHOST_ONLY": "0",  # if set it would overrule the line above
    }


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
