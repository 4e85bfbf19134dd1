import contextlib
import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.deploy.network_cost import Cost
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.leakage import check_leakage
from adu_depth_core.evaluation.sigma_calibration import Calibration
from adu_depth_core.inference.network_size import fit_network_size, fixed_network_size
from adu_depth_core.inference.novelty import is_unfamiliar, novelty, sigma_growth
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.tensorrt.engine_file import check_fits
from adu_depth_core.inference.trained_cameras import doubt
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, file_sha256, read_card
from adu_depth_core.replay.bag_leakage import BagLeakage

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
    """A model file and its card."""
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
        accuracy=[{"data": "kitti2015", "split": "validation", "metrics": {"abs_rel": 0.1}}],
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
        ({"mean": [0.5, float("nan"), 0.5]}, r"mean\[1\] is nan"),
        ({"std": ["a", "b", "c"]}, r"std\[0\] is 'a'"),
        ({"std": [0.2, 0.0, 0.2]}, r"std\[1\] is 0.0: must be a finite number from 1e-06"),
        ({"f_ref": True}, "f_ref is True"),
        ({"f_ref": 1e300}, "f_ref is 1e"),
        ({"sigma_scale": 10**400}, "sigma_scale is 1000"),
        ({"input_height": True}, "input_height is True"),
        ({"name": None}, "name is None: must be text"),
        ({"name": "\ud800"}, "half a surrogate pair"),
        ({"files": None}, "files is None"),
        ({"files": {"student.onnx": 3}}, r"files.student.onnx is 3: must be a SHA-256"),
        ({"training": []}, r"training is \[\]"),
        ({"training": {"data": {"name": "x"}}}, r"training.data is {'name': 'x'}: must be a list"),
        ({"training": {"data": [{}]}}, r"training.data\[0\] lacks name"),
        ({"training": {"data": [{"name": "x", "scenes": [1]}]}}, r"training.data\[0\].scenes\[0\] is 1"),
        ({"training": {"calibration": {"data": "x", "scales": {"a": 1.0}}}}, "of 2 entries or more"),
        ({"training": {"teacher": "me"}}, "training.teacher is 'me': must be an object"),
        ({"accuracy": [1]}, r"accuracy\[0\] is 1: must be an object"),
        ({"accuracy": [{"data": "x", "split": "y", "metrics": {"rmse": "4"}}]}, "metrics.rmse is '4'"),
        ({"extra": {"precision": "fp8"}}, "extra.precision is 'fp8': must be one of 'fp32'"),
        ({"extra": {"cost": {"operations": 3}}}, "extra.cost lacks activation_bytes"),
        ({"extra": {"engine": []}}, r"extra.engine is \[\]: must be an object"),
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
        ([], r"novelty is \[\]: must be an object"),
        ({"threshold": 2.0}, "novelty lacks fault_threshold, reference, sigma_growth"),
        ({**NOVELTY, "more": 1.0}, "novelty has unknown entries: more"),
        ({**NOVELTY, "threshold": 0}, r"novelty\.threshold is 0: must be a finite number from 1e-06"),
        ({**NOVELTY, "fault_threshold": -1.0}, r"novelty\.fault_threshold is -1\.0"),
        (
            {**NOVELTY, "sigma_growth": -1},
            r"novelty\.sigma_growth is -1: .* from 0 to 4",
        ),
        ({**NOVELTY, "reference": float("nan")}, r"novelty\.reference is nan"),
        ({**NOVELTY, "reference": True}, r"novelty\.reference is True"),
        ({**NOVELTY, "threshold": "2"}, r"novelty\.threshold is '2'"),
    ],
)
def test_novelty_entries_are_whole_and_sensible(novelty, message):
    with pytest.raises(ModelCardError, match=message):
        ModelCard(**ENTRIES, novelty=novelty)


TYPICAL = {"depth": [11.0, 44.0], "relative_sigma": [0.1, 0.1]}


@pytest.mark.parametrize(
    ("typical", "message"),
    [
        ([], r"typical is \[\]: must be an object"),
        ({"depth": [1.0, 2.0]}, "typical lacks relative_sigma"),
        ({**TYPICAL, "depth": [1.0]}, r"typical\.depth"),
        ({**TYPICAL, "depth": [0.0, 2.0]}, r"typical\.depth\[0\] is 0\.0"),
        ({**TYPICAL, "depth": [3.0, 2.0]}, r"typical\.depth is \[3\.0, 2\.0\]: the first must be"),
    ],
)
def test_typical_entries_are_whole_and_sensible(typical, message):
    with pytest.raises(ModelCardError, match=message):
        ModelCard(**ENTRIES, typical=typical)


def test_typical_entries_are_read_back():
    card = ModelCard(**ENTRIES, typical=TYPICAL)
    assert ModelCard.from_json(card.to_json()) == card


def test_novelty_is_read_back():
    card = ModelCard(**ENTRIES, novelty=NOVELTY)
    assert ModelCard.from_json(card.to_json()).novelty == NOVELTY


CAMERAS = {"horizontal_fov": [20.0, 100.0], "network_focal": [180.0, 1200.0]}


@pytest.mark.parametrize(
    ("cameras", "message"),
    [
        ({"horizontal_fov": [20.0, 100.0]}, "cameras lacks network_focal"),
        ({**CAMERAS, "more": [1.0, 2.0]}, "cameras has unknown entries: more"),
        ({**CAMERAS, "horizontal_fov": [20.0]}, r"cameras\.horizontal_fov is \[20\.0\]: must be a list of 2"),
        ({**CAMERAS, "horizontal_fov": [100.0, 20.0]}, r"horizontal_fov is \[100\.0, 20\.0\]: .* ascending"),
        ({**CAMERAS, "horizontal_fov": [20.0, 180.0]}, r"cameras\.horizontal_fov\[1\] is 180\.0"),
        ({**CAMERAS, "network_focal": [0.0, 100.0]}, r"cameras\.network_focal\[0\] is 0\.0"),
        ({**CAMERAS, "network_focal": [1.0, float("nan")]}, r"cameras\.network_focal\[1\] is nan"),
    ],
)
def test_the_range_of_cameras_is_whole_and_sensible(cameras, message):
    with pytest.raises(ModelCardError, match=message):
        ModelCard(**ENTRIES, cameras=cameras)


def test_the_range_of_cameras_is_read_back():
    card = ModelCard(**ENTRIES, cameras=CAMERAS)
    assert ModelCard.from_json(card.to_json()).cameras == CAMERAS


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [40, 100_000])
def test_a_card_of_endless_depth_is_refused(tmp_path, open_, close, levels):
    model = write_model(tmp_path)
    text = card_path(model).read_text(encoding="utf-8")
    deep = open_ * levels + "0" + close * levels
    card_path(model).write_text(
        text.replace('"extra": {}', f'"extra": {{"notes": {deep}}}'), encoding="utf-8"
    )
    with pytest.raises(ModelCardError, match=r"student.json: .*nested"):
        read_card(model)


def test_a_number_of_thousands_of_digits_is_refused(tmp_path):
    model = write_model(tmp_path)
    text = card_path(model).read_text(encoding="utf-8")
    card_path(model).write_text(text.replace("370.0", "1" * 5000), encoding="utf-8")
    with pytest.raises(ModelCardError, match=r"student.json"):
        read_card(model)


NETWORK = {"name": "other", "files": {"other.onnx": "a" * 64}, "data": [{"name": "kitti2012"}]}
FULL = {
    "format": "adu_depth-model-card",
    "format_version": 1,
    **ENTRIES,
    "size_multiple": 32,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.2, 0.2, 0.2],
    "novelty": NOVELTY,
    "typical": TYPICAL,
    "cameras": CAMERAS,
    "files": {"student.engine": "0" * 64},
    "training": {
        "data": [
            {
                "name": "kitti2015",
                "split": "training",
                "kind": "kitti2015",
                "scenes": ["000001", "a_1_5"],
            },
            {"name": "kitti_official", "split": "training", "weight": 0.5, "drives": ["x_drive_0001_sync"]},
        ],
        "recipe": {"steps": 3},
        "teacher": NETWORK,
        "start": NETWORK,
        "twin": NETWORK,
        "calibration": {"data": "kitti2015", "scales": {"000002": 0.9, "000006": 1.1}},
    },
    "accuracy": [{"data": "kitti2015", "split": "validation", "metrics": {"abs_rel": 0.1}}],
    "licence": "CC0",
    "extra": {
        "precision": "fp16",
        "opset": 17,
        "input_shape": [1, 3, 192, 640],
        "cost": {"operations": {"fp16": 10}, "activation_bytes": 5, "weight_bytes": 5},
        "kept_fp32": ["head"],
        "source_files": {"student.onnx": "b" * 64},
        "parity": {
            "passed": True,
            "reference": "ONNX Runtime",
            "ran_on": {"gpu": {"name": "RTX", "compute_capability": "8.6"}, "version": "10.3.0"},
        },
        "engine": {
            "flavour": "tensorrt",
            "version": "10.3.0",
            "gpu": {"name": "RTX", "compute_capability": "8.6"},
            "options": {"version_compatible": True, "hardware_compatible": False},
            "profiles": [[[1, 3, 192, 640]] * 3],
            "precisions": {"fp16": 60},
            "layers": [["conv", "Convolution", ["fp16"], ["fp16"]]],
        },
        "cache": {"flavour": "tensorrt"},
    },
}
"""A card with every entry that is read anywhere."""

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from([0, -1, 1e300, 10**400, "", "\ud800", "fp32", "not run", [], {}]),
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))


def places(value, path=()):
    """Every position in a document, as its path of keys."""
    yield path
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


PLACES = [place for place in places(FULL) if place]


@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "remove", "add"]), VALUES),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_is_changed_in_a_card_it_is_refused_in_words_or_works(changes):
    content = copy.deepcopy(FULL)
    for (*way, last), action, value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):  # already removed
            parent = content
            for key in way:
                parent = parent[key]
            if action == "set":
                parent[last] = value
            elif action == "remove":
                del parent[last]
            elif isinstance(parent, list):
                parent.append(value)
            else:
                parent[str(value)] = value
    try:
        card = ModelCard.from_json(json.dumps(content))
    except ModelCardError:
        return
    use(card)


def use(card):
    """Use a card everywhere it is used: its faults must have been reported when it was read."""
    assert ModelCard.from_json(card.to_json().encode().decode()).name == card.name
    Calibration.of(card)
    fixed_network_size(card)
    fit_network_size(Camera(100.0, 100.0, 50.0, 50.0, 100, 100), card)
    doubt(Placement.fit(Camera(100.0, 100.0, 50.0, 50.0, 100, 100), (64, 64)), card)
    if card.novelty:
        fingerprint = np.full(64, 1e38, np.float32)
        is_unfamiliar(fingerprint, card)
        sigma_growth(novelty(fingerprint), card)
    BagLeakage("model", card, allow=True).see(Path("drive"), 5)
    with contextlib.suppress(UserError):
        check_leakage(card, "kitti2015", "training", ["000001"])
        check_leakage(card, "kitti_eigen", "test", ["x"], drives={"x": "2011_09_26_drive_0001_sync"})
    if "cost" in card.extra:
        Cost(**card.extra["cost"]).moved(2)
    if "engine" in card.extra:
        facts, here = card.extra["engine"], {"name": "RTX", "compute_capability": "8.6"}
        with contextlib.suppress(UserError):
            check_fits("e.engine", facts, here, "10.3.0")
        [(name, kind, tuple(i), tuple(o)) for name, kind, i, o in facts["layers"]]
