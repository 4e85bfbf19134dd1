"""A training run from a folder of pairs to a usable model."""

import dataclasses

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning")
pytest.importorskip("onnx")

from adu_depth_core.datasets.depth_png import write_png16
from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import read_card
from adu_depth_core.training.config import load_config
from adu_depth_core.training.run import Machine, train
from adu_depth_core.training.sources import BenchmarkConfig, SourceConfig
from adu_depth_core.training.student_training import StudentTraining

CALIBRATION = "P2: 150 0 79.5 0 0 150 31.5 0 0 0 1 0\nP3: 150 0 79.5 -75 0 150 31.5 0 0 0 1 0\n"


@pytest.fixture
def pairs(tmp_path):
    """Six 160x64 pairs in KITTI 2015 layout, random texture at one distance; two are validation scenes."""
    root = tmp_path / "kitti2015"
    random = np.random.default_rng(0)
    for index, scene in enumerate((0, 1, 2, 3, 4, 8)):
        for folder in ("image_2", "image_3", "disp_noc_0", "calib"):
            (root / "training" / folder).mkdir(parents=True, exist_ok=True)
        name = f"{scene:06d}_10"
        image = random.integers(0, 255, (64, 160, 3), np.uint8)
        for folder in ("image_2", "image_3"):
            cv2.imwrite(str(root / "training" / folder / f"{name}.png"), image)
        write_png16(root / "training" / "disp_noc_0" / f"{name}.png", np.full((64, 160), 5.0 + index))
        (root / "training" / "calib" / f"{name}.txt").write_text(CALIBRATION)
    return root


@pytest.fixture
def config(pairs, tmp_path):
    """Two steps on the pairs that are not held out by name; of those, 2 calibrates and 4 validates."""
    lists = {}
    for name, scene in (("calibration", 2), ("validation", 4)):
        lists[name] = tmp_path / f"{name}.txt"
        lists[name].write_text(f"{scene:06d}\n")
    overrides = [
        "root=x",
        "synthetic=x",
        f"out={tmp_path / 'run'}",
        "steps=2",
        "batch_size=2",
        "crop_width=96",
    ]
    overrides += ["crop_width=96", "input_height=64", "input_width=160", "f_ref=150"]
    return dataclasses.replace(
        load_config("kitti2015_small", overrides),
        sources=(SourceConfig("kitti2015", str(pairs), 1.0, scenes="training"),),
        calibration=BenchmarkConfig("kitti2015", str(pairs), str(lists["calibration"])),
        validation=BenchmarkConfig("kitti2015", str(pairs), str(lists["validation"])),
    )


def test_training_leaves_a_calibrated_model_that_predicts(config, pairs):
    model, card = train("student", config, Machine(workers=0))
    assert read_card(model) == card
    assert set(card.files) == {"student.onnx", "student.safetensors"}
    assert card.accuracy[0]["scenes"] == ["000004"]
    assert list(card.training["calibration"]["scales"]) == ["000002", "000004"]
    assert card.training["data"][0]["scenes"] == ["000000", "000001", "000003"]
    assert "non-commercial" in card.licence.lower()

    # The scale was fitted on these two frames, so a pixel in or near two thirds of each is within one sigma.
    predictor = Predictor(model)
    inside = []
    for split in (config.calibration.split, config.validation.split):
        sample = open_benchmark("kitti2015", pairs, split).samples[0]
        prediction = predictor.predict(sample.left, sample.camera)
        inside.append(np.mean(np.abs(prediction.depth - sample.depth) <= prediction.sigma))
    assert min(inside) <= 0.69
    assert max(inside) >= 0.67


def test_an_interrupted_training_resumes_from_its_last_checkpoint(config, monkeypatch):
    config = dataclasses.replace(config, steps=4, checkpoint_every=1)
    original, steps = StudentTraining.training_step, []

    def step(module, batch, index):
        steps.append(module.global_step)
        if steps == [0, 1, 2]:
            raise RuntimeError("power cut")
        return original(module, batch, index)

    monkeypatch.setattr(StudentTraining, "training_step", step)
    with pytest.raises(RuntimeError, match="power cut"):
        train("student", config, Machine(workers=0))
    train("student", config, Machine(workers=0))
    assert steps == [0, 1, 2, 2, 3]
