"""The recipes for published data sets run from training to export on miniature trees in their own layouts."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from adu_depth_core.cli import main
from adu_depth_core.datasets.kitti_raw import drive_of
from adu_depth_core.datasets.registry import KINDS
from adu_depth_core.model_card import read_card

TRAINING_DRIVE, TEST_DRIVE = "2011_09_26_drive_0011_sync", "2011_09_26_drive_0002_sync"
TINY = ["input_height=64", "input_width=160", "crop_width=96", "f_ref=150", "steps=2", "batch_size=2"]


@pytest.fixture
def kitti(tmp_path, write_kitti_raw_frame):
    """A frame of each held-out drive, two of a training and of a test drive, and lists as BTS ships them."""
    held_out = KINDS["kitti_eigen"].held_out
    drives = dict.fromkeys((*held_out.validation, *held_out.calibration), 1)
    lists = {"train": "", "test": ""}
    root = tmp_path / "kitti"
    for drive, count in {**drives, TRAINING_DRIVE: 2, TEST_DRIVE: 2}.items():
        part = "train" if drive == TRAINING_DRIVE else "val"
        for number in range(5, 5 + count):
            write_kitti_raw_frame(root, drive, number, part, disparity=4 + number)
            name = f"{number:010d}.png"
            image, depth = f"image_02/data/{name}", f"proj_depth/groundtruth/image_02/{name}"
            line = f"{drive[:10]}/{drive}/{image} {drive}/{depth} 150.0\n"
            lists["test" if drive == TEST_DRIVE else "train"] += line
    for name, text in lists.items():
        (root / f"eigen_{name}_files_with_gt.txt").write_text(text, encoding="utf-8")
    return root


def test_kitti_eigen_trains_evaluates_and_exports_without_an_edit(kitti, tmp_path, capsys):
    out = tmp_path / "run"
    options = [f"root={kitti}", f"out={out}", "encoder_weights=none", *TINY]
    assert main(["train", "student", "kitti_eigen", *options, "--workers", "0"]) == 0
    card = read_card(out / "student.onnx")
    assert card.training["data"][0]["drives"] == [TRAINING_DRIVE]
    held_out = KINDS["kitti_eigen"].held_out
    assert {drive_of(scene) for scene in card.accuracy[0]["scenes"]} == set(held_out.validation)

    result = tmp_path / "result.json"
    evaluate = [
        "evaluate",
        "--dataset",
        "kitti_eigen",
        "--root",
        str(kitti),
        "--model",
        str(out / "student.onnx"),
    ]
    # The usual crop is of 352x1216 pixels, which miniature images do not have.
    assert main([*evaluate, "--crop", "garg", "--backend", "onnxruntime", "--json", str(result)]) == 0
    record = json.loads(result.read_text(encoding="utf-8"))
    (judged,) = record["sets"]
    assert [frame["name"] for frame in judged["frames"]] == [f"{TEST_DRIVE}/{n:010d}" for n in (5, 6)]
    assert judged["leakage"]["known"]
    assert judged["leakage"]["trained"] == []
    capsys.readouterr()
    assert main([*evaluate, "--crop", "garg", "--split", "training"]) == 1
    assert f"places of 2 of the 2 frames to evaluate ({TRAINING_DRIVE})" in capsys.readouterr().err

    exported = tmp_path / "exported.onnx"
    weights = str(out / "student.safetensors")
    assert main(["export", "--model", weights, "--size", "64x160", "--out", str(exported)]) == 0
    assert read_card(exported).training["data"] == card.training["data"]
