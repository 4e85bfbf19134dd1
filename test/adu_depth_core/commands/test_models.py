"""``adu_depth models``, and model names in the other commands."""

import argparse
import importlib
import json

import cv2
import numpy as np
import pytest

from adu_depth_core.cli import COMMANDS, main
from adu_depth_core.inference.installed_models import find_model, model_names
from adu_depth_core.model_card import read_card

BY_NAME = {
    "adapt": ["--model"],
    "benchmark": ["models"],
    "build-engine": ["--onnx", "--reference"],
    "calibrate": ["--model"],
    "compare-bags": ["--model"],
    "doctor": ["--model"],
    "evaluate": ["--model"],
    "evaluate-bag": ["--model"],
    "export": ["--model"],
    "predict": ["--model"],
    "verify-engine": ["--reference"],
}
"""Every argument that takes a student's ONNX."""


def arguments_of(command):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"adu_depth_core.commands.{command.replace('-', '_')}").add_arguments(parser)
    return {name: action for action in parser._actions for name in action.option_strings or [action.dest]}


@pytest.mark.parametrize("command", BY_NAME)
def test_a_name_stands_for_a_model(command):
    actions = arguments_of(command)
    for name in BY_NAME[command]:
        assert actions[name].type("small") == find_model("small")


def test_no_command_has_a_default_model_under_another_argument():
    for command in COMMANDS:
        for name, action in arguments_of(command).items():
            assert (action.type is find_model) == (name in BY_NAME.get(command, [])), (command, name)
            assert "the installed" not in (action.help or ""), (command, name)


def test_an_unknown_name_is_an_invalid_option(capsys, tmp_path):
    assert main(["predict", "photo.png", "--model", "huge", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "there is no installed model 'huge'" in told
    assert read_card(find_model("small")).licence in told
    assert not (tmp_path / "out").exists()


def test_the_table_has_each_model_with_its_size_and_licence(capsys):
    assert main(["models"]) == 0
    told = capsys.readouterr().out
    for name in model_names():
        card = read_card(find_model(name))
        assert f"{card.input_height}x{card.input_width}" in told
        assert f"{name}: {card.licence}" in told


def test_programs_get_the_same_as_json(capsys):
    assert main(["models", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in entries] == model_names()
    for entry in entries:
        card = read_card(find_model(entry["name"]))
        assert entry["input"] == [card.input_height, card.input_width]
        assert entry["commercial_use"] is card.commercial_use
        assert entry["accuracy"] == card.accuracy


@pytest.mark.parametrize("name", model_names())
def test_each_installed_model_predicts_by_its_name(name, tmp_path, capsys):
    pytest.importorskip("openvino")
    pytest.importorskip("trimesh")
    pytest.importorskip("embreex")
    from adu_depth_core.synthetic.drive import DriveConfig, generate_drive

    rig, street = generate_drive(DriveConfig(seed=3, frames=1, width=640, height=192))
    frame = next(street)
    cv2.imwrite(str(tmp_path / "street.png"), frame.left[..., ::-1])
    camera = ["--focal", str(rig.camera.fx)]
    out = tmp_path / "out"
    assert main(["predict", str(tmp_path / "street.png"), "--model", name, *camera, "--out", str(out)]) == 0
    assert f"predicted with {name} (" in capsys.readouterr().out
    depth = cv2.imread(str(out / "depth" / "street.png"), cv2.IMREAD_UNCHANGED) / 256
    known = np.isfinite(frame.depth) & (frame.depth < 60)
    errors = np.abs(depth[known] / frame.depth[known] - 1)
    assert np.median(errors) < 0.25  # a street, not noise: predicting the mean depth is worse
    guess = np.median(frame.depth[known])
    assert np.median(errors) < np.median(np.abs(guess / frame.depth[known] - 1))
