import json

import pytest

from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, file_sha256, read_card

ENTRIES = {
    "name": "test",
    "role": "student",
    "encoder": "tf_efficientnet_lite0",
    "input_height": 192,
    "input_width": 640,
    "f_ref": 370.0,
    "depth_min": 1.0,
    "depth_max": 80.0,
    "sigma_scale": 1.2,
}


def write_model(folder, content=b"weights"):
    """A model file with its card."""
    model = folder / "student.onnx"
    model.write_bytes(content)
    ModelCard(**ENTRIES, files={model.name: file_sha256(model)}).write(card_path(model))
    return model


def change_card(model, **changes):
    path = card_path(model)
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_written_card_is_read_back(tmp_path):
    card = ModelCard(
        **ENTRIES,
        mean=(0.1, 0.2, 0.3),
        training={"data": [{"name": "kitti2015", "scenes": ["000001"]}]},
        accuracy=[{"abs_rel": 0.1}],
        licence="Größe m² — any",
    )
    assert ModelCard.from_json(card.to_json()) == card
    model = write_model(tmp_path)
    assert read_card(model).files == {"student.onnx": file_sha256(model)}


def test_sha256_of_known_content(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, example B.1
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_model_that_was_replaced_is_refused(tmp_path):
    model = write_model(tmp_path)
    model.write_bytes(b"other weights")
    with pytest.raises(ModelCardError, match=r"student.onnx is not the file its model card was written for"):
        read_card(model)


def test_the_card_of_another_model_is_refused(tmp_path):
    model = write_model(tmp_path)
    renamed = model.rename(tmp_path / "renamed.onnx")
    card_path(model).rename(card_path(renamed))
    with pytest.raises(ModelCardError, match="does not name that file"):
        read_card(renamed)


def test_a_missing_model_or_card_is_named(tmp_path):
    model = tmp_path / "student.onnx"
    with pytest.raises(FileNotFoundError, match=r"student.onnx does not exist"):
        read_card(model)
    model.write_bytes(b"weights")
    with pytest.raises(FileNotFoundError, match=r"student.json does not exist"):
        read_card(model)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "something else"}', "\x00"])
def test_a_file_that_is_no_card_is_refused(tmp_path, text):
    model = write_model(tmp_path)
    card_path(model).write_text(text, encoding="utf-8")
    with pytest.raises(ModelCardError, match=r"student.json"):
        read_card(model)


def test_a_card_that_is_not_text_is_refused(tmp_path):
    model = write_model(tmp_path)
    card_path(model).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelCardError, match=r"student.json"):
        read_card(model)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"role": "professor"}, "role is 'professor'"),
        ({"input_height": 192.5}, "input_height is 192.5"),
        ({"input_width": 0}, "input_width is 0"),
        ({"f_ref": -370}, "f_ref is -370"),
        ({"f_ref": "370"}, "f_ref is '370'"),
        ({"sigma_scale": float("nan")}, "sigma_scale is nan"),
        ({"depth_max": float("inf")}, "depth_max is inf"),
        ({"depth_min": 90.0}, r"depth range \[90.0, 80.0\] is empty"),
        ({"mean": [0.5, 0.5]}, "mean is"),
        ({"mean": 0.5}, "mean is 0.5"),
        ({"std": ["a", "b", "c"]}, "std is"),
        ({"files": None}, "files is None"),
        ({"training": []}, r"training is \[\]"),
        ({"colour": "red"}, "unknown entries: colour"),
        ({"format_version": 2}, "format_version is 2"),
    ],
)
def test_a_card_with_a_wrong_entry_is_refused(tmp_path, changes, text):
    model = write_model(tmp_path)
    change_card(model, **changes)
    with pytest.raises(ModelCardError, match=text):
        read_card(model)


def test_a_missing_entry_is_named(tmp_path):
    model = write_model(tmp_path)
    content = json.loads(card_path(model).read_text(encoding="utf-8"))
    del content["f_ref"], content["encoder"]
    card_path(model).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelCardError, match="missing entries: encoder, f_ref"):
        read_card(model)


NOVELTY = {"threshold": 2.0, "fault_threshold": 5.0, "sigma_growth": 0, "reference": 1.0}


@pytest.mark.parametrize(
    ("novelty", "message"),
    [
        ([], r"novelty is \[\]: must be empty, or have threshold, fault_threshold, sigma_growth, reference"),
        ({"threshold": 2.0}, "must be empty, or have"),
        ({**NOVELTY, "threshold": 0}, "novelty threshold is 0: .* positive"),
        ({**NOVELTY, "fault_threshold": -1.0}, r"novelty fault_threshold is -1\.0: .* positive"),
        ({**NOVELTY, "sigma_growth": -1}, "novelty sigma_growth is -1: .*not negative"),
        ({**NOVELTY, "reference": float("nan")}, "novelty reference is nan"),
        ({**NOVELTY, "reference": True}, "novelty reference is True"),
        ({**NOVELTY, "threshold": "2"}, "novelty threshold is '2'"),
    ],
)
def test_novelty_entries_are_whole_and_sensible(novelty, message):
    with pytest.raises(ModelCardError, match=message):
        ModelCard(**ENTRIES, novelty=novelty)


def test_novelty_is_read_back():
    card = ModelCard(**ENTRIES, novelty=NOVELTY)
    assert ModelCard.from_json(card.to_json()).novelty == NOVELTY
