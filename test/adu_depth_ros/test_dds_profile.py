"""Shared-memory transport of images."""

import os
import re
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from adu_depth_ros import dds_profile
from adu_depth_ros.dds_profile import OLD_VARIABLE, use_profile_for_images
from adu_depth_ros.distribution import profiles_variable

VARIABLE = profiles_variable()
SEGMENT = re.compile(r"/dev/shm/fast(rtps|dds)_(?!port)")
"""Segment names of Fast DDS 2 and 3; port segments hold no messages."""


def segment_bytes(pid):
    """Sizes of a process's own Fast DDS segments; it also maps those of other processes."""
    sizes = []
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        if SEGMENT.search(line):
            low, high = (int(address, 16) for address in line.split()[0].split("-"))
            sizes.append(high - low)
    return sizes


@pytest.mark.parametrize(("environment", "large"), [({}, True), ({VARIABLE: ""}, False)])
def test_a_node_sends_through_a_segment_of_several_images_unless_told_otherwise(
    start_node, client, shipped_model, monkeypatch, environment, large
):
    monkeypatch.delenv(VARIABLE, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    node = start_node("-p", f"model:={shipped_model}", "-p", "autostart:=false")
    assert client.state() == "unconfigured"
    assert any(size > 32 << 20 for size in segment_bytes(node.pid)) == large
    assert not node.errors()


@pytest.mark.parametrize("name", sorted({VARIABLE, OLD_VARIABLE}))
def test_a_profile_that_was_chosen_is_kept(monkeypatch, name):
    for variable in (VARIABLE, OLD_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "/mine.xml")
    assert use_profile_for_images() == ""
    assert {v: os.environ.get(v) for v in (VARIABLE, OLD_VARIABLE)} == {
        v: "/mine.xml" if v == name else None for v in (VARIABLE, OLD_VARIABLE)
    }


def test_too_little_shared_memory_is_told_and_left_alone(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(dds_profile, "NEEDED_BYTES", 1 << 60)
    warning = use_profile_for_images()
    assert "/dev/shm" in warning
    assert "--shm-size" in warning
    assert VARIABLE not in os.environ
