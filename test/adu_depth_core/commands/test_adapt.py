"""From a bag to an adapted student in one command, scaled down."""

import pytest

from adu_depth_core.cli import main
from adu_depth_core.model_card import read_card

for package in ("rosbags", "openvino", "torch", "timm", "lightning", "onnx", "trimesh", "embreex"):
    pytest.importorskip(package)


@pytest.fixture
def small(monkeypatch):
    """Two synthetic streets with two views each; pairs are labelled by stereo matching."""
    monkeypatch.setattr(
        "adu_depth_core.own_vehicle.replay.SCENES", {"replay": (500, 1), "elsewhere": (600, 1)}
    )
    monkeypatch.setattr("adu_depth_core.own_vehicle.replay.VIEWS", 2)
    monkeypatch.setattr("adu_depth_core.own_vehicle.adaptation.shipped_teacher", lambda: None)


@pytest.fixture(scope="module")
def drives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drives")
    options = ["--size", "96x320", "--rate", "1", "--lidar-steps", "600"]
    for name, frames in (("monday", "20"), ("tuesday", "1")):
        assert main(["synth-drive", "--bag", str(folder / name), *options, "--frames", frames]) == 0
    return folder


@pytest.mark.slow
def test_a_student_is_adapted_judged_and_goes_on_where_it_was(drives, small, shipped_model, tmp_path, capsys):
    out = tmp_path / "adapted"
    command = ["adapt", str(drives / "monday"), "--truth", "lidar", "--out", str(out), "--workers", "0"]
    command += ["--minutes", "0.1", "--model", str(shipped_model)]
    assert main(command) in (0, 3)  # a few steps may not help
    told = capsys.readouterr().out
    for place in ("end of the drive", "stopped by", "other cameras"):
        assert place in told
    start, adapted = read_card(shipped_model), read_card(out / "run" / "student.onnx")
    assert adapted.training["start"]["files"] == start.files
    (source,) = [entry for entry in adapted.training["data"] if entry["name"] == "drive"]
    assert source["scenes"][0] == "monday_000000_1000000000"
    assert adapted.licence == start.licence
    assert adapted.novelty == start.novelty

    written = (out / "data" / "bags" / "drive" / "calibration.json").stat().st_mtime_ns
    assert main(command) in (0, 3)  # the time budget is used up: it only evaluates again
    assert (out / "data" / "bags" / "drive" / "calibration.json").stat().st_mtime_ns == written

    command[1] = str(drives / "tuesday")
    assert main(command) == 1
    assert "was made of other bags or topics; choose another --out" in capsys.readouterr().err


def test_a_model_without_weights_is_refused(color_student, drives, tmp_path, capsys):
    command = ["adapt", str(drives / "monday"), "--out", str(tmp_path / "o"), "--model", str(color_student)]
    assert main(command) == 1
    assert "color.safetensors does not exist: fine-tuning starts from weights" in capsys.readouterr().err


def test_a_height_alone_is_no_label(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["adapt", "drive", "--camera-height", "1.65", "--out", str(tmp_path / "out")])
    told = capsys.readouterr().err
    assert "a height gives one factor of depth, and nothing to learn from" in told
    assert "adu_depth calibrate BAG --camera-height 1.65 --out DIR" in told
