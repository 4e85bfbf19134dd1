"""A trained student is copied to ``models/`` completely, under its name, or not at all."""

import shutil
import sys

import numpy as np
import pytest

for module in ("torch", "timm", "safetensors", "onnx", "onnxruntime"):
    pytest.importorskip(module)

import ship_model  # noqa: E402

from adu_depth_core.inference.backends.choice import BACKENDS  # noqa: E402
from adu_depth_core.model_card import card_path, read_card  # noqa: E402


@pytest.fixture
def trained(shipped_model, tmp_path):
    """The weights of a run, with a card that has the training names."""
    weights = tmp_path / "run" / shipped_model.with_suffix(".safetensors").name
    weights.parent.mkdir()
    shutil.copy(shipped_model.with_suffix(".safetensors"), weights)
    shutil.copy(card_path(shipped_model), card_path(weights))
    return weights


def ship(monkeypatch, trained, models, *options):
    models.mkdir(exist_ok=True)
    arguments = [str(trained), "commercial", "--models", str(models), *options]
    monkeypatch.setattr(sys, "argv", ["ship_model.py", *arguments])
    ship_model.main()


def test_a_student_is_shipped_with_its_weights_and_card(monkeypatch, trained, tmp_path, shipped_model):
    models = tmp_path / "models"
    ship(monkeypatch, trained, models, "--store-fp16")
    assert {path.name for path in models.iterdir()} == {
        f"adu_commercial.{suffix}" for suffix in ("onnx", "safetensors", "json")
    }
    model = models / "adu_commercial.onnx"
    card, before = read_card(model), read_card(trained)
    assert card.name == "adu_commercial"
    assert (card.licence, card.accuracy, card.novelty) == (before.licence, before.accuracy, before.novelty)
    assert read_card(model.with_suffix(".safetensors")) == card
    assert model.stat().st_size < 0.6 * shipped_model.stat().st_size
    seen = np.zeros((1, 3, 64, 96), np.float32), np.array([[55, 55, 48, 32]], np.float32)
    ours, theirs = (
        BACKENDS["onnxruntime"](path, (64, 96), 1).infer(*seen) for path in (model, shipped_model)
    )
    for value, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-4)


def test_files_that_are_too_large_are_not_shipped(monkeypatch, trained, tmp_path, capsys):
    monkeypatch.setattr(ship_model, "LARGEST", 10e6)
    with pytest.raises(SystemExit):
        ship(monkeypatch, trained, tmp_path / "models")
    assert "adu_commercial.onnx has 15" in capsys.readouterr().err
    assert list((tmp_path / "models").iterdir()) == []
