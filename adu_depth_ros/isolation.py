"""A private DDS domain for a group of processes."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator

from adu_depth_ros.distribution import this_machine_only

_LAST_DOMAIN = 100
"""The highest domain whose ports all lie below Linux's ephemeral ones (docs.ros.org, "The ROS_DOMAIN_ID")."""

_PORTS = 250
"""Ports of a domain (DDSI-RTPS 2.2, section 9.6.1); a participant takes two, its index decides which."""


@contextlib.contextmanager
def private_domain() -> Iterator[dict[str, str]]:
    """Environment variables that give a process and its children a free domain, on this machine only.

    The domain is held for this process until the context is left, or the process ends.

    :raises OSError: if no domain is free
    :raises importlib.metadata.PackageNotFoundError: if rclpy is not installed
    """
    with _free_domain() as domain:
        yield {"ROS_DOMAIN_ID": str(domain), **this_machine_only()}


@contextlib.contextmanager
def _free_domain() -> Iterator[int]:
    domains = list(range(1, _LAST_DOMAIN + 1))
    random.shuffle(domains)
    for domain in domains:
        first = 7400 + _PORTS * domain
        # The last port, which only the 120th participant would take, is the lock: the system releases it
        # with the process, however that ends.
        lock = _bound(first + _PORTS - 1)
        if lock is None:
            continue
        with lock:
            # All ports, because the first participants may be gone and an orphan be left.
            if all(_is_free(port) for port in range(first, first + _PORTS - 1)):
                yield domain
                return
    raise OSError("every DDS domain is in use on this machine")


def _bound(port: int) -> socket.socket | None:
    """A UDP socket on a port; None if the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.bind(("", port))
    except OSError:
        bound.close()
        return None
    return bound


def _is_free(port: int) -> bool:
    if (probe := _bound(port)) is None:
        return False
    probe.close()
    return True
