"""From bags to a judged student by the commands of docs/training_data.md, none edited, only smaller."""

import json

import pytest

from adu_depth_core.cli import main
from adu_depth_core.model_card import read_card

for package in ("rosbags", "jinja2", "torch", "timm", "lightning", "onnx", "trimesh", "embreex"):
    pytest.importorskip(package)

SMALL = ["input_height=64", "input_width=160", "crop_width=96", "f_ref=93", "batch_size=2", "steps=2"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def drives(tmp_path_factory):
    """Four bags of different streets, two stereo frames each, and a folder of synthetic training data."""
    folder = tmp_path_factory.mktemp("drives")
    small = ["--size", "64x160", "--lidar-steps", "600", "--frames", "2", "--rate", "1"]
    for seed, name in enumerate(("monday", "tuesday", "wednesday", "thursday")):
        assert run("synth-drive", "--bag", folder / name, *small, "--seed", seed) == 0
    assert run("synth-drive", "--out", folder / "synthetic", *small, "--seed", 9) == 0
    return folder


@pytest.mark.slow
def test_a_student_of_ones_own_drives_is_trained_and_judged(drives, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "runs" / "own"
    options = {"training": ["--truth", "lidar"], "calibration": [], "validation": []}
    for bag, (folder, truth) in zip(("monday", "tuesday", "wednesday"), options.items(), strict=True):
        assert run("extract", drives / bag, "--out", data / folder, *truth) == 0
    train = ["train", "student", "own_drives", f"root={data}", f"synthetic={drives / 'synthetic'}"]
    assert run(*train, f"out={out}", *SMALL, "--workers", "0") == 0

    model = out / "student.onnx"
    (source,) = [s for s in read_card(model).training["data"] if s["name"] == "training"]
    assert source["scenes"] == ["monday_000000_1000000000", "monday_000001_2000000000"]

    judge = ["evaluate-bag", "--model", model, "--out", tmp_path / "judged"]
    assert run(*judge, drives / "thursday") == 0
    metrics = json.loads((tmp_path / "judged" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["source"]["frames_evaluated"] == 2
    assert metrics["models"][0]["metrics"]["abs_rel"]["mean"] > 0
    assert not any("trained on" in warning for warning in metrics["warnings"])

    capsys.readouterr()
    assert run(*judge, drives / "monday", "--overwrite") == 1
    assert "trained on frames of bag monday" in capsys.readouterr().err
