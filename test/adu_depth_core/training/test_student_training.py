"""Training steps of a student: loss terms, their weights, and precision."""

import dataclasses

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("lightning")

import torch

from adu_depth_core.camera import Camera
from adu_depth_core.training.card_entries import new_card
from adu_depth_core.training.config import DistillationConfig, VirtualCameraConfig, load_config
from adu_depth_core.training.student_training import StudentTraining

CAMERA = Camera(60.0, 60.0, 47.5, 23.5, 96, 64)
ROWS, COLUMNS = slice(8, 28), slice(8, 88)
"""Region well inside the wall."""


def config(**changes):
    recipe = load_config("any_camera", ["root=x", "synthetic=x", "out=x", "encoder_weights=none"])
    virtual = VirtualCameraConfig(sizes=("64x96",))
    return dataclasses.replace(
        recipe, sources=(), virtual_cameras=virtual, **{"edges": 0.0, "obstacle_weight": 1.0, **changes}
    )


def training(**changes):
    torch.manual_seed(0)
    recipe = config(**changes)
    module = StudentTraining(recipe, new_card(recipe, "student"))
    module.progress = 1.0
    return module


def batch(fault=(False, False), taught=True):
    """A wall at 10 m on a road, with dense depth; the teacher predicts the same."""
    torch.manual_seed(1)
    rays = torch.from_numpy(CAMERA.rays()).permute(2, 0, 1)
    depth = (1.6 / rays[1:2].clamp(min=0.01)).clamp(max=10.0).expand(2, 1, -1, -1).contiguous()
    answer = torch.cat([depth, torch.full_like(depth, -3.0)], dim=1)
    return {
        "image": torch.randn(2, 3, 64, 96),
        "other": torch.zeros(2, 3, 64, 96),
        "depth": depth,
        "camera": torch.tensor([[60.0, 60.0, 47.5, 23.5]] * 2),
        "taught": answer if taught else torch.zeros_like(answer),
        "baseline": torch.zeros(2),
        "fault": torch.tensor(fault),
    }


def terms(module, views):
    """The losses of a step by name."""
    found = {}
    module.log_dict = lambda values, **_: found.update(values)
    module.log = lambda *_, **__: None
    module.eval()  # batch norm without statistics of the previous step
    with torch.no_grad():
        module.training_step(views, 0)
    return {name.removeprefix("train/"): float(value) for name, value in found.items()}


TAUGHT = {"teacher": "x", "teacher_predictions": "cached", "distillation": DistillationConfig(feature=0.0)}


def test_each_term_has_its_switch():
    always = {"silog", "likelihood", "sky"}
    assert set(terms(training(), batch())) == always
    assert set(terms(training(edges=1.0), batch())) == always | {"edges"}
    assert set(terms(training(**TAUGHT), batch())) == always | {"response"}


def test_steps_with_kept_answers_lower_the_loss():
    module, views = training(edges=1.0, obstacle_weight=2.5, **TAUGHT), batch()
    before = sum(terms(module, views).values())
    optimizer = torch.optim.AdamW(module.parameters(), 1e-3)
    for _ in range(8):
        optimizer.zero_grad()
        module.training_step(views, 0).backward()
        optimizer.step()
    assert sum(terms(module, views).values()) < 0.8 * before


def test_pixels_that_the_teacher_says_nothing_of_teach_nothing():
    assert terms(training(**TAUGHT), batch(taught=False))["response"] == 0.0
    assert terms(training(**TAUGHT), batch())["response"] > 0.0


def test_what_stands_counts_more_than_the_road():
    views = batch()
    weight = training(obstacle_weight=3.0)._weight(views["depth"], views["camera"])
    assert (weight[:, 0, ROWS, COLUMNS] == 3.0).all()
    assert (weight[:, 0, -16:-4, COLUMNS] == 1.0).all()

    # With the weight, an error on the wall alone costs more, and one on the road less.
    for rows, change in ((slice(0, 30), 1), (slice(44, 64), -1)):
        mu = views["depth"].log()
        mu[:, :, rows] += 0.3
        log_b = torch.zeros_like(mu)
        plain = training().supervise(mu, log_b, views["depth"])
        heavy = training().supervise(mu, log_b, views["depth"], weight)
        assert change * float(heavy["likelihood"] - plain["likelihood"]) > 0.001


def test_where_the_truth_is_sparse_the_teachers_depth_tells_what_stands():
    module, views = training(obstacle_weight=3.0, **TAUGHT), batch()
    sparse = torch.zeros_like(views["depth"])
    sparse[..., ::7, ::7] = views["depth"][..., ::7, ::7]
    with_answers = terms(module, {**views, "depth": sparse})
    without = terms(module, {**views, "depth": sparse, "taught": torch.zeros_like(views["taught"])})
    assert with_answers["likelihood"] != without["likelihood"]


def test_views_of_a_broken_camera_teach_doubt_alone():
    module, views = training(edges=1.0, **TAUGHT), batch(fault=(True, True))
    found = terms(module, views)
    assert found["silog"] == found["sky"] == found["edges"] == found["response"] == 0.0
    mu = views["depth"].log() + 0.3
    mu.requires_grad_()
    log_b = torch.zeros_like(mu, requires_grad=True)
    sound = torch.zeros(2, 1, 1, 1, dtype=torch.bool)
    sum(module.supervise(mu, log_b, views["depth"], sound=sound).values()).backward()
    assert not mu.grad.any()
    assert log_b.grad.any()


def test_depth_stays_in_single_precision_under_mixed_precision():
    module, views = training(edges=1.0, obstacle_weight=2.5, **TAUGHT), batch()
    exact = terms(module, views)
    with torch.autocast("cpu", torch.bfloat16):
        mu, log_b, _ = module.network(views["image"], views["camera"])
        mixed = terms(module, views)
    assert mu.dtype == log_b.dtype == torch.float32
    assert mixed == pytest.approx(exact, rel=0.05)
