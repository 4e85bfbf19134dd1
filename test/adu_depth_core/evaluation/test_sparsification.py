import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.evaluation.sparsification import (
    METRICS,
    REMOVED,
    aurg,
    ause,
    sparsification_curves,
)


def frame(seed=0, pixels=1000):
    """Errors that grow with sigma, but not monotonically."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(5.0, 50.0, (1, pixels))
    sigma = truth * rng.uniform(0.01, 0.3, truth.shape)
    prediction = np.maximum(truth + rng.normal(0.0, sigma), 0.1)
    return prediction, sigma, truth, np.ones(truth.shape, bool)


def by_hand(error, rank, root=False):
    """Remove pixels in steps of 2 %, highest rank first, and average the rest."""
    remaining = error[np.argsort(-rank)]
    curve = [np.mean(remaining[int(np.floor(k * error.size / 50)) :]) for k in range(50)] + [0.0]
    return np.sqrt(curve) if root else np.array(curve)


@pytest.mark.parametrize("pixels", [1, 7, 49, 50, 51, 1000])
def test_curves_equal_those_removed_by_hand(pixels):
    prediction, sigma, truth, mask = frame(pixels=pixels)
    curves = sparsification_curves(prediction, sigma, truth, mask)
    p, s, g = prediction[0], sigma[0], truth[0]
    abs_rel, squared, outlier = np.abs(g - p) / g, (g - p) ** 2, 1.0 * (np.maximum(g / p, p / g) >= 1.25)
    expected = {
        "abs_rel": (by_hand(abs_rel, s / p), by_hand(abs_rel, abs_rel)),
        "rmse": (by_hand(squared, s, root=True), by_hand(squared, squared, root=True)),
        "d1": (by_hand(outlier, s / p), by_hand(outlier, outlier)),
    }
    for metric in METRICS:
        np.testing.assert_allclose(curves[metric][0], expected[metric][0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(curves[metric][1], expected[metric][1], rtol=1e-9, atol=1e-12)


def test_hand_computed_areas():
    # 50 pixels at 10 m, one with an error of 5 m flagged by sigma: no error remains after the first 2 %
    truth = np.full((5, 10), 10.0)
    prediction, sigma = truth.copy(), np.ones_like(truth)
    prediction[2, 3], sigma[2, 3] = 15.0, 9.0
    mask = np.ones(truth.shape, bool)
    by_sigma, by_oracle = sparsification_curves(prediction, sigma, truth, mask)["abs_rel"]
    assert by_sigma[0] == pytest.approx(0.5 / 50)
    assert not by_sigma[1:].any()
    assert ause(by_sigma, by_oracle) == 0.0
    # trapezoids: random removal stays at 0.01 for 49 of 50 steps, then 0; by sigma it drops in the first
    assert aurg(by_sigma) == pytest.approx(0.01 * (0.98 + 0.01) - 0.01 * 0.01)


def test_the_curves_start_at_the_metric_and_end_at_nothing():
    prediction, sigma, truth, mask = frame()
    curves = sparsification_curves(prediction, sigma, truth, mask)
    start = {
        "abs_rel": np.mean(np.abs(truth - prediction) / truth),
        "rmse": np.sqrt(np.mean((truth - prediction) ** 2)),
        "d1": np.mean(np.maximum(truth / prediction, prediction / truth) >= 1.25),
    }
    for metric in METRICS:
        for curve in curves[metric]:
            assert curve.shape == REMOVED.shape == (51,)
            assert curve[0] == pytest.approx(start[metric])
            assert curve[-1] == 0.0


@given(st.integers(0, 1000), st.integers(2, 300))
def test_nothing_ranks_better_than_the_oracle(seed, pixels):
    for by_sigma, by_oracle in sparsification_curves(*frame(seed, pixels)).values():
        assert ause(by_sigma, by_oracle) >= -1e-12


def test_an_uncertainty_that_orders_pixels_as_their_errors_has_no_sparsification_error():
    prediction, _, truth, mask = frame()
    curves = sparsification_curves(prediction, np.abs(truth - prediction) + 1e-9, truth, mask)
    assert ause(*curves["rmse"]) == pytest.approx(0.0, abs=1e-12)
    assert aurg(curves["rmse"][0]) > 0


def test_an_informed_uncertainty_gains_and_a_reversed_one_loses():
    prediction, sigma, truth, mask = frame()
    for by_sigma, _ in sparsification_curves(prediction, sigma, truth, mask).values():
        assert aurg(by_sigma) > 0
    for by_sigma, _ in sparsification_curves(prediction, 1 / sigma, truth, mask).values():
        assert aurg(by_sigma) < 0


def test_an_uncertainty_without_information_gains_nothing_wherever_the_errors_are():
    truth = np.full((20, 50), 10.0)
    prediction = truth + np.linspace(0, 5, truth.size).reshape(truth.shape)  # errors sorted by position
    mask = np.ones(truth.shape, bool)
    by_sigma, _ = sparsification_curves(prediction, np.ones_like(truth), truth, mask)["rmse"]
    np.testing.assert_allclose(by_sigma[:-1], by_sigma[0])
    assert aurg(by_sigma) == pytest.approx(0.0, abs=1e-12)


@given(st.integers(0, 100))
def test_the_order_of_the_pixels_does_not_matter_even_among_equals(seed):
    prediction, sigma, truth, mask = frame(seed, 200)
    sigma = np.ceil(sigma)  # many ties for rmse
    order = np.random.default_rng(seed).permutation(200)
    here = sparsification_curves(prediction, sigma, truth, mask)["rmse"]
    there = sparsification_curves(*(m[:, order] for m in (prediction, sigma, truth, mask)))["rmse"]
    np.testing.assert_allclose(there, here, rtol=1e-9)
