"""Known faults are recovered despite a share of wrong truth."""

import numpy as np
import pytest

from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.own_vehicle.fitting import corrected_depth, fit_correction, fit_sigma, sigma_of


@pytest.mark.parametrize("outliers", [0.0, 0.15])
def test_a_factor_is_found(drive, outliers):
    correction = fit_correction(drive(lambda truth, slope: 0.8, outliers=outliers), "scale")
    assert correction.scale == pytest.approx(1.25, rel=0.02)


@pytest.mark.parametrize("outliers", [0.0, 0.15])
def test_a_power_of_the_distance_is_found(drive, outliers):
    # p = 0.8 * 10 * (g / 10)^0.8, so g = 10 * (p / 8)^1.25 = p * 1.25 * (p / 8)^0.25
    frames = drive(lambda truth, slope: 0.8 * (truth / 10) ** -0.2, outliers=outliers)
    correction = fit_correction(frames, "distance")
    assert correction.distance_exponent == pytest.approx(0.25, abs=0.04 if outliers == 0 else 0.07)
    assert correction.scale == pytest.approx(1.25 * 1.25**0.25, rel=0.03)


def test_a_factor_by_row_is_found(drive):
    frames = drive(lambda truth, slope: np.where(slope > 0.1, 1.2, 0.9))
    correction = fit_correction(frames, "rows")
    factors = np.exp(correction.log_factor(np.full(3, 10.0), np.array([-0.08, 0.1, 0.28])))
    assert factors[0] == pytest.approx(1 / 0.9, rel=0.05)
    assert factors[2] == pytest.approx(1 / 1.2, rel=0.05)
    after = np.concatenate([np.abs(np.log(corrected_depth(o, correction) / o.truth)) for o in frames])
    assert after.mean() < 0.075  # 0.05 is the noise; the error was 0.15 before


def test_an_unknown_kind_is_refused(drive):
    with pytest.raises(ValueError, match="no correction by 'columns'"):
        fit_correction(drive(frames=1), "columns")


def test_frames_weigh_the_same_whatever_their_pixels(drive):
    few = [o.part(np.arange(400) < 40, o.seconds) for o in drive(lambda truth, slope: 0.5, frames=30)]
    many = drive(lambda truth, slope: 0.9, frames=10)
    assert fit_correction([*many, *few], "scale").scale == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(
    ("sigma", "novelty", "factor"), [(0.0288, 1.0, 2.0), (0.1149, 1.0, 0.5), (0.0575, 1.5, 1.0)]
)
def test_sigma_covers_what_it_says(drive, card, sigma, novelty, factor):
    """Laplace errors of scale 0.05 have their 68.3 % quantile at 0.0575."""
    frames = drive(sigma=sigma, novelty=novelty)
    fit = fit_sigma(frames, DepthCorrection(), card)
    assert fit.factor == pytest.approx(factor, rel=0.04)
    if novelty == 1.0:
        assert fit.novelty == {}
    else:  # the camera's typical novelty becomes the reference; the threshold moves with it
        assert (fit.novelty["reference"], fit.novelty["threshold"]) == (1.5, 3.0)
    shares = [np.mean(np.abs(o.depth - o.truth) <= sigma_of(o, o.depth, card, fit)) for o in frames]
    assert np.mean(shares) == pytest.approx(0.683, abs=0.005)


def test_sigma_grows_with_what_is_unusual_for_the_camera(drive, card):
    fit = fit_sigma(drive(novelty=2.0), DepthCorrection(), card)
    (usual,), (unusual,) = drive(frames=1, novelty=2.0), drive(frames=1, novelty=6.0)
    np.testing.assert_allclose(
        sigma_of(unusual, unusual.depth, card, fit), 3 * sigma_of(usual, usual.depth, card, fit), rtol=1e-5
    )
