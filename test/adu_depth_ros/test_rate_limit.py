import numpy as np
import pytest

from adu_depth_ros.rate_limit import RateLimit


def passed(rate, times):
    now = [0.0]
    limit = RateLimit(clock=lambda: now[0])
    kept = []
    for now[0] in times:
        if limit.passes(rate):
            kept.append(now[0])
    return np.array(kept)


@pytest.mark.parametrize("rate", [1.0, 5.0, 7.0, 10.0, 29.0])
def test_the_mean_rate_is_the_one_asked_for(rate):
    assert len(passed(rate, np.arange(0, 30, 1 / 30))) == pytest.approx(30 * rate, abs=2)


def test_jitter_costs_nothing_and_events_stay_even():
    random = np.random.default_rng(0)
    times = np.arange(0, 30, 1 / 30) + random.uniform(-0.01, 0.01, 900)
    kept = passed(10.0, times)
    assert len(kept) == pytest.approx(300, abs=2)
    assert np.diff(kept).max() < 0.15


def test_a_slower_source_passes_whole_and_so_does_everything_without_a_limit():
    times = np.arange(0, 10, 0.2)
    assert len(passed(10.0, times)) == len(passed(0.0, times)) == len(times)


def test_a_pause_is_not_made_up_for():
    times = np.concatenate([[0.0], np.arange(10, 11, 0.01)])
    assert len(passed(10.0, times)) <= 12
