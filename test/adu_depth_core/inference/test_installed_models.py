"""Lookup of models by name; unknown names list the choices and their licences."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from adu_depth_core.errors import UsageError
from adu_depth_core.files import share_directory
from adu_depth_core.inference import installed_models as module
from adu_depth_core.inference.installed_models import (
    default_model,
    display_name,
    find_model,
    installed_models,
    is_name,
    model_names,
)
from adu_depth_core.model_card import card_path, file_sha256, read_card


@pytest.fixture
def share(tmp_path, monkeypatch, color_student):
    """An installation with the models small and base (both are the tests' network) and a teacher."""
    folder = tmp_path / "share" / "models"
    folder.mkdir(parents=True)
    for stem in ("adu_student", "adu_base"):
        model = folder / f"{stem}.onnx"
        shutil.copy(color_student, model)
        card = dataclasses.replace(
            read_card(color_student), files={model.name: file_sha256(model)}, licence=f"Licence of {stem}."
        )
        card.write(card_path(model))
    (folder / "adu_teacher.safetensors").touch()
    (folder / "adu_teacher.json").touch()
    monkeypatch.setattr(module, "share_directory", lambda: folder.parent)
    return folder


def test_names_are_those_of_the_students_that_are_there(share):
    assert model_names() == ["small", "base"]
    assert [model.path.name for model in installed_models()] == ["adu_student.onnx", "adu_base.onnx"]
    (share / "adu_base.json").unlink()
    assert model_names() == ["small"]


def test_a_file_is_called_by_its_models_name_if_it_is_installed(share, tmp_path):
    assert display_name(share / "adu_student.onnx") == "small"
    assert display_name(share / "adu_base.onnx") == "base"
    assert display_name(tmp_path / "adu_base.onnx") == "adu_base"
    assert display_name(tmp_path / "mine.v2.engine") == "mine.v2"


def test_a_further_model_needs_only_its_files(share):
    for suffix in (".onnx", ".json"):
        shutil.copy(share / f"adu_base{suffix}", share / f"adu_commercial{suffix}")
    assert "commercial" in model_names()
    assert find_model("commercial") == share / "adu_commercial.onnx"


def test_a_name_is_a_file_and_none_the_default(share):
    assert find_model("base") == share / "adu_base.onnx"
    assert find_model("small") == find_model() == default_model() == share / "adu_student.onnx"


@pytest.mark.parametrize("path", ["mine.onnx", "folder/base", "/models/student.engine", "./base"])
def test_a_path_stays_as_it_is(share, path):
    assert find_model(path) == Path(path)
    assert not is_name(path)


def test_an_unknown_name_is_refused_with_the_choices_and_their_licences(share):
    with pytest.raises(UsageError) as caught:
        find_model("commercial")
    text = str(caught.value)
    assert "no installed model 'commercial'" in text
    assert "choose one of: small (Licence of adu_student.); base (Licence of adu_base.)" in text
    assert "\n" not in text  # the log has one line per error


def test_a_damaged_model_does_not_hide_the_others_from_that_list(share):
    (share / "adu_student.json").write_text("{}")
    with pytest.raises(UsageError, match=r"small \(.*not a model card.*; base \(Licence of adu_base"):
        find_model("large")


def test_a_predictor_is_made_by_name(share):
    pytest.importorskip("onnxruntime")
    from adu_depth_core.inference.predictor import Predictor

    assert Predictor("base", "onnxruntime").model_path == share / "adu_base.onnx"


def test_every_installed_model_has_a_name_of_its_own():
    models = share_directory() / "models"
    files = {path.stem for path in models.glob("*.onnx")}
    assert {model.path.stem for model in installed_models()} == files
    assert len(set(model_names())) == len(files)
