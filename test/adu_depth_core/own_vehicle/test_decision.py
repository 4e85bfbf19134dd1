"""Keeps only corrections that help on held-out data, and the simplest of those."""

import dataclasses

import numpy as np
import pytest

from adu_depth_core.own_vehicle.calibration import judged
from adu_depth_core.own_vehicle.decision import decide
from adu_depth_core.own_vehicle.held_out import hold_out

RIGHT_SIGMA = 0.0575  # for Laplace errors of scale 0.05


def test_a_model_without_fault_is_left_alone(drive, card):
    for seed in range(5):
        decision = decide(hold_out(drive(sigma=0.0615, wobble=0.02, seed=seed)), card)
        assert not decision.helps
        assert decision.before == decision.after


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lambda truth, slope: 0.8, "scale"),
        (lambda truth, slope: (truth / 10) ** -0.2, "distance"),
        (lambda truth, slope: np.where(slope > 0.1, 1.2, 0.9), "rows"),
    ],
    ids=["scale", "distance", "rows"],
)
def test_a_fault_is_mended_by_the_simplest_correction_that_does(drive, card, fault, kind):
    decision = decide(hold_out(drive(fault, sigma=RIGHT_SIGMA)), card)
    assert decision.kind == kind
    assert decision.depth_gain.low > 0
    assert decision.depth_gain.decided
    assert decision.after["log_error"] < 0.075 < 0.1 < decision.before["log_error"]
    assert decision.after["scale"] == pytest.approx(1.0, abs=0.03)


def test_sigma_alone_is_mended_too(drive, card):
    decision = decide(hold_out(drive(sigma=RIGHT_SIGMA / 2)), card)
    assert decision.correction is None
    assert decision.sigma.factor == pytest.approx(2.0, rel=0.05)
    assert decision.before["within_sigma"] < 0.5
    assert decision.after["within_sigma"] == pytest.approx(0.683, abs=0.02)


def test_factors_that_frames_do_not_share_are_not_averaged(drive, card):
    """Each frame has its own scale error: no single factor helps on held-out frames."""
    decision = decide(hold_out(drive(wobble=0.3, sigma=0.4)), card)
    assert decision.correction is None


def test_what_holds_in_one_half_only_is_refused(drive, card):
    """The fault changes sign halfway through the drive."""
    second = [dataclasses.replace(o, seconds=o.seconds + 30) for o in drive(lambda t, s: 1.25, 30, sigma=0.3)]
    decision = decide(hold_out([*drive(lambda t, s: 0.8, 30, sigma=0.3), *second]), card)
    assert decision.correction is None


def test_observations_without_sigma_leave_it_alone(drive, card):
    frames = [dataclasses.replace(o, relative_sigma=None) for o in drive(lambda truth, slope: 0.8)]
    decision = decide(hold_out(frames), card, ["scale"])
    assert (decision.sigma, decision.sigma_gain) == (None, None)
    assert decision.kind == "scale"
    assert "within_sigma" not in decision.before


def test_a_few_pictures_tell_a_factor_and_no_more(drive, card):
    """Strips do not hold out other times, so a richer correction is not tried at all."""
    frames = drive(lambda truth, slope: 0.7 * np.where(slope > 0.1, 1.2, 0.9), frames=4, sigma=RIGHT_SIGMA)
    calibration = judged(hold_out(frames), "lidar", card, len(frames))
    assert calibration.decision.kind == "scale"
    assert calibration.decision.correction.row_slopes == ()
