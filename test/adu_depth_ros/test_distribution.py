"""Differences between ROS 2 distributions; the node's tests cover the one they run on."""

import pytest

from adu_depth_ros import distribution
from adu_depth_ros.isolation import private_domain

HUMBLE, JAZZY, KILTED, LYRICAL = "3.3.21", "7.1.11", "9.1.6", "10.0.10"
"""Releases of rclpy as of August 2026 (ros/rosdistro)."""


@pytest.fixture
def run_on(monkeypatch):
    """Sets rclpy's version to that of a distribution."""
    return lambda release: monkeypatch.setattr(distribution, "version", {"rclpy": release}.__getitem__)


@pytest.mark.parametrize(
    ("release", "variable"),
    [
        (HUMBLE, "FASTRTPS_DEFAULT_PROFILES_FILE"),
        (JAZZY, "FASTRTPS_DEFAULT_PROFILES_FILE"),
        (KILTED, "FASTDDS_DEFAULT_PROFILES_FILE"),
        (LYRICAL, "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_fast_dds_3_has_another_variable(run_on, release, variable):
    run_on(release)
    assert distribution.profiles_variable() == variable


@pytest.mark.parametrize("release", [HUMBLE, JAZZY, KILTED, LYRICAL])
def test_a_private_domain_is_on_this_machine_only(run_on, release):
    run_on(release)
    with private_domain() as environment:
        del environment["ROS_DOMAIN_ID"]
    old, new = {"ROS_LOCALHOST_ONLY": "1"}, {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    assert environment == (old if release == HUMBLE else new)


def test_topics_to_record_are_an_option_but_in_humble(run_on):
    topics = ["/depth/image", "/uncertainty/image"]
    run_on(HUMBLE)
    assert distribution.recorded_topics(topics) == topics
    for release in (JAZZY, KILTED, LYRICAL):
        run_on(release)
        assert distribution.recorded_topics(topics) == ["--topics", *topics]


def test_the_installed_rclpy_has_a_version():
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    assert distribution.rclpy_major() >= 3
