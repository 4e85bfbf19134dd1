"""The parameters are the same wherever they are written down."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
from adu_depth_ros.parameters import Parameters, is_dynamic, parse_network_size

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {field.name: field for field in dataclasses.fields(Parameters)}


def test_the_shipped_parameter_file_holds_the_defaults():
    content = yaml.safe_load((ROOT / "config" / "depth_node.yaml").read_text(encoding="utf-8"))
    values = content["/**"]["ros__parameters"]
    assert values == {name: field.default for name, field in FIELDS.items()}
    assert all(type(values[name]) is type(field.default) for name, field in FIELDS.items())


def test_the_documented_table_holds_every_parameter_with_its_default():
    text = (ROOT / "docs" / "node.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| \w+ \| `([^`]*)` \|", text, re.MULTILINE))
    defaults = {
        name: '""' if field.default == "" else yaml.safe_dump(field.default).split("\n")[0]
        for name, field in FIELDS.items()
    }
    assert rows == defaults


@pytest.mark.parametrize(("text", "size"), [("auto", None), ("192x640", (192, 640))])
def test_a_network_size_is_height_and_width(text, size):
    assert parse_network_size(text) == size


@pytest.mark.parametrize("text", ["", "192", "192 x 640", "-1x640", "640*192", "camera"])
def test_another_network_size_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="192x640"):
        parse_network_size(text)


def test_what_the_model_is_loaded_with_is_not_dynamic():
    assert not is_dynamic("model")
    assert is_dynamic("max_depth")
    assert is_dynamic("use_sim_time")  # none of ours
