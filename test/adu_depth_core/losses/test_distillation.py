"""Distillation losses: zero at agreement, correct gradients, weights of mean 1, no teacher gradient."""

import pytest

pytest.importorskip("torch")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.losses.distillation import (
    FOCAL_SIGNS,
    confidence,
    doubt,
    feature_distance,
    focal_weight,
    laplace_divergence,
    normalised,
    weighted_mean,
)

MAP = (2, 1, 3, 4)
LOGS = st.floats(-3.0, 3.0)
SCALES = st.floats(-4.5, 1.0)


def random_maps(count, seed=0, shape=MAP):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)]


def test_the_divergence_is_zero_where_the_networks_agree():
    mu, log_b = random_maps(2)
    assert laplace_divergence(mu, log_b, mu, log_b).abs().max() < 1e-12


@settings(max_examples=25, deadline=None)
@given(mu=LOGS, log_b=SCALES, teacher_mu=LOGS, teacher_log_b=SCALES)
def test_the_divergence_is_that_of_the_two_densities(mu, log_b, teacher_mu, teacher_log_b):
    """Compares with numerical integration of ``p_T log(p_T / p_S)``."""
    values = [torch.tensor(v, dtype=torch.float64) for v in (mu, log_b, teacher_mu, teacher_log_b)]
    closed = float(laplace_divergence(*values))
    scale = float(torch.exp(values[3]))
    grid = teacher_mu + scale * torch.linspace(-40, 40, 40_001, dtype=torch.float64)
    log_teacher = -(grid - teacher_mu).abs() / scale - torch.log(torch.tensor(2 * scale))
    log_student = -(grid - mu).abs() * torch.exp(-values[1]) - values[1] - torch.log(torch.tensor(2.0))
    numeric = float(torch.trapezoid(log_teacher.exp() * (log_teacher - log_student), grid))
    assert closed >= -1e-9
    assert closed == pytest.approx(numeric, rel=2e-3, abs=2e-3)


def test_the_gradient_of_the_divergence_is_that_of_finite_differences():
    mu, log_b, teacher_mu, teacher_log_b = random_maps(4)
    mu.requires_grad_()
    log_b.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda m, b: laplace_divergence(m, b, teacher_mu, teacher_log_b), (mu, log_b)
    )


def test_nothing_flows_into_the_teacher():
    student = [t.requires_grad_() for t in random_maps(2)]
    teacher = [t.requires_grad_() for t in random_maps(2, seed=1)]
    weight = normalised(
        focal_weight(student[0], teacher[0], "disagreement") * confidence(teacher[1]),
        torch.ones(MAP, dtype=torch.bool),
    )
    (weight * laplace_divergence(*student, *teacher)).sum().backward()
    features = [torch.randn(2, 5, 3, 4, requires_grad=True) for _ in range(2)]
    feature_distance(*features).sum().backward()
    assert all(t.grad is None for t in teacher)
    assert features[1].grad is None
    assert all(t.grad is not None for t in [*student, features[0]])


@pytest.mark.parametrize("sign", FOCAL_SIGNS)
def test_the_focal_weight_has_its_limits(sign):
    near, far = torch.zeros(MAP), torch.full(MAP, 12.0)
    agree, disagree = focal_weight(near, near, sign), focal_weight(near, far, sign)
    expected = {"disagreement": (0.0, 1.0), "agreement": (1.0, 0.0), "none": (1.0, 1.0)}[sign]
    assert float(agree.max()) == expected[0]
    assert float(disagree.mean()) == pytest.approx(expected[1], abs=0.01)


def test_the_focal_weight_follows_its_formula():
    """10 m against 15 m: r = 5 / 25, weight (1 - exp(-5 / 5)) ** 2."""
    weight = focal_weight(
        torch.log(torch.tensor(10.0)), torch.log(torch.tensor(15.0)), "disagreement", 5.0, 2.0
    )
    assert float(weight) == pytest.approx((1 - 2.718281828**-1) ** 2, rel=1e-5)


def test_an_unknown_focal_sign_is_named():
    with pytest.raises(ValueError, match="'both' is unknown"):
        focal_weight(torch.zeros(MAP), torch.zeros(MAP), "both")


def test_trust_falls_with_the_scale_and_doubt_is_the_rest():
    log_b = torch.log(torch.tensor([1e-6, 0.1, 1e6]))
    assert confidence(log_b).tolist() == pytest.approx([1.0, 0.5, 0.0], abs=1e-4)
    assert (confidence(log_b) + doubt(log_b)).tolist() == pytest.approx([1.0] * 3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_normalised_weight_has_mean_one_over_valid_pixels(seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.rand(MAP, generator=generator) + 0.01
    valid = torch.rand(MAP, generator=generator) > 0.3
    valid[0, 0, 0, 0] = True
    scaled = normalised(weight, valid)
    assert float(scaled[valid].mean()) == pytest.approx(1.0, rel=1e-5)
    assert not scaled[~valid].any()
    # So no weight changes a constant loss.
    assert float(weighted_mean(torch.full(MAP, 3.0), scaled, valid)) == pytest.approx(3.0, rel=1e-5)


def test_without_a_valid_pixel_a_term_is_zero():
    nothing = torch.zeros(MAP, dtype=torch.bool)
    assert float(weighted_mean(torch.ones(MAP), normalised(torch.ones(MAP), nothing), nothing)) == 0.0


def test_features_are_compared_by_direction():
    feature = torch.randn(2, 6, 3, 4)
    distance = feature_distance(feature, 3.0 * feature)
    assert distance.shape == (2, 1, 3, 4)
    assert float(distance.abs().max()) < 1e-6
    assert float(feature_distance(feature, -feature).mean()) == pytest.approx(2.0, rel=1e-5)


def test_no_scale_of_the_student_is_too_small_to_be_corrected():
    log_b = torch.full(MAP, -7.0, requires_grad=True)
    zeros = torch.zeros(MAP)
    laplace_divergence(zeros + 0.1, log_b, zeros, torch.full(MAP, -2.0)).sum().backward()
    assert (log_b.grad < 0).all()
