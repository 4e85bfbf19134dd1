"""Parameters are consistent everywhere they are listed."""

import dataclasses
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
from adu_depth_ros import parameter_files
from adu_depth_ros.parameters import CONFIGURE, FRAME, RELOAD, Parameters, applies, parse_network_size

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {field.name: field for field in dataclasses.fields(Parameters)}


def test_files_made_of_the_declaration_are_as_it_says():
    differing = [p for p, text in parameter_files.files().items() if p.read_text(encoding="utf-8") != text]
    assert not differing, "run: python -m adu_depth_ros.parameter_files"


def test_the_parameter_file_is_read_as_the_defaults():
    content = yaml.safe_load((ROOT / "config" / "depth_node.yaml").read_text(encoding="utf-8"))
    values = content["/**"]["ros__parameters"]
    defaults = {
        name: list(field.default) if isinstance(field.default, tuple) else field.default
        for name, field in FIELDS.items()
    }
    assert values == defaults
    assert all(type(values[name]) is type(default) for name, default in defaults.items())


def test_a_difference_is_told_by_the_check_and_mended_without_it(tmp_path, monkeypatch, capsys):
    for folder, name in (("config", "depth_node.yaml"), ("docs", "node.md")):
        (tmp_path / folder).mkdir()
        text = (ROOT / folder / name).read_text(encoding="utf-8")
        (tmp_path / folder / name).write_text(text.replace("0 to 256", "0 to 255"), encoding="utf-8")
    monkeypatch.setattr(parameter_files, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["parameter_files", "--check"])
    assert parameter_files.main() == 1
    assert "depth_node.yaml differs" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["parameter_files"])
    assert parameter_files.main() == 0
    for path in ("config/depth_node.yaml", "docs/node.md"):
        assert (tmp_path / path).read_text(encoding="utf-8") == (ROOT / path).read_text(encoding="utf-8")


def test_every_number_has_a_range_and_every_default_is_allowed():
    for name, field in FIELDS.items():
        choices, limits = field.metadata["choices"], field.metadata["limits"]
        assert (type(field.default) in (int, float)) == (limits is not None), name
        assert limits is None or limits[0] <= field.default <= limits[1], name
        assert not choices or field.default in choices, name


@pytest.mark.parametrize(("text", "size"), [("auto", None), ("192x640", (192, 640))])
def test_a_network_size_is_height_and_width(text, size):
    assert parse_network_size(text) == size


@pytest.mark.parametrize("text", ["", "192", "192 x 640", "-1x640", "640*192", "camera"])
def test_another_network_size_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="192x640"):
        parse_network_size(text)


def test_what_the_model_is_loaded_with_takes_effect_with_a_reload():
    assert applies("model") == RELOAD
    assert applies("output_size") == CONFIGURE
    assert applies("max_depth") == FRAME
    assert applies("use_sim_time") == FRAME  # not ours
