"""A teacher's predictions are computed once, and are keyed by teacher and pair."""

import dataclasses
import pickle

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning")

import torch

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import write_calibration, write_sample
from adu_depth_core.deploy.onnx_export import save_weights
from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard, card_path, file_sha256
from adu_depth_core.networks.teacher import Teacher
from adu_depth_core.training.data import SourceViews
from adu_depth_core.training.sources import SourceConfig
from adu_depth_core.training.teacher_predictions import TeacherPredictions

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)


def write_teacher(folder, seed, role="teacher"):
    torch.manual_seed(seed)
    path = folder / "teacher.safetensors"
    save_weights(Teacher(150.0, "tf_efficientnet_lite0", "none"), path)
    files = {path.name: file_sha256(path)}
    ModelCard("t", role, "tf_efficientnet_lite0", 64, 160, 150.0, 1.0, 100.0, 1.5, files=files).write(
        card_path(path)
    )
    return path


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher"), seed=0)


def pair(seed=0):
    image = np.random.default_rng(seed).integers(0, 255, (64, 160, 3), np.uint8)
    return Sample("a", image, np.roll(image, -4, axis=1), None, CAMERA, 0.5)


def cached(folder):
    return sorted(folder.rglob("*.safetensors"))


def test_a_prediction_is_the_teachers_own_and_is_cached(teacher, tmp_path):
    predictions = TeacherPredictions.load(teacher, tmp_path)
    cache = predictions.of(pair())
    expected = predictions.predictor.predict(pair().left, CAMERA, pair().right, 0.5)
    depth, log_b = cache.astype(np.float32)
    assert depth == pytest.approx(expected.depth, rel=1e-3)
    assert 1.5 * np.exp(log_b) * depth == pytest.approx(expected.sigma, rel=1e-2)

    (path,) = cached(tmp_path)
    before = path.stat().st_mtime_ns
    assert np.array_equal(TeacherPredictions.load(teacher, tmp_path).of(pair()), cache)
    assert path.stat().st_mtime_ns == before


def test_other_images_of_the_same_name_have_predictions_of_their_own(teacher, tmp_path):
    predictions = TeacherPredictions.load(teacher, tmp_path)
    one, other = predictions.of(pair(0)), predictions.of(pair(1))
    assert not np.array_equal(one, other)
    predictions.of(dataclasses.replace(pair(0), baseline=0.3))
    assert len(cached(tmp_path)) == 3


def test_predictions_of_another_teacher_are_not_used(teacher, tmp_path):
    other = write_teacher(tmp_path, seed=1)
    folder = tmp_path / "cache"
    one, two = (TeacherPredictions.load(path, folder).of(pair()) for path in (teacher, other))
    assert not np.array_equal(one, two)
    assert np.array_equal(TeacherPredictions.load(teacher, folder).of(pair()), one)
    assert len(cached(folder)) == 2


def test_a_single_image_has_none(teacher, tmp_path):
    single = dataclasses.replace(pair(), right=None, baseline=None)
    assert TeacherPredictions.load(teacher, tmp_path).of(single) is None
    assert not cached(tmp_path)


@pytest.mark.parametrize("cache", [True, False])
def test_data_processes_have_the_predictions_without_the_teacher(teacher, tmp_path, cache):
    write_calibration(tmp_path / "drive" / "calibration.json", CAMERA, 0.5)
    write_sample(tmp_path / "drive", pair())
    source = SourceConfig("stereo_folder", str(tmp_path / "drive"), 1.0)
    predictions = TeacherPredictions.load(teacher, tmp_path / "cache")
    views = pickle.loads(pickle.dumps(SourceViews(source, cache, predictions)))
    view = views.draw(np.random.default_rng(0))
    assert np.array_equal(view.taught, predictions.of(pair()))
    assert view.other is None
    assert len(cached(tmp_path / "cache")) == 1


def test_a_missing_prediction_is_named(teacher, tmp_path):
    predictions = TeacherPredictions.load(teacher, tmp_path).without_teacher()
    with pytest.raises(UserError, match=r"the teacher's prediction for a, is missing"):
        predictions.of(pair())


@pytest.mark.parametrize("content", [b"", b"half", None])
def test_a_damaged_prediction_is_named(teacher, tmp_path, content):
    predictions = TeacherPredictions.load(teacher, tmp_path)
    predictions.of(pair())
    (path,) = cached(tmp_path)
    path.write_bytes(path.read_bytes()[:-1000] if content is None else content)
    with pytest.raises(UserError, match=rf"{path.name} is damaged .*delete it to have it computed again"):
        predictions.of(pair())


def test_what_is_no_teacher_is_refused(tmp_path):
    path = tmp_path / "student.safetensors"
    with pytest.raises(UserError, match=r"student\.safetensors does not exist"):
        TeacherPredictions.load(path, tmp_path)
