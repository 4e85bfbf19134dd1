"""The order of training views depends only on seed and position."""

import dataclasses
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import torch

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import write_calibration, write_sample
from adu_depth_core.datasets.views import View
from adu_depth_core.errors import UserError
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.model_card import read_card
from adu_depth_core.training.config import VirtualCameraConfig, load_config
from adu_depth_core.training.data import Schedule, SourceViews, TrainingViews, read_sources, to_tensors
from adu_depth_core.training.sources import SourceConfig

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)
CARD = dataclasses.replace(read_card(default_model()), f_ref=150.0)


@pytest.fixture
def folder(tmp_path):
    """Three stereo frames at 10 m, and one without depth."""
    random = np.random.default_rng(0)
    write_calibration(tmp_path / "drive" / "calibration.json", CAMERA, 0.5)
    for index in range(4):
        image = random.integers(0, 255, (64, 160, 3), np.uint8)
        depth = np.full((64, 160), 10.0, np.float32) if index < 3 else None
        write_sample(tmp_path / "drive", Sample(f"{index}", image, image, depth, CAMERA, 0.5))
    return tmp_path / "drive"


def config(folder, **changes):
    text = ["root=x", "synthetic=x", "out=x", "input_height=64", "input_width=160", "crop_width=96"]
    sources = (SourceConfig("stereo_folder", str(folder), 1.0, labels="none"),)
    return dataclasses.replace(load_config("kitti2015_small", text), sources=sources, **changes)


def views(config, mirroring="stereo", clean=True):
    return TrainingViews(config, CARD, read_sources(config, stereo=False), mirroring, clean)


def test_a_position_is_the_same_whenever_and_wherever_it_is_asked_for(folder):
    first, again = views(config(folder)), views(config(folder))
    for position in (5, 0, 17):
        one, two = first[position], again[position]
        assert all(torch.equal(one[name], two[name]) for name in one)
    other_seed = views(config(folder, seed=1))
    assert not torch.equal(first[5]["image"], other_seed[5]["image"])


def test_the_progress_of_reading_counts_frames(folder, capsys):
    read_sources(config(folder, cache=True), stereo=False)
    assert f"Reading {folder}: 4/4 frames" in capsys.readouterr().err


def test_reading_when_asked_for_gives_views_like_those_in_memory(folder):
    kept, read = (views(config(folder, cache=cache)) for cache in (True, False))
    for source in (kept, read):
        items = [source[position] for position in range(12)]
        assert {item["image"].shape for item in items} == {(3, 64, 96)}
        assert all(float(item["baseline"]) == 0.5 for item in items)
        assert any(item["depth"].any() for item in items)
        assert any(not item["depth"].any() for item in items)


def test_the_teacher_gets_the_views_without_noise(folder):
    item = views(config(folder))[3]
    assert not torch.equal(item["image"], item["clean_image"])
    quiet = views(config(folder, photometric=0.0))[3]
    assert torch.equal(quiet["image"], quiet["clean_image"])
    assert torch.equal(quiet["other"], quiet["clean_other"])


def test_the_teacher_always_gets_the_other_camera_to_the_right(folder):
    quiet = views(config(folder, photometric=0.0), mirroring="random")
    turned = [quiet[position] for position in range(24)]
    assert {bool(item["mirrored"]) for item in turned} == {True, False}
    for item in turned:
        assert float(item["baseline"]) == 0.5
        clean = item["clean_image"].flip(-1) if item["mirrored"] else item["clean_image"]
        assert torch.equal(item["image"], clean)


def test_depth_is_canonical():
    image = np.zeros((64, 160, 3), np.uint8)
    tensors = to_tensors(View(image, np.full((64, 160), 10.0, np.float32), CAMERA), CARD)
    assert float(tensors["depth"].mean()) == pytest.approx(10.0 * 150 / 100)
    assert float(tensors["baseline"]) == 0.0
    assert not tensors["other"].any()


def by_virtual_cameras(folder, **changes):
    virtual = VirtualCameraConfig(sizes=("64x96", "96x64", "64x64"), rotation_probability=0.0)
    changed = config(
        folder, virtual_cameras=dataclasses.replace(virtual, **changes), batch_size=3, photometric=0.0
    )
    return views(changed, clean=False)


def test_all_views_of_a_step_have_one_of_the_sizes(folder):
    source = by_virtual_cameras(folder)
    shapes = [source[position]["image"].shape for position in range(36)]
    steps = [set(shapes[step : step + 3]) for step in range(0, 36, 3)]
    assert all(len(step) == 1 for step in steps)
    assert set.union(*steps) == {(3, 64, 96), (3, 96, 64), (3, 64, 64)}


def test_the_camera_of_a_view_is_the_one_that_its_depth_is_canonical_for(folder):
    source = by_virtual_cameras(folder, faults=0.0)
    focals = set()
    for position in range(12):
        item = source[position]
        focal = float(item["camera"][0])
        focals.add(focal)
        known = item["depth"][item["depth"] > 0]
        assert known.numpy() == pytest.approx(10.0 * 150 / focal, rel=1e-5)
    assert max(focals) / min(focals) > 1.5


@pytest.mark.parametrize(("share", "expected"), [(0.0, {False}), (0.5, {False, True}), (1.0, {True})])
def test_views_of_a_broken_camera_say_so(folder, share, expected):
    source = by_virtual_cameras(folder, faults=share)
    assert {bool(source[position]["fault"]) for position in range(16)} == expected


def test_a_virtual_camera_that_the_network_does_not_take_is_named(folder):
    with pytest.raises(UserError, match="virtual_cameras: sizes: network size 60x96"):
        by_virtual_cameras(folder, sizes=("60x96",))


def test_a_schedule_shares_each_step_between_processes_and_goes_on_where_it_stopped():
    whole = list(Schedule(steps=4, batch_size=6))
    assert [position for step in whole for position in step] == list(range(24))
    parts = [list(Schedule(4, 6, rank=rank, processes=2)) for rank in range(2)]
    assert [first + second for first, second in zip(*parts, strict=True)] == whole
    assert list(Schedule(4, 6, start=3)) == whole[3:]
    with pytest.raises(UserError, match="batch_size 6 cannot be shared by 4 processes"):
        Schedule(4, 6, processes=4)


def test_single_images_are_no_source_of_pairs(tmp_path):
    (tmp_path / "mono" / "image_2").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "mono" / "image_2" / "0.png"), np.zeros((64, 160, 3), np.uint8))
    (tmp_path / "mono" / "calib.txt").write_text("P2: 100 0 79.5 0 0 100 31.5 0 0 0 1 0\n")
    source = SourceConfig("kitti_folder", str(tmp_path / "mono"), 1.0)
    with pytest.raises(UserError, match="none of the sources has a right view"):
        read_sources(SimpleNamespace(sources=[source], cache=False), stereo=True)
    with pytest.raises(UserError, match="no frame has ground truth or a right view"):
        SourceViews(source, cache=True)
    with pytest.raises(UserError, match="neither truth nor a right view"):
        SourceViews(source, cache=False).draw(np.random.default_rng(0))
