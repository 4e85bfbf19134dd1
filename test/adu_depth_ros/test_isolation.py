import random
import socket

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
from adu_depth_ros.isolation import private_domain


def test_a_domain_in_use_is_not_chosen(monkeypatch):
    monkeypatch.setattr(random, "shuffle", list.sort)  # from the lowest
    first = int(private_domain()["ROS_DOMAIN_ID"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(("", 7400 + 250 * first + 10))
        second = int(private_domain()["ROS_DOMAIN_ID"])
    assert 1 <= first < second <= 101


def test_no_free_domain_is_an_error(monkeypatch):
    def refuse(*_):
        raise OSError("address in use")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(OSError, match="every DDS domain"):
        private_domain()
