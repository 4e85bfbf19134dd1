"""Camera range in a model card, from the training data."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import write_calibration, write_sample
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.network_size import fit_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.trained_cameras import doubt as camera_doubt
from adu_depth_core.model_card import read_card
from adu_depth_core.training.camera_range import camera_range
from adu_depth_core.training.config import VirtualCameraConfig, load_config
from adu_depth_core.training.data import TrainingViews, read_sources
from adu_depth_core.training.sources import SourceConfig

CARD = read_card(default_model())


def write_rig(folder, focal, count=3):
    camera = Camera(focal, focal, 79.5, 31.5, 160, 64)
    write_calibration(folder / "calibration.json", camera, 0.5)
    image = np.random.default_rng(0).integers(0, 255, (64, 160, 3), np.uint8)
    for index in range(count):
        depth = np.full((64, 160), 10.0, np.float32)
        write_sample(folder, Sample(f"{index}", image, image, depth, camera, 0.5))
    return folder


def views(*folders, **changes):
    text = ["root=x", "synthetic=x", "out=x", "input_height=64", "input_width=160", "crop_width=160"]
    sources = tuple(SourceConfig("stereo_folder", str(folder), 1.0, labels="none") for folder in folders)
    config = dataclasses.replace(load_config("kitti2015_small", text), sources=sources, **changes)
    return TrainingViews(config, CARD, read_sources(config, stereo=False), "random", clean=False)


@pytest.mark.parametrize("cache", [True, False])
def test_without_zoom_it_is_that_of_the_sources(tmp_path, cache):
    rigs = write_rig(tmp_path / "wide", 80.0), write_rig(tmp_path / "narrow", 160.0)
    entry = camera_range(views(*rigs, zoom_probability=0.0, cache=cache))
    assert entry["network_focal"] == pytest.approx([80.0, 160.0])
    assert entry["horizontal_fov"] == pytest.approx([53.1, 90.0], abs=0.1)


def test_zoom_enlarges_the_focal_length_and_narrows_the_view(tmp_path):
    entry = camera_range(views(write_rig(tmp_path / "rig", 80.0), zoom_probability=1.0, max_zoom=2.0))
    assert entry["network_focal"] == pytest.approx([80.0, 160.0], rel=0.03)
    narrow, wide = entry["horizontal_fov"]
    # Half of the columns span 53.1 degrees in the middle, 45 at the edge.
    assert 45.0 <= narrow <= 53.1
    assert wide == pytest.approx(90.0, abs=3.0)


def test_a_network_trained_on_crops_knows_the_whole_images(tmp_path):
    """The shipped teacher was trained on 640 of 1280 columns, and warned about the full images."""
    rig = views(write_rig(tmp_path / "rig", 80.0), crop_width=32, zoom_probability=0.0)
    entry = camera_range(rig)
    assert entry["horizontal_fov"][1] == pytest.approx(90.0, abs=0.1)
    whole = rig.sources[0].cameras()[0]
    card = dataclasses.replace(CARD, input_height=64, input_width=160, cameras=entry)
    assert camera_doubt(Placement.fit(whole, fit_network_size(whole, card)), card) == ""


def test_a_border_around_a_small_image_shows_no_wider_view(tmp_path):
    """Zoomed out, the 90 degree image covers part of the input, whose camera would span 116 degrees."""
    virtual = VirtualCameraConfig(
        sizes=("64x160",), min_zoom=0.6, max_zoom=1.0, zoom_probability=1.0, rotation_probability=0.0
    )
    entry = camera_range(views(write_rig(tmp_path / "rig", 80.0), virtual_cameras=virtual))
    assert entry["network_focal"] == pytest.approx([48.0, 80.0], rel=0.03)
    assert entry["horizontal_fov"][1] == pytest.approx(90.0, abs=0.1)


def test_the_focal_lengths_are_those_of_the_views_that_are_trained_on(tmp_path):
    virtual = VirtualCameraConfig(sizes=("64x96", "96x64"), zoom_probability=1.0, faults=0.0)
    source = views(write_rig(tmp_path / "rig", 80.0), virtual_cameras=virtual)
    low, high = camera_range(source)["network_focal"]
    focals = np.array([float(source[position]["camera"][0]) for position in range(300)])
    assert np.mean((focals >= low) & (focals <= high)) > 0.97
    assert focals.min() < low * 1.1
    assert focals.max() > high / 1.1
