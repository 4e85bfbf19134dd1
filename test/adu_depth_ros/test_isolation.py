import contextlib
import random
import socket
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
from adu_depth_ros.isolation import private_domain


@pytest.fixture(autouse=True)
def from_the_lowest(monkeypatch):
    monkeypatch.setattr(random, "shuffle", list.sort)


def number(environment):
    return int(environment["ROS_DOMAIN_ID"])


@contextlib.contextmanager
def participant(domain, index):
    """Ports that Fast DDS binds for a participant."""
    with contextlib.ExitStack() as stack:
        for port in (10, 11):
            bound = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            bound.bind(("", 7400 + 250 * domain + port + 2 * index))
        yield


@pytest.mark.parametrize("index", [0, 1, 31])
def test_a_domain_with_any_participant_left_is_not_chosen(index):
    """An orphaned node is rarely the first participant: the process that started it was."""
    with private_domain() as environment:
        first = number(environment)
    with participant(first, index), private_domain() as environment:
        assert 1 <= first < number(environment) <= 100


def test_a_domain_is_held_before_anybody_joins_it_and_until_it_is_given_back():
    with private_domain() as first:
        with private_domain() as second:
            assert number(second) > number(first)
        with private_domain() as third:
            assert third == second


def test_a_domain_is_held_against_other_processes_and_given_back_by_one_that_is_killed():
    code = """
import random, sys
from adu_depth_ros.isolation import private_domain
random.shuffle = list.sort
with private_domain() as environment:
    print(environment["ROS_DOMAIN_ID"], flush=True)
    sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        held = int(holder.stdout.readline())
        with private_domain() as environment:
            assert number(environment) > held
        holder.kill()
    with private_domain() as environment:
        assert number(environment) <= held


def test_no_free_domain_is_an_error(monkeypatch):
    def refuse(*_):
        raise OSError("address in use")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(OSError, match="every DDS domain"), private_domain():
        pass
