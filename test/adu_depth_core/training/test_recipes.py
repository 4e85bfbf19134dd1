"""Recipes for public data sets run from training to export on miniature copies of their layouts."""

import json

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from adu_depth_core.cli import main
from adu_depth_core.datasets.kitti2015_scenes import scene_of
from adu_depth_core.datasets.kitti_raw import drive_of
from adu_depth_core.datasets.registry import KINDS, KITTI2015_HELD_OUT, KITTI2015_MORE_HELD_OUT
from adu_depth_core.files import share_directory
from adu_depth_core.images import write_png16
from adu_depth_core.model_card import read_card

TRAINING_DRIVE, TEST_DRIVE = "2011_09_26_drive_0011_sync", "2011_09_26_drive_0002_sync"
TINY = ["input_height=64", "input_width=160", "crop_width=96", "f_ref=150", "steps=2", "batch_size=2"]


@pytest.fixture
def kitti(tmp_path, write_kitti_raw_frame):
    """A frame of each held-out drive, two each of a training and a test drive, and BTS's lists."""
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
    # The usual crop is 352x1216 pixels, larger than the miniature images.
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


@pytest.fixture
def any_camera(tmp_path, write_kitti2015_scene):
    """Each folder of the recipe with two frames; in some, the second shows a held-out place."""
    root = tmp_path / "data"
    for scene in (*KITTI2015_HELD_OUT.validation, *KITTI2015_HELD_OUT.calibration, "000000"):
        write_kitti2015_scene(root / "kitti2015", scene, (90, 60, 30), 10.0)
    write_kitti2015_scene(tmp_path / "testing", "000000", (90, 60, 30), 10.0)
    (tmp_path / "testing" / "training").rename(root / "kitti2015" / "testing")
    write_kitti2015_scene(tmp_path / "synthetic", "000000", (90, 60, 30), 10.0)
    recipe = yaml.safe_load(
        (share_directory() / "config" / "training" / "any_camera.yaml").read_text(encoding="utf-8")
    )
    held_out = (*KITTI2015_MORE_HELD_OUT.validation, *KITTI2015_MORE_HELD_OUT.calibration)
    for source in (*recipe["sources"], *recipe["other_rigs"]):
        if source.get("kind", source.get("dataset")) != "kitti_folder":
            continue
        name = source["path"].removeprefix("${root}/")
        frames = {
            "kitti2015_more": [f"{scene}_10" for scene in (*held_out, "000043")],
            "kitti_object_lidar_pairs": ["000000", "000007"],
            "kitti_object_lidar_mono": ["000000", "000038"],
            "kitti_object_mono": ["000000", "000002"],
        }.get(name, ["000000"])
        _write_kitti_folder(root / name, frames, pairs="mono" not in name and "other" not in name)
    return root


def _write_kitti_folder(folder, frames, pairs):
    random = np.random.default_rng(0)
    for part in ("image_2", "image_3", "gt_depth"):
        (folder / part).mkdir(parents=True)
    projections = "P2: 150 0 79.5 0 0 150 31.5 0 0 0 1 0\nP3: 150 0 79.5 -75 0 150 31.5 0 0 0 1 0\n"
    (folder / "calib.txt").write_text(projections, encoding="utf-8")
    for frame in frames:
        image = random.integers(0, 255, (64, 160, 3), np.uint8)
        cv2.imwrite(str(folder / "image_2" / f"{frame}.png"), image)
        if pairs:
            cv2.imwrite(str(folder / "image_3" / f"{frame}.png"), np.roll(image, -7, axis=1))
        write_png16(folder / "gt_depth" / f"{frame}.png", np.full((64, 160), 10.7))


def test_any_camera_trains_without_an_edit_and_keeps_off_held_out_places(any_camera, tmp_path):
    out = tmp_path / "run"
    options = [f"root={any_camera}", f"synthetic={tmp_path / 'synthetic'}", f"out={out}"]
    tiny = ["encoder_weights=none", *TINY, "virtual_cameras.sizes=[64x96]", "precision=32-true"]
    assert main(["train", "student", "any_camera", *options, *tiny, "--workers", "0"]) == 0
    card = read_card(out / "student.onnx")
    trained = {(entry["name"], entry.get("split")): entry["scenes"] for entry in card.training["data"]}
    assert trained["kitti2015", "training"] == ["000000"]
    assert trained["kitti2015_more", None] == ["000043_10"]
    for folder in ("kitti_object_lidar_pairs", "kitti_object_lidar_mono", "kitti_object_mono"):
        assert trained[folder, None] == ["000000"]
    (accuracy,) = card.accuracy
    assert tuple(map(scene_of, accuracy["scenes"])) == KITTI2015_MORE_HELD_OUT.validation
    scales = card.training["calibration"]["scales"]
    assert len(scales) == 18 + 6
    assert card.novelty["threshold"] > 0
