"""Checkpoints as predictors: students match their exported model, teachers take both views."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("safetensors")

import torch
from safetensors.torch import save_file

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.subject import checkpoint_subject
from adu_depth_core.inference.backends.base import NetworkOutput, blank_input
from adu_depth_core.inference.checkpoint_predictor import (
    CheckpointPredictor,
    load_checkpoint_predictor,
    network_infer,
)
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import card_path, file_sha256, read_card
from adu_depth_core.networks.teacher import Teacher

CAMERA = Camera(150.0, 150.0, 79.5, 31.5, 160, 64)


def images(seed=0):
    return np.random.default_rng(seed).integers(0, 255, (2, 64, 160, 3), np.uint8)


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory):
    """An untrained teacher with its card."""
    torch.manual_seed(0)
    card = read_card(default_model())
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    save_file({n: t.contiguous() for n, t in Teacher(card.f_ref).state_dict().items()}, path)
    dataclasses.replace(card, name="t", role="teacher", files={path.name: file_sha256(path)}).write(
        card_path(path)
    )
    return path


def test_a_student_checkpoint_predicts_as_its_exported_model_does():
    pytest.importorskip("onnxruntime")
    left, _ = images()
    checkpoint = load_checkpoint_predictor(default_model().with_suffix(".safetensors"), (64, 160))
    exported = Predictor(default_model(), "onnxruntime", (64, 160))
    assert not checkpoint.stereo
    one, other = checkpoint.predict(left, CAMERA), exported.predict(left, CAMERA)
    assert np.median(np.abs(one.depth / other.depth - 1)) < 1e-4
    assert np.median(np.abs(one.sigma / other.sigma - 1)) < 1e-4


def test_a_teacher_looks_at_both_views_and_needs_them(teacher_file):
    left, right = images()
    predictor = load_checkpoint_predictor(teacher_file, (64, 160))
    assert predictor.stereo
    assert "PyTorch" in predictor.backend.runtime
    prediction = predictor.predict(left, CAMERA, right, 0.54)
    assert prediction.depth.shape == prediction.sigma.shape == (64, 160)
    assert not np.array_equal(prediction.depth, predictor.predict(left, CAMERA, left, 0.54).depth)
    with pytest.raises(UserError, match="t is a stereo network: it needs frames with a right view"):
        predictor.predict(left, CAMERA)


def test_a_network_sees_each_view_where_the_image_lies(teacher_file):
    """The padding is cropped from the result, and the focal length is that of the resized image."""
    seen = []

    def infer(left, right, baseline):
        seen.append((left.image.copy(), right.copy(), baseline))
        return NetworkOutput(*np.zeros((2, 96, 160), np.float32), None)

    card = read_card(teacher_file)
    left, right = images()
    prediction = CheckpointPredictor(card, infer, True, (96, 160)).predict(left, CAMERA, right, 0.5)
    assert seen[0][0].shape == seen[0][1].shape == (1, 3, 96, 160)
    assert not np.array_equal(*seen[0][:2])
    assert seen[0][2] == 0.5
    assert prediction.depth == pytest.approx(np.full((64, 160), max(150.0 / card.f_ref, card.depth_min)))


def test_a_missing_or_foreign_checkpoint_is_named(tmp_path, teacher_file):
    with pytest.raises(UserError, match=r"nothing\.safetensors does not exist"):
        load_checkpoint_predictor(tmp_path / "nothing.safetensors")
    with pytest.raises(UserError, match="multiple"):
        load_checkpoint_predictor(teacher_file, (65, 160))
    copy = tmp_path / "teacher.safetensors"
    copy.write_bytes(teacher_file.read_bytes()[:-1])
    card_path(copy).write_text(card_path(teacher_file).read_text())
    with pytest.raises(UserError, match="is not the file its model card was written for"):
        load_checkpoint_predictor(copy)


def test_a_stereo_network_without_its_right_view_says_so(teacher_file):
    card = read_card(teacher_file)
    seen = blank_input(1, (64, 160))
    with pytest.raises(ValueError, match="needs the right view and the baseline"):
        network_infer(Teacher(card.f_ref), True)(seen, None, None)


def test_a_network_of_no_file_has_no_report():
    nameless = CheckpointPredictor(read_card(default_model()), lambda *views: None, False)
    with pytest.raises(ValueError, match="has no file"):
        checkpoint_subject(nameless)
