"""A few seconds correct an obvious error, and change almost nothing without one."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.evaluation.uncertainty import uncertainty_metrics
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.own_vehicle.calibration import judged
from adu_depth_core.own_vehicle.decision import decide, measures
from adu_depth_core.own_vehicle.held_out import HeldOut, hold_out
from adu_depth_core.own_vehicle.short_drive import SCALE, SIGMA, Spread, shrink

RIGHT_SIGMA = 0.0575  # for Laplace errors of scale 0.05
HERTZ = 10


@pytest.fixture
def short_drive(drive):
    """Frames 0.1 s apart; ``offset`` is the error of each frame in log depth."""

    def make(frames=20, offset=None, **options):
        made = drive(frames=frames, **options)
        offset = np.zeros(frames) if offset is None else offset
        return [
            dataclasses.replace(o, seconds=o.seconds / HERTZ, depth=o.depth * np.float32(np.exp(error)))
            for o, error in zip(made, offset, strict=True)
        ]

    return make


def scene_errors(rng, frames, memory, spread):
    """An Ornstein-Uhlenbeck process at the frames' times."""
    kept = np.exp(-1 / HERTZ / memory)
    errors = [rng.normal()]
    for _ in range(frames - 1):
        errors.append(kept * errors[-1] + np.sqrt(1 - kept**2) * rng.normal())
    return spread * np.array(errors)


def test_the_posterior_of_one_frame_is_that_of_the_formula():
    found = shrink(np.array([0.1]), np.zeros(1), np.zeros(1), Spread(0.05, 0.2))
    # densities of 0.1 under N(0, 0.05² + 0.2²) and N(0, 0.05²), even odds
    with_error, without = (np.exp(-(0.1**2) / (2 * v)) / np.sqrt(v) for v in (0.0425, 0.0025))
    assert found.probability == pytest.approx(with_error / (with_error + without))
    assert found.weight == pytest.approx(found.probability * 0.04 / 0.0425)
    assert found.value == pytest.approx(found.weight * 0.1)


@given(st.floats(-1.5, 1.5))
def test_the_factor_has_the_smallest_expected_likelihood_loss(shown):
    """Of a Laplace distribution whose scale is in doubt: E[ln b + t / b] over true scales t."""
    scenes, cameras = 0.3, 0.8
    found = shrink(np.array([shown]), np.zeros(1), np.zeros(1), Spread(scenes, cameras))
    error = np.linspace(-6, 6, 4001)
    slab = np.exp(-(error**2) / (2 * cameras**2) - (shown - error) ** 2 / (2 * scenes**2))
    slab /= slab.sum()

    def loss(factor):
        true = found.probability * (slab @ np.exp(error)) + 1 - found.probability
        return np.log(factor) + true / factor

    assert loss(found.factor) < min(loss(0.98 * found.factor), loss(1.02 * found.factor))
    assert found.factor > np.exp(found.value)  # too small a sigma costs more than too large a one


def test_more_scenes_tell_more():
    frames = np.full(20, 0.06)
    spread = Spread(0.05, 0.2)
    near = shrink(frames, np.arange(20) / 10, np.zeros(20), spread)
    far = shrink(frames, np.arange(20) * 2.0, np.zeros(20), spread)
    drives = shrink(frames, np.arange(20) / 10, np.arange(20), spread)
    assert near.weight < 0.4 < 0.9 < far.weight < drives.weight


def test_frames_that_differ_more_than_scenes_do_tell_less():
    even = shrink(np.full(20, 0.2), np.arange(20) / 10, np.zeros(20), Spread(0.05, 0.2))
    uneven = shrink(np.tile([0.0, 0.4], 10), np.arange(20) / 10, np.zeros(20), Spread(0.05, 0.2))
    assert uneven.weight < 0.7 < even.weight


def test_evident_errors_are_corrected_nearly_in_full(short_drive, card):
    held_out = hold_out(short_drive(fault=lambda t, s: 0.7, sigma=RIGHT_SIGMA / 4))
    decision = decide(held_out, card)
    assert held_out.short
    assert decision.kind == "scale"
    assert decision.correction.scale == pytest.approx(1 / 0.7, rel=0.03)
    assert 3 < decision.sigma.factor < 4
    assert decision.after["nll"] < decision.before["nll"]


def test_doubtful_errors_are_shrunk(short_drive, card):
    error = 2.2 * SCALE.scenes
    decision = decide(hold_out(short_drive(offset=np.full(20, error), sigma=RIGHT_SIGMA)), card)
    assert 0.3 * error < -decision.correction.log_scale < 0.9 * error
    assert decision.shrunk["depth"].value == decision.correction.log_scale


@pytest.mark.parametrize(("part", "kept"), [(1.0, True), (0.2, False)])
def test_a_doubtful_sigma_is_corrected_in_part_if_that_changes_much(short_drive, card, part, kept):
    error = part * 1.25 * SIGMA.scenes
    decision = decide(hold_out(short_drive(sigma=RIGHT_SIGMA * np.exp(-error))), card)
    assert decision.shrunk["sigma"].probability < 0.5
    assert (decision.sigma is not None) == kept
    if kept:
        assert 1.1 < decision.sigma.factor < np.exp(error)
        assert decision.after["nll"] < decision.before["nll"]


def test_an_error_of_depth_is_not_counted_again_as_one_of_sigma(short_drive, card):
    """The correction is shrunk, so some error remains; sigma is right for the error without it."""
    held_out = hold_out(short_drive(offset=np.full(20, 2.2 * SCALE.scenes), sigma=RIGHT_SIGMA))
    found = decide(held_out, card).shrunk["sigma"]
    assert found.value == pytest.approx(0, abs=0.03)
    assert found.probability < 0.5


def test_only_a_factor_is_kept(short_drive, card):
    frames = short_drive(fault=lambda t, s: 0.7 * np.where(s > 0.1, 1.2, 0.9), sigma=RIGHT_SIGMA)
    assert decide(hold_out(frames), card).correction.row_slopes == ()


def test_an_error_of_half_of_the_drive_is_left(short_drive, card):
    offset = np.repeat([0.3, -0.3], 10)
    assert decide(hold_out(short_drive(offset=offset, sigma=0.4)), card).correction is None


class OneInterval(HeldOut):
    """Evaluated like longer drives."""

    short = False


def written(short_drive, card, memory, kind=HeldOut):
    """Number of 40 error-free drives that get a depth correction, and the largest such correction."""
    logs = []
    for seed in range(40):
        offset = scene_errors(np.random.default_rng(seed), 20, memory, SCALE.scenes)
        # Pixels vary more than scenes, so the frames do not reveal their correlation.
        held_out = hold_out(short_drive(offset=offset, noise=0.22, sigma=0.22 * 1.149, seed=seed))
        correction = decide(kind(**vars(held_out)), card, ["scale"]).correction
        logs += [abs(correction.log_scale)] if correction else []
    return len(logs), max(logs, default=0.0)


@pytest.mark.parametrize("memory", [0.3, 2.0, 8.0])
def test_where_nothing_is_wrong_little_is_written(short_drive, card, memory):
    count, largest = written(short_drive, card, memory)
    assert count <= 5
    assert largest < 4 * SCALE.scenes


def test_the_interval_of_longer_drives_would_write_more(short_drive, card):
    """Otherwise short drives would not need a special rule."""
    assert written(short_drive, card, 8.0, OneInterval)[0] >= 2 * written(short_drive, card, 8.0)[0]


def test_the_result_says_how_sure_it_is(short_drive, card):
    frames = short_drive(offset=np.full(20, 0.1), sigma=RIGHT_SIGMA)
    calibration = judged(hold_out(frames), "lidar", card, len(frames))
    assert calibration.refusal == ""
    (told,) = calibration.warnings
    assert "too short" in told
    assert "depth is wrong for more than its scenes with a probability of 9" in told
    assert "of the error seen is corrected, sigma is wrong for more than its scenes" in told


def test_the_likelihood_is_that_of_evaluations(drive, card):
    (frame,) = drive(frames=1)
    found = measures(frame, DepthCorrection(), card)["nll"]
    depth, truth = frame.depth.astype(float)[None], frame.truth.astype(float)[None]
    expected = uncertainty_metrics(depth, frame.relative_sigma * depth, truth, np.ones_like(truth, bool))
    assert found == pytest.approx(expected["nll"], rel=1e-4)


def test_spreads_have_the_order_of_what_they_describe():
    for spread in (SCALE, SIGMA):
        assert 0 < spread.scenes < spread.cameras


@pytest.fixture
def by_height(drive):
    """Frames in doubt, as of a road; ``error`` of depth in log units."""

    def make(error, doubt, frames):
        made = drive(fault=lambda t, s: np.exp(error), frames=frames)
        return [dataclasses.replace(o, relative_sigma=None, doubt=doubt) for o in made]

    return make


@pytest.mark.parametrize("frames", [1, 3, 20, 60])
def test_an_error_that_doubt_explains_is_left(by_height, card, frames):
    decision = decide(hold_out(by_height(0.08, 0.08, frames)), card)
    assert decision.correction is None
    assert decision.shrunk["depth"].probability < 0.5


@pytest.mark.parametrize("frames", [1, 60])
def test_an_error_beyond_doubt_is_shrunk(by_height, card, frames):
    """More frames take nothing from a doubt that they share."""
    found = decide(hold_out(by_height(0.3, 0.08, frames)), card)
    assert found.kind == "scale"
    weight = SCALE.cameras**2 / (SCALE.cameras**2 + 0.08**2)
    assert found.correction.log_scale == pytest.approx(-0.3 * weight, rel=0.05)


def test_the_result_by_height_says_how_sure_it_is(by_height, card):
    calibration = judged(hold_out(by_height(0.3, 0.08, 60)), "height", card, 60)
    assert any(
        "depth is wrong" in told and "of the error seen is corrected" in told for told in calibration.warnings
    )
