"""Distillation terms: switches, warm-up, masks."""

import dataclasses

import pytest

pytest.importorskip("torch")

import torch

from adu_depth_core.training.config import DistillationConfig
from adu_depth_core.training.distiller import Distiller, Taught

CHANNELS = (8, 16)
PAIRS = torch.tensor([True, True])


def features(seed):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(2, count, 16 // 2**level, 32 // 2**level, generator=generator)
        for level, count in enumerate(CHANNELS)
    ]


def outputs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    mu, log_b = torch.randn(2, 2, 1, 32, 64, generator=generator)
    return mu, log_b, features(seed)


def teacher(seed=1, pairs=PAIRS):
    mu, log_b, maps = outputs(seed)
    return Taught(mu, log_b, pairs.view(-1, 1, 1, 1).expand_as(mu), maps)


def terms(config, pairs=PAIRS, progress=1.0, student=None, seen=None):
    torch.manual_seed(0)
    distiller = Distiller(config, CHANNELS)
    return distiller(*(student or outputs()), seen or teacher(pairs=pairs), progress), distiller


def test_each_term_has_its_switch():
    assert set(terms(DistillationConfig())[0]) == {"response", "feature"}
    assert set(terms(DistillationConfig(feature=0.0))[0]) == {"response"}
    losses, distiller = terms(DistillationConfig(response=0.0))
    assert set(losses) == {"feature"}
    assert not list(terms(DistillationConfig(feature=0.0))[1].parameters())
    without = terms(DistillationConfig(attention=False))[1]
    assert sum(p.numel() for p in without.parameters()) < sum(p.numel() for p in distiller.parameters())


@pytest.mark.parametrize(
    "change", [{"focal": "agreement"}, {"focal": "none"}, {"uncertainty": False}, {"response": 2.0}]
)
def test_each_choice_changes_the_response(change):
    reference = terms(DistillationConfig())[0]["response"]
    assert not torch.isclose(terms(DistillationConfig(**change))[0]["response"], reference)


def test_the_terms_grow_over_the_warm_up():
    config = DistillationConfig(warmup=0.2)
    full = terms(config, progress=0.2)[0]
    for progress, share in ((0.0, 0.0), (0.1, 0.5), (0.6, 1.0)):
        losses = terms(config, progress=progress)[0]
        for name in full:
            assert float(losses[name].detach()) == pytest.approx(share * float(full[name].detach()), abs=1e-6)


def test_a_student_that_equals_its_teacher_has_no_response_loss():
    student = outputs()
    seen = dataclasses.replace(teacher(), mu=student[0], log_b=student[1])
    assert float(terms(DistillationConfig(), student=student, seen=seen)[0]["response"]) == pytest.approx(
        0.0, abs=1e-6
    )


def test_views_without_a_pair_teach_nothing():
    student = outputs()
    for tensor in (student[0], student[1], *student[2]):
        tensor.requires_grad_()
    losses, _ = terms(DistillationConfig(), torch.tensor([True, False]), student=student)
    sum(losses.values()).backward()
    for tensor in (student[0], student[1], *student[2]):
        assert tensor.grad[0].any()
        assert not tensor.grad[1].any()
    nothing, _ = terms(DistillationConfig(), torch.tensor([False, False]))
    assert all(float(loss.detach()) == 0.0 for loss in nothing.values())
