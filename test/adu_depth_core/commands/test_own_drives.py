"""From bags to an evaluated student by the commands of docs/training_data.md, unedited but scaled down."""

import csv
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
    """Four bags of different streets with two stereo frames each, and a folder of synthetic training data."""
    folder = tmp_path_factory.mktemp("drives")
    small = ["--size", "64x160", "--lidar-steps", "600", "--frames", "2", "--rate", "1"]
    for seed, name in enumerate(("monday", "tuesday", "wednesday", "thursday")):
        assert run("synth-drive", "--bag", folder / name, *small, "--seed", seed) == 0
    assert run("synth-drive", "--out", folder / "synthetic", *small, "--seed", 9) == 0
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("few_views_to_describe")
def test_a_student_of_ones_own_drives_is_trained_and_judged(drives, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "runs" / "own"
    options = {"training": ["--truth", "lidar"], "calibration": [], "validation": []}
    for bag, (folder, truth) in zip(("monday", "tuesday", "wednesday"), options.items(), strict=True):
        assert run("extract", drives / bag, "--out", data / folder, *truth) == 0
    train = ["train", "student", "own_drives", f"root={data}", f"synthetic={drives / 'synthetic'}"]
    assert run(*train, f"out={out}", *SMALL, "initial_weights=none", "--workers", "0") == 0

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


@pytest.fixture(scope="module")
def stereo_drive(tmp_path_factory):
    """One bag with a stereo pair as its only supervision, and a folder of synthetic training data."""
    folder = tmp_path_factory.mktemp("rig")
    from adu_depth_core.bags.messages import camera_info_message, image_message
    from adu_depth_core.bags.writer import DEFAULT_START_NS, BagWriter
    from adu_depth_core.synthetic.drive import DriveConfig, generate_drive

    rig, frames = generate_drive(
        DriveConfig(seed=5, frames=12, width=160, height=64, rate_hz=1.0, lidar=None)
    )
    with BagWriter(folder / "drive") as bag:
        for frame in frames:
            for side, image, baseline in (("left", frame.left, 0.0), ("right", frame.right, rig.baseline)):
                stamp = DEFAULT_START_NS + frame.stamp_ns
                info = camera_info_message(rig.camera, stamp, side, baseline)
                bag.write(f"/camera/{side}/camera_info", info, stamp)
                bag.write(f"/camera/{side}/image_rect", image_message(image, "rgb8", stamp, side), stamp)
    small = ["--size", "64x160", "--lidar-steps", "600", "--frames", "2", "--rate", "1", "--seed", "9"]
    assert run("synth-drive", "--out", folder / "synthetic", *small) == 0
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("few_views_to_describe")
def test_a_rig_with_stereo_only_gets_to_a_judged_student(stereo_drive, tmp_path, capsys, shipped_model):
    data, out = tmp_path / "data", tmp_path / "runs" / "own"
    assert run("extract", stereo_drive / "drive", "--out", data, "--split") == 0
    parts = [data / part for part in ("training", "calibration", "validation")]
    assert not any((part / "depth").exists() for part in parts)
    train = ["train", "student", "own_drives", f"root={data}", f"synthetic={stereo_drive / 'synthetic'}"]
    train += [f"out={out}", *SMALL, "f_ref=370", "--workers", "0"]
    assert run(*train) == 1  # before training, not after it
    assert "make-labels" in capsys.readouterr().err
    assert run("make-labels", *parts) == 0
    capsys.readouterr()
    assert run(*train) == 0
    said = capsys.readouterr()
    assert "starts from adu_student" in said.out
    assert "Non-commercial" in said.out
    assert "pseudo" in said.out

    card = read_card(out / "student.onnx")
    assert card.training["start"]["name"] == "adu_student"
    assert card.licence == read_card(shipped_model).licence
    (accuracy,) = card.accuracy
    assert accuracy["pseudo"] == len(accuracy["scenes"]) == 1
    assert sorted(card.training["calibration"]["pseudo"]) == sorted(card.training["calibration"]["scales"])

    evaluate = ["evaluate", "--dataset", "stereo_folder", "--root", data / "validation"]
    evaluate += ["--model", out / "student.onnx", "--json", tmp_path / "result.json"]
    evaluate += ["--csv", tmp_path / "frames.csv"]
    assert run(*evaluate) == 1
    assert "--split labelled" in capsys.readouterr().err
    assert run(*evaluate, "--split", "labelled") == 0
    table = capsys.readouterr().out
    assert "1 frames, 1 of them against pseudo-labels" in " ".join(table.split())
    record = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert record["sets"][0]["pseudo"] == accuracy["scenes"]
    with (tmp_path / "frames.csv").open(encoding="utf-8", newline="") as file:
        assert [row["truth"] for row in csv.DictReader(file)] == ["pseudo"]
