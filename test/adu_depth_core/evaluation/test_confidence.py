"""Confidence intervals over simulated drives must cover the known true mean at their nominal rate."""

import numpy as np
import pytest

from adu_depth_core.evaluation.confidence import ENOUGH, mean_intervals

SERIES = 1000
"""Simulated drives of each kind: measures a coverage of 95 % to within 0.7 %."""

RATE = 10.0


def drives(frames, memory, seed, noise=0.0, seconds=None):
    """Values with mean 0 and variance 1, ``(frames, SERIES)``, with autocorrelation exp(-seconds / memory).

    :param noise: share of the variance that is new in each frame
    """
    rng = np.random.default_rng(seed)
    seconds = np.arange(frames) / RATE if seconds is None else seconds
    lasting = np.empty((frames, SERIES))
    lasting[0] = rng.normal(size=SERIES)
    for i in range(1, frames):
        kept = np.exp((seconds[i - 1] - seconds[i]) / memory) if memory else 0.0
        lasting[i] = kept * lasting[i - 1] + np.sqrt(1 - kept**2) * rng.normal(size=SERIES)
    return np.sqrt(1 - noise) * lasting + np.sqrt(noise) * rng.normal(size=lasting.shape)


def intervals(values, seconds=None, numbers=None):
    frames = len(values)
    seconds = np.arange(frames) / RATE if seconds is None else seconds
    return mean_intervals(values, seconds, np.zeros(frames, int) if numbers is None else numbers)


def coverage(found, truth=0.0):
    return np.mean((found.low <= truth) & (truth <= found.high))


@pytest.mark.parametrize("memory", [0.0, 0.1, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("frames", [150, 300, 600])
def test_intervals_cover_the_mean_as_often_as_they_say(frames, memory):
    found = intervals(drives(frames, memory, seed=[1, frames, round(10 * memory)]))
    assert 0.90 <= coverage(found) <= 0.98


@pytest.mark.parametrize("memory", [0.0, 0.1, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("frames", [30, 60])
def test_a_few_seconds_promise_rather_too_little_and_decide_nothing(frames, memory):
    found = intervals(drives(frames, memory, seed=frames))
    assert coverage(found) >= 0.90
    assert not found.decided.any()


@pytest.mark.parametrize("memory", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("frames", [300, 600])
def test_noise_does_not_hide_what_lasts(frames, memory):
    """With half of the variance new in each frame, neighbouring frames look nearly independent."""
    assert 0.90 <= coverage(intervals(drives(frames, memory, seed=frames, noise=0.5))) <= 0.98


def test_two_memories_at_once_are_covered():
    values = (drives(600, 0.3, seed=1) + drives(600, 3.0, seed=2)) / np.sqrt(2)
    assert 0.90 <= coverage(intervals(values)) <= 0.98


def test_errors_that_are_skewed_are_covered():
    """Errors are non-negative with a long tail."""
    values = np.exp(0.6 * drives(600, 1.0, seed=3))
    assert 0.90 <= coverage(intervals(values), np.exp(0.18)) <= 0.98


def test_scenes_that_change_at_once_are_covered():
    """Piecewise constant values: scenes last 2 s on average."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(600, SERIES))
    for i in range(1, 600):
        values[i] = np.where(rng.random(SERIES) < np.exp(-1 / RATE / 2.0), values[i - 1], values[i])
    assert 0.90 <= coverage(intervals(values)) <= 0.98


def test_what_lasts_lasts_in_seconds():
    """Every fifth frame kept and a 10 s gap in the middle: the drive holds nearly as much information."""
    seconds = np.arange(900) / RATE
    values = drives(900, 3.0, seed=5)
    kept = (np.arange(900) % 5 == 0) & ((seconds < 40) | (seconds > 50))
    found, thinned = intervals(values), intervals(values[kept], seconds[kept])
    assert 0.90 <= coverage(thinned) <= 0.98
    assert np.median(thinned.independent) == pytest.approx(np.median(found.independent), rel=0.2)


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize("between", [0.0, 0.1, 1.0, 10.0])
def test_drives_that_differ_are_covered(count, between):
    """Drives of 15 s with a memory of 1 s and a mean each; the population mean is 0."""
    rng = np.random.default_rng(count)
    values, seconds, numbers = [], [], []
    for number in range(count):
        own = np.sqrt(between) * rng.normal(size=SERIES)
        values.append(own + drives(150, 1.0, seed=100 * count + number, noise=0.3))
        seconds.append(np.arange(150) / RATE)  # all begin at 0
        numbers.append(np.full(150, number))
    found = intervals(*map(np.concatenate, (values, seconds, numbers)))
    # Two or three drives do not show how much drives vary.
    low, high = (0.90, 0.98) if count >= 5 else (0.88, 1.0)
    assert low <= coverage(found) <= high
    if between == 10:
        assert np.median(found.independent) == pytest.approx(count, rel=0.35)


def test_no_correlation_is_seen_across_the_border_of_two_drives():
    """Three drives with matching ends and starts: the offset between their clocks makes no difference."""
    values = drives(450, 1.0, seed=6)
    numbers = np.repeat([0, 1, 2], 150)
    seconds = np.tile(np.arange(150) / RATE, 3)
    found, later = intervals(values, seconds, numbers), intervals(values, seconds + 1e6 * numbers, numbers)
    for one, other in zip(found, later, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_the_interval_of_independent_frames_is_little_wider_than_if_that_were_known():
    found = intervals(drives(600, 0.0, seed=10))
    known = 1.96 / np.sqrt(600)
    assert 1.0 < np.median(found.high - found.mean) / known < 1.5
    assert np.median(found.independent) == pytest.approx(600, rel=0.5)
    assert found.decided.all()


@pytest.mark.parametrize(
    ("frames", "memory", "decided"),
    [(95, 0.0, False), (150, 0.3, True), (150, 30.0, False), (600, 1.0, True)],
)
def test_it_takes_time_and_enough_that_is_independent_to_decide(frames, memory, decided):
    found = intervals(drives(frames, memory, seed=7))
    assert np.mean(found.decided) > 0.95 if decided else np.mean(found.decided) < 0.05
    assert (found.independent[found.decided] >= ENOUGH).all()


def test_frames_without_a_value_do_not_count():
    rng = np.random.default_rng(8)
    values = rng.normal(size=(300, 3))
    values[::2, 1] = np.nan
    values[:, 2] = np.nan
    found = intervals(values)
    alone = intervals(values[1::2, 1:2], np.arange(300)[1::2] / RATE)
    for both, one in zip(found, alone, strict=True):
        assert both[1] == pytest.approx(one[0])
    assert np.isnan([found.mean[2], found.low[2], found.high[2], found.independent[2]]).all()
    assert not found.decided[2]


def test_one_frame_tells_its_value_and_nothing_else():
    found = intervals(np.array([[3.0]]))
    assert found.mean[0] == 3.0
    assert np.isnan([found.low[0], found.high[0]]).all()
    assert found.independent[0] == 1
    assert not found.decided[0]


def test_pieces_that_are_all_alike_are_no_trouble():
    """Every window of two seconds holds the same twenty values."""
    values = np.tile(np.linspace(0, 1, 20), 20)[:, None]
    found = intervals(values)
    assert found.low[0] <= 0.5 <= found.high[0]
    assert found.high[0] - found.low[0] < 1e-3
    assert found.independent[0] == 400


@pytest.mark.parametrize("frames", [2, 3])
def test_two_or_three_frames_have_a_wide_interval(frames):
    values = np.random.default_rng(11).normal(size=(frames, 3))
    found = intervals(values)
    assert (found.high - found.low > 2 * values.std(axis=0)).all()
    assert not found.decided.any()


def test_a_constant_is_certain():
    found = intervals(np.full((300, 1), 7.0))
    assert found.low[0] == found.high[0] == found.mean[0] == 7.0
    assert found.decided[0]


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_the_unit_of_the_values_does_not_matter(scale):
    values = drives(150, 1.0, seed=9)[:, :5] + 0.5
    found, scaled = intervals(values), intervals(scale * values)
    np.testing.assert_allclose(scaled.low, scale * found.low, rtol=1e-6)
    np.testing.assert_allclose(scaled.independent, found.independent, rtol=1e-6)
