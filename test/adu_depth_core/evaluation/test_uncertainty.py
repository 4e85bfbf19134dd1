import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.evaluation.uncertainty import (
    LEVELS,
    QUANTILE,
    calibration_area,
    coverage_curve,
    image_sigma_scale,
    interval_half_width,
    uncertainty_metrics,
)


def laplace_frame(scale_error=1.0, seed=0, shape=(200, 500)):
    """Laplace-distributed truth around the prediction, with sigma off by a factor."""
    rng = np.random.default_rng(seed)
    prediction = rng.uniform(20.0, 60.0, shape)
    scale = prediction * rng.uniform(0.005, 0.02, shape)
    truth = prediction + rng.laplace(0.0, scale)
    return prediction, QUANTILE * scale * scale_error, truth, np.ones(shape, bool)


def test_quantiles_of_the_laplace_distribution():
    assert pytest.approx(1.149, abs=5e-4) == QUANTILE
    assert interval_half_width(0.683) == pytest.approx(1.0)
    assert interval_half_width(0.50) == pytest.approx(np.log(2) / 1.14885, rel=1e-4)
    assert interval_half_width(0.95) == pytest.approx(np.log(20) / 1.14885, rel=1e-4)
    # the standard deviation of a Laplace, sqrt(2) scales, covers 75.7 %: not the definition of sigma
    assert interval_half_width(0.757) * QUANTILE == pytest.approx(np.sqrt(2), rel=1e-3)


def test_hand_computed_values():
    prediction = np.full((1, 4), 10.0)
    truth = np.array([[10.0, 10.5, 12.0, 13.0]])
    sigma = np.array([[1.0, 1.0, 2.0, 1.0]])
    # |error| / sigma = 0, 0.5, 1, 3 against half widths 0.603, 1, 2.608
    metrics = uncertainty_metrics(prediction, sigma, truth, np.ones((1, 4), bool))
    assert metrics["coverage_50"] == 2 / 4
    assert metrics["coverage_1sigma"] == 3 / 4  # an error of exactly one sigma counts as inside
    assert metrics["coverage_95"] == 3 / 4
    assert metrics["relative_sigma"] == pytest.approx((0.1 + 0.1 + 0.2 + 0.1) / 4)
    log_2s = [np.log(2 / 1.148854)] * 2 + [np.log(4 / 1.148854), np.log(2 / 1.148854)]
    assert metrics["nll"] == pytest.approx(np.mean(log_2s) + 1.148854 * (0 + 0.5 + 1 + 3) / 4, rel=1e-6)


def test_an_honest_sigma_is_calibrated_at_every_level():
    frame = laplace_frame()
    metrics = uncertainty_metrics(*frame)
    assert metrics["coverage_50"] == pytest.approx(0.50, abs=0.01)
    assert metrics["coverage_1sigma"] == pytest.approx(0.683, abs=0.01)
    assert metrics["coverage_95"] == pytest.approx(0.95, abs=0.01)
    curve = coverage_curve(*frame)
    np.testing.assert_allclose(curve, LEVELS, atol=0.01)
    assert calibration_area(curve) < 0.005


def test_the_likelihood_of_an_honest_sigma_is_the_entropy():
    prediction, sigma, truth, mask = laplace_frame()
    entropy = np.mean(1 + np.log(2 * sigma / QUANTILE))
    assert uncertainty_metrics(prediction, sigma, truth, mask)["nll"] == pytest.approx(entropy, abs=0.02)


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 4.0])
def test_a_wrong_sigma_is_punished(factor):
    honest, wrong = laplace_frame(), laplace_frame(factor)
    assert uncertainty_metrics(*wrong)["nll"] > uncertainty_metrics(*honest)["nll"] + 0.1
    assert calibration_area(coverage_curve(*wrong)) > 0.1
    too_many = uncertainty_metrics(*wrong)["coverage_1sigma"] > 0.683
    assert too_many == (factor > 1)


def test_a_laplace_in_log_depth_is_nearly_calibrated():
    # The network's model: log depth is Laplace with scale b; sigma = 1.149 * b * depth.
    rng = np.random.default_rng(1)
    prediction, b = np.full((200, 500), 20.0), 0.08
    truth = prediction * np.exp(rng.laplace(0.0, b, prediction.shape))
    frame = prediction, QUANTILE * b * prediction, truth, np.ones(prediction.shape, bool)
    assert uncertainty_metrics(*frame)["coverage_1sigma"] == pytest.approx(0.683, abs=0.01)
    assert image_sigma_scale(prediction, b * prediction, *frame[2:]) == pytest.approx(QUANTILE, rel=0.02)


def test_the_coverage_curve_counts_pixels():
    prediction, truth = np.full((1, 4), 10.0), np.full((1, 4), 11.0)
    levels_reached = np.array([[0.095, 0.305, 0.605, 0.985]])
    sigma = 1.0 / interval_half_width(levels_reached)  # the error lies on the boundary of these intervals
    curve = coverage_curve(prediction, sigma, truth, np.ones((1, 4), bool))
    expected = (LEVELS[:, None] > levels_reached).mean(axis=1)
    np.testing.assert_array_equal(curve, expected)


def test_calibration_area_of_the_extremes():
    assert calibration_area(LEVELS) == pytest.approx(0.0, abs=1e-12)
    assert calibration_area(np.ones_like(LEVELS)) == pytest.approx(0.5, abs=0.01)
    assert calibration_area(np.zeros_like(LEVELS)) == pytest.approx(0.5, abs=0.01)
    assert calibration_area(LEVELS**2) == pytest.approx(1 / 2 - 1 / 3, abs=1e-3)


@given(st.floats(0.1, 10.0), st.integers(0, 5))
def test_the_fitted_scale_makes_sigma_honest(wrong, seed):
    prediction, sigma, truth, mask = laplace_frame(seed=seed, shape=(20, 50))
    k = image_sigma_scale(prediction, sigma / wrong, truth, mask)
    coverage = [
        uncertainty_metrics(prediction, factor * k * sigma / wrong, truth, mask)["coverage_1sigma"]
        for factor in (1 - 1e-6, 1 + 1e-6)
    ]
    assert coverage[0] <= 0.683 <= coverage[1]
    assert coverage[1] - coverage[0] <= 0.0011  # one pixel of 1000


def test_only_the_mask_counts():
    prediction, sigma, truth, mask = laplace_frame(shape=(10, 10))
    mask[:, 5:] = False
    changed = np.where(mask, truth, 0.0), np.where(mask, sigma, np.nan)
    expected = uncertainty_metrics(prediction, sigma, truth, mask)
    assert uncertainty_metrics(prediction, changed[1], changed[0], mask) == expected
    expected_scale = image_sigma_scale(prediction, sigma, truth, mask)
    assert image_sigma_scale(prediction, changed[1], changed[0], mask) == expected_scale


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_sigma_that_is_no_uncertainty_is_an_error(bad):
    with pytest.raises(ValueError, match="sigma is not a positive number at 1 of 4 pixels"):
        uncertainty_metrics(
            np.ones((2, 2)), np.array([[1, 1], [bad, 1]]), np.ones((2, 2)), np.ones((2, 2), bool)
        )
