"""A training run from a folder of stereo pairs to a usable model."""

import dataclasses
import logging
import pathlib
import shutil
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning")
pytest.importorskip("onnx")
pytest.importorskip("tensorboard")

import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing import event_accumulator

from adu_depth_core.cli import main
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.images import write_png16
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import read_card
from adu_depth_core.training import familiarity
from adu_depth_core.training.averaging import LateAverage
from adu_depth_core.training.config import DistillationConfig, VirtualCameraConfig, load_config
from adu_depth_core.training.run import Machine, train
from adu_depth_core.training.sources import BenchmarkConfig, SourceConfig
from adu_depth_core.training.student_training import StudentTraining

CALIBRATION = "P2: 150 0 79.5 0 0 150 31.5 0 0 0 1 0\nP3: 150 0 79.5 -75 0 150 31.5 0 0 0 1 0\n"


@pytest.fixture
def pairs(tmp_path):
    """Six 64x160 pairs in KITTI 2015 layout, random texture at one distance; 2, 6 and 8 are held out."""
    root = tmp_path / "kitti2015"
    random = np.random.default_rng(0)
    for index, scene in enumerate((0, 1, 2, 3, 6, 8)):
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
    """Two steps on the pairs not held out by name; of the others, 2 calibrates and 6 validates."""
    lists = {}
    for name, scene in (("calibration", 2), ("validation", 6)):
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
        calibration=(BenchmarkConfig("kitti2015", str(pairs), str(lists["calibration"])),),
        validation=BenchmarkConfig("kitti2015", str(pairs), str(lists["validation"])),
    )


def test_training_leaves_a_calibrated_model_that_predicts(config, pairs, caplog, capsys):
    with caplog.at_level(logging.INFO):
        model, card = train("student", config, Machine(workers=0))
    assert "max_steps=2` reached" in caplog.text  # Lightning's messages about the run
    assert "Tip" not in caplog.text  # its advertisements
    assert "training: step 2, " in capsys.readouterr().err  # a line, not a bar
    assert read_card(model) == card
    assert set(card.files) == {"student.onnx", "student.safetensors"}
    assert card.accuracy[0]["scenes"] == ["000006"]
    assert list(card.training["calibration"]["scales"]) == ["000002", "000006"]
    assert card.training["data"][0]["scenes"] == ["000000", "000001", "000003"]
    assert "non-commercial" in card.licence.lower()
    shortest, longest = card.cameras["network_focal"]
    assert shortest == 150.0  # the rig itself, then zoomed
    assert longest == pytest.approx(150.0 * config.max_zoom, rel=0.02)

    # The scale was fitted on these two frames, so about two thirds of their pixels are within one sigma.
    predictor = Predictor(model)
    inside = []
    for split in (config.calibration[0].split, config.validation.split):
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


def test_a_checkpoint_of_another_training_is_not_gone_on_from(config, monkeypatch):
    monkeypatch.setattr("adu_depth_core.training.run._finish", lambda *arguments: None)
    train("student", config, Machine(workers=0))
    longer = dataclasses.replace(config, steps=4, log_every=1)
    with pytest.raises(UserError, match=r"run/last.ckpt is of another training \(steps 2, now 4\): choose"):
        train("student", longer, Machine(workers=0))
    with pytest.raises(UserError, match=r"\(role student, now teacher\)"):
        train("teacher", config, Machine(workers=0))


def test_a_network_of_all_frames_is_judged_by_its_twin(config, tmp_path):
    twin, twin_card = train("student", config, Machine(workers=0))
    config = dataclasses.replace(config, out=str(tmp_path / "all"), twin=str(twin), validate_every=1)
    model, card = train("student", config, Machine(workers=0))
    assert read_card(model) == card
    assert card.training["data"][0]["scenes"] == [f"{scene:06d}" for scene in (0, 1, 2, 3, 6, 8)]
    assert "calibration" not in card.training
    assert card.sigma_scale == twin_card.sigma_scale
    assert card.accuracy[0]["metrics"] == twin_card.accuracy[0]["metrics"]
    assert card.accuracy[0]["twin"] == {"name": "adu_student", "files": twin_card.files}

    other = dataclasses.replace(config, out=str(tmp_path / "other"), learning_rate=1e-5)
    with pytest.raises(
        UserError, match=r"trained differently \(learning_rate 0.0006, now 1e-05\): train both"
    ):
        train("student", other, Machine(workers=0))
    with pytest.raises(UserError, match="whose own accuracy was measured"):
        train("student", dataclasses.replace(config, twin=str(model)), Machine(workers=0))


@pytest.fixture
def teacher(config, tmp_path):
    """A teacher trained for two steps."""
    config = dataclasses.replace(config, out=str(tmp_path / "teacher"))
    return train("teacher", config, Machine(workers=0))


def test_a_teacher_is_trained_measured_and_kept_as_weights_with_a_card(teacher):
    model, card = teacher
    assert model.name == "teacher.safetensors"
    assert read_card(model) == card
    assert card.role == "teacher"
    assert card.accuracy[0]["scenes"] == ["000006"]
    assert {"d1_all", "epe"} <= set(card.accuracy[0]["metrics"])


def test_a_distilled_student_has_not_one_parameter_more_and_names_its_teachers_data(config, teacher, pairs):
    alone, _ = train("student", config, Machine(workers=0))
    path, card = teacher
    lone = (SourceConfig("kitti2015", str(pairs), 1.0, scenes="training", labels="none"),)
    out = f"{config.out}_distilled"
    distilled, student = train(
        "student",
        dataclasses.replace(config, out=out, teacher=str(path), sources=lone, pictures_every=1, log_every=1),
        Machine(workers=0),
    )
    events = event_accumulator.EventAccumulator(out)
    events.Reload()
    assert "train/view" in events.Tags()["images"]
    assert {"lr-AdamW/encoder", "lr-AdamW/rest"} <= set(events.Tags()["scalars"])
    assert {"train/loss", "train/response", "train/feature", "train/silog"} <= set(events.Tags()["scalars"])
    shapes = [
        {name: tensor.shape for name, tensor in load_file(model.with_suffix(".safetensors")).items()}
        for model in (alone, distilled)
    ]
    assert shapes[0] == shapes[1]
    assert student.training["teacher"]["files"] == card.files
    assert student.training["teacher"]["data"] == card.training["data"]
    assert str(path.parent) not in student.to_json()


@pytest.mark.slow
def test_mixed_precision_trains_teacher_and_distilled_student(config, teacher):
    mixed = dataclasses.replace(config, precision="bf16-mixed")
    for network, changes in (("teacher", {}), ("student", {"teacher": str(teacher[0])})):
        run = dataclasses.replace(mixed, out=f"{mixed.out}_{network}", **changes)
        model, card = train(network, run, Machine(workers=0))
        assert np.isfinite(card.accuracy[0]["metrics"]["abs_rel"])
        weights = load_file(model.with_suffix(".safetensors"))
        assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_a_student_of_virtual_cameras_learns_from_its_teachers_cached_predictions(config, teacher):
    student = dataclasses.replace(
        config,
        teacher=str(teacher[0]),
        teacher_predictions="cached",
        distillation=DistillationConfig(feature=0.0),
        virtual_cameras=VirtualCameraConfig(sizes=("64x96", "64x128")),
        obstacle_weight=2.0,
        edges=1.0,
        log_every=1,
        steps=50,
        max_hours=1e-9,
        cache=False,
    )
    model, card = train("student", student, Machine(workers=0))
    assert read_card(model) == card
    events = event_accumulator.EventAccumulator(student.out)
    events.Reload()
    assert {"train/response", "train/silog", "train/edges"} <= set(events.Tags()["scalars"])
    assert list((pathlib.Path(student.out) / "teacher_predictions").glob("*/*.safetensors"))
    assert card.novelty["threshold"] > card.novelty["reference"] > 0
    assert 0 < card.typical["depth"][0] <= card.typical["depth"][1]
    assert card.training["recipe"]["virtual_cameras"]["sizes"] == ["64x96", "64x128"]
    # The time limit allowed one step.
    assert (card.training["steps"], card.training["recipe"]["max_hours"]) == (1, 1e-9)


@pytest.mark.parametrize(
    "change",
    [{"virtual_cameras": VirtualCameraConfig(sizes=("64x96",))}, {"obstacle_weight": 2.0}, {"edges": 1.0}],
)
def test_what_is_for_students_does_not_train_a_teacher(config, change):
    with pytest.raises(UserError, match=f"{next(iter(change))} is for students"):
        train("teacher", dataclasses.replace(config, **change), Machine(workers=0))


def test_calibration_frames_are_looked_at_before_the_training(config, pairs):
    trained = dataclasses.replace(config, calibration=(BenchmarkConfig("kitti2015", str(pairs), "all"),))
    with pytest.raises(UserError, match="was trained on 3 of the 6 frames"):
        train("student", trained, Machine(workers=0))
    missing = dataclasses.replace(config, calibration=(BenchmarkConfig("kitti2015", "nowhere", "all"),))
    with pytest.raises(UserError, match="nowhere"):
        train("student", missing, Machine(workers=0))


def test_what_the_initial_weights_have_seen_is_the_new_networks_data_too(teacher, config, pairs, tmp_path):
    start = default_model().with_name("adu_teacher.safetensors")
    # The shipped teacher has seen the street of scene 2.
    for file in (pairs / "training").glob("*/000006_10.*"):
        shutil.copy(file, file.with_name(f"000054_10{file.suffix}"))
    listed = tmp_path / "unseen.txt"
    listed.write_text("000054\n", encoding="utf-8")
    unseen = (BenchmarkConfig("kitti2015", str(pairs), str(listed)),)
    config = dataclasses.replace(config, out=f"{config.out}_started", calibration=unseen)
    _, card = train("teacher", dataclasses.replace(config, initial_weights=str(start)), Machine(0))
    shipped = read_card(start)
    assert card.training["start"] == {"name": "adu_teacher", "files": shipped.files}
    assert all(entry in card.training["data"] for entry in shipped.training["data"])
    assert card.training["data"][0] == teacher[1].training["data"][0]


def test_a_single_frame_to_calibrate_on_is_refused_before_the_training(config):
    with pytest.raises(UserError, match="1 frame in calibration and validation"):
        train("student", dataclasses.replace(config, calibration=()), Machine(workers=0))
    assert not list(pathlib.Path(config.out).glob("*.tfevents*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": "missing.safetensors"}, r"teacher: model file missing\.safetensors does not exist"),
        ({"teacher": "STUDENT"}, "its card says it is a student"),
        ({"f_ref": 100.0, "teacher": "TEACHER"}, r"has f_ref 150\.0, the student 100\.0"),
        ({"initial_weights": "missing.safetensors"}, "initial_weights: .*missing"),
        ({"initial_weights": "STUDENT"}, "trained on places of 1 of the 1 frames to evaluate"),
    ],
)
def test_a_teacher_or_start_that_does_not_fit_is_named(config, teacher, changes, message):
    files = {"STUDENT": default_model().with_suffix(".safetensors"), "TEACHER": teacher[0]}
    changes = {key: str(files[value]) if value in files else value for key, value in changes.items()}
    with pytest.raises(UserError, match=message):
        train("student", dataclasses.replace(config, **changes), Machine(workers=0))


def test_the_best_validation_can_be_kept(config):
    config = dataclasses.replace(config, steps=4, validate_every=2, keep="best", ema_start=0.0)
    model, card = train("student", config, Machine(workers=0))
    best = torch.load(f"{config.out}/best.ckpt", weights_only=True)
    (monitor,) = (s for s in best["callbacks"].values() if "best_model_score" in s and s.get("monitor"))
    # Rounded to FP16 and run in OpenVINO, it matches its validation result.
    assert card.accuracy[0]["metrics"]["abs_rel"] == pytest.approx(
        float(monitor["best_model_score"]), rel=0.02
    )
    assert model.is_file()


def test_a_run_ends_early_when_validation_gets_no_better(config):
    """With a learning rate of 0 the second validation equals the first."""
    frozen = dataclasses.replace(
        config, steps=8, learning_rate=0.0, encoder_learning_rate=0.0, weight_decay=0.0, validate_every=2
    )
    _, card = train("student", dataclasses.replace(frozen, patience=1), Machine(workers=0))
    assert card.training["steps"] == 4


def test_a_fingerprint_can_be_kept_with_the_statistics_that_it_is_made_of(config, tmp_path):
    first = train(
        "student", dataclasses.replace(config, steps=1, out=str(tmp_path / "start")), Machine(workers=0)
    )
    start = first[0].with_suffix(".safetensors")
    kept = dataclasses.replace(config, steps=3, initial_weights=str(start), keep_fingerprint=True)
    model, card = train("student", kept, Machine(workers=0))
    before, after = load_file(start), load_file(model.with_suffix(".safetensors"))
    statistics = [name for name in before if name.startswith("encoder.") and "running_" in name]
    assert statistics
    for name in [*statistics, *(name for name in before if name.startswith("fingerprint."))]:
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert any(name.startswith("encoder.") for name in changed)
    assert any(name.startswith("decoder.") for name in changed)
    assert card.novelty == read_card(start).novelty


def test_a_fingerprint_to_keep_comes_with_initial_weights(config):
    with pytest.raises(UserError, match="keep_fingerprint keeps that of the weights to start from"):
        dataclasses.replace(config, keep_fingerprint=True)


def test_patience_without_validation_is_refused(config):
    with pytest.raises(UserError, match="patience counts validations: set validate_every"):
        dataclasses.replace(config, patience=1, validate_every=0)


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 3.0), (0.5, 3.0), (0.6, 0.9 * 1.0 + 0.1 * 3.0)])
def test_the_average_of_the_weights_begins_late(progress, expected):
    average, network = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.num_batches_tracked.fill_(7)
    callback = LateAverage(start=0.5, decay=0.9)
    callback._average_model = SimpleNamespace(module=average)
    callback.on_train_start(None, network)
    callback.update(progress)
    assert average.weight.item() == pytest.approx(expected)
    assert int(average.num_batches_tracked) == 7


def scalars(folder, tag):
    """Values of a TensorBoard scalar by step; of a step that was logged twice, the last."""
    events = event_accumulator.EventAccumulator(str(folder))
    events.Reload()
    return {event.step: event.value for event in events.Scalars(tag)}


def command(config, pairs, out, *extra):
    """The same training by the command line."""
    recipe = f"""
    encoder: tf_efficientnet_lite0
    encoder_weights: package
    input_height: 64
    input_width: 160
    f_ref: 150.0
    depth_min: 1.0
    depth_max: 100.0
    sources: [{{kind: kitti2015, path: {pairs}, scenes: training, weight: 1.0}}]
    calibration: {{dataset: kitti2015, path: {pairs}, split: {config.calibration[0].split}}}
    validation: {{dataset: kitti2015, path: {pairs}, split: {config.validation.split}}}
    crop_width: 96
    max_zoom: 1.35
    zoom_probability: 0.5
    photometric: 1.0
    batch_size: 4
    steps: 10
    learning_rate: 5.0e-4
    encoder_learning_rate: 2.0e-4
    weight_decay: 0.01
    ema_decay: 0.9
    ema_start: 0.3
    gradient_clip: 1.0
    checkpoint_every: 3
    validate_every: 5
    log_every: 1
    seed: 0
    """
    path = pairs.parent / "recipe.yaml"
    path.write_text(textwrap.dedent(recipe), encoding="utf-8")
    return ["train", "student", str(path), f"out={out}", *extra, "--accelerator", "cpu"]


@pytest.mark.slow
def test_a_killed_training_goes_on_as_if_it_had_not_been(config, pairs, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(command(config, pairs, whole)) == 0
    few_views = f"from adu_depth_core.training import familiarity; familiarity.VIEWS = {familiarity.VIEWS}"
    start = [sys.executable, "-c", f"{few_views}; from adu_depth_core.cli import main; main()"]
    line = [*start, *command(config, pairs, killed)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (killed / "last.ckpt").is_file():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (killed / "student.onnx").exists()
    assert main(command(config, pairs, killed)) == 0

    for tag in ("train/loss", "val/abs_rel"):
        expected, found = scalars(whole, tag), scalars(killed, tag)
        later = [step for step in expected if step >= 3]
        assert len(later) >= 1
        assert [found[step] for step in later] == [expected[step] for step in later]
    one, other = (load_file(folder / "student.safetensors") for folder in (whole, killed))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_two_processes_train_as_one_does_on_the_whole_batch(config, pairs, tmp_path):
    """Batch norm sees half the batch in each process, so the runs are similar, not equal."""
    one, two = tmp_path / "1", tmp_path / "2"
    assert main(command(config, pairs, one, "steps=4", "validate_every=4")) == 0
    line = [*command(config, pairs, two, "steps=4", "validate_every=4"), "--devices", "2"]
    start = [sys.executable, "-m", "adu_depth_core.cli"]
    result = subprocess.run([*start, *line], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    assert (one / "student.onnx").is_file()
    assert (two / "student.onnx").is_file()
    losses = [scalars(out, "val/abs_rel") for out in (one, two)]
    assert losses[0].keys() == losses[1].keys()
    assert list(losses[0].values()) == pytest.approx(list(losses[1].values()), rel=0.1)
