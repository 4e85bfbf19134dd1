"""Supervised losses: hand-computed values, limits, gradients."""

import math

import pytest

torch = pytest.importorskip("torch")

from adu_depth_core.losses.supervised import beyond_range, laplace_nll, silog  # noqa: E402


def test_silog_of_hand_computed_errors():
    error = torch.tensor([[0.1, -0.2, 9.0]])
    valid = torch.tensor([[True, True, False]])
    expected = 10 * math.sqrt((0.01 + 0.04) / 2 - 0.85 * (-0.05) ** 2 + 1e-8)
    assert silog(error, valid).item() == pytest.approx(expected, rel=1e-5)


def test_silog_of_a_batch_is_the_mean_over_its_images_with_truth():
    error = torch.tensor([[0.1, -0.2], [0.4, 0.0], [5.0, 5.0]])
    valid = torch.tensor([[True, True], [True, False], [False, False]])
    each = [silog(error[i : i + 1], valid[i : i + 1]).item() for i in range(2)]
    assert silog(error, valid).item() == pytest.approx(sum(each) / 2, rel=1e-6)


def test_silog_of_a_perfect_prediction_is_a_thousandth_with_finite_gradient():
    error = torch.zeros(1, 5, requires_grad=True)
    loss = silog(error, torch.ones(1, 5, dtype=torch.bool))
    loss.backward()
    assert loss.item() == pytest.approx(1e-3, rel=1e-3)
    assert torch.isfinite(error.grad).all()


def test_likelihood_of_hand_computed_values():
    error, log_b = torch.tensor([0.2, -0.1]), torch.tensor([0.1, 0.2]).log()
    expected = (0.2 / 0.1 + math.log(0.1) + 0.1 / 0.2 + math.log(0.2)) / 2
    assert laplace_nll(error, log_b, torch.ones(2, dtype=torch.bool)).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_likelihood_is_least_where_the_scale_equals_the_error():
    error = torch.full((3,), 0.3)
    log_b = torch.tensor([0.2, 0.3, 0.4]).log()
    each = [laplace_nll(error[i : i + 1], log_b[i : i + 1], torch.tensor([True])).item() for i in range(3)]
    assert each[1] == min(each)


def test_sky_predicted_beyond_the_range_costs_nothing_and_nearer_sky_its_shortfall():
    far = math.log(100.0)
    mu = torch.tensor([math.log(200.0), math.log(50.0), math.log(1.0)])
    beyond = torch.tensor([True, True, False])
    assert beyond_range(mu, far, beyond).item() == pytest.approx(math.log(2.0) / 2, rel=1e-5)


@pytest.mark.parametrize(
    "loss", [lambda e, v: silog(e, v), lambda e, v: laplace_nll(e, torch.zeros_like(e), v)]
)
def test_without_valid_pixels_the_loss_is_zero_and_has_a_gradient(loss):
    error = torch.randn(2, 4, requires_grad=True)
    value = loss(error, torch.zeros(2, 4, dtype=torch.bool))
    value.backward()
    assert value.item() == 0.0
    assert torch.equal(error.grad, torch.zeros(2, 4))


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(0)
    error = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    log_b = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    valid = torch.tensor([[True, True, False], [True, True, False]])
    assert torch.autograd.gradcheck(lambda e: silog(e, valid), (error,))
    assert torch.autograd.gradcheck(lambda e, b: laplace_nll(e, b, valid), (error, log_b))


def test_no_scale_is_too_small_to_be_corrected():
    log_b = torch.tensor([-7.0], requires_grad=True)
    laplace_nll(torch.tensor([0.1]), log_b, torch.tensor([True])).backward()
    assert log_b.grad.item() < 0  # a larger scale lowers the loss


def test_pixels_count_by_their_weight():
    error, valid = torch.tensor([[0.1, 0.3]]), torch.ones(1, 2, dtype=torch.bool)
    log_b = torch.zeros(1, 2)
    only_first = torch.tensor([[2.0, 0.0]])
    assert silog(error, valid, only_first).item() == pytest.approx(silog(error[:, :1], valid[:, :1]).item())
    assert laplace_nll(error, log_b, valid, only_first).item() == pytest.approx(0.1)
