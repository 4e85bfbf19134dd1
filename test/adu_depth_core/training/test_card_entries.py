"""Measurements of a trained model on held-out frames."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.subject import model_subject
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import read_card
from adu_depth_core.training.card_entries import complete_card
from adu_depth_core.training.sources import BenchmarkConfig

RED, BLUE = 150, 127
DEPTH = np.exp(4 * RED / 255)  # prediction of the colour student
UNIT_SIGMA = np.exp(-4 * BLUE / 255) * DEPTH


def load(model):
    return model_subject(Predictor(model, "onnxruntime"))


def test_frames_of_several_folders_with_the_same_names_all_calibrate(
    tmp_path, write_color_student, write_kitti2015_scene
):
    errors = {
        "rig": {"000000": 1.0, "000001": 2.0},
        "other_rig": {"000000": 1.5},
        "validation": {"000000": 3.0, "000001": 4.0},
    }
    for folder, scenes in errors.items():
        for scene, error in scenes.items():
            disparity = 175.0 / (DEPTH + error * UNIT_SIGMA)
            write_kitti2015_scene(tmp_path / folder, scene, (RED, 0, BLUE), disparity)
    model = write_color_student(tmp_path / "color.onnx")
    *calibration, validation = (BenchmarkConfig("synthetic", str(tmp_path / f), "all") for f in errors)
    card = complete_card(model, load, calibration, validation)
    assert read_card(model) == card
    assert card.training["calibration"]["data"] == "validation"
    scales = card.training["calibration"]["scales"]
    assert scales == pytest.approx(
        {"rig/000000": 1.0, "rig/000001": 2.0, "other_rig/000000": 1.5, "000000": 3.0, "000001": 4.0},
        abs=0.1,
    )
    assert card.sigma_scale == pytest.approx(np.mean(list(scales.values())))
    assert card.accuracy[0]["command"] == "adu_depth evaluate --dataset synthetic --root DIR --split all"


def test_frames_that_no_name_tells_apart_are_refused(tmp_path, write_color_student, write_kitti2015_scene):
    for folder in ("a/rig", "b/rig"):
        write_kitti2015_scene(tmp_path / folder, "000000", (RED, 0, BLUE), 10.0)
    model = write_color_student(tmp_path / "color.onnx")
    first, second = (BenchmarkConfig("synthetic", str(tmp_path / f / "rig"), "all") for f in "ab")
    with pytest.raises(UserError, match=r"frame rig/000000 is of .*a/rig .*and of .*b/rig"):
        complete_card(model, load, [first], second)
    with pytest.raises(UserError, match=r"frame rig/000000"):
        complete_card(model, load, [first], first)
