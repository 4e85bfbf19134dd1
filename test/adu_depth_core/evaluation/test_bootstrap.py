import numpy as np
import pytest

from adu_depth_core.evaluation.bootstrap import mean_intervals


def test_the_interval_of_independent_frames_is_that_of_the_normal_distribution():
    values = np.random.default_rng(1).normal(5, 2, (400, 1))
    mean, low, high = (float(column[0]) for column in mean_intervals(values))
    assert mean == pytest.approx(values.mean())
    error = values.std() / np.sqrt(400)
    assert (mean - low) / error == pytest.approx(1.96, rel=0.25)
    assert (high - mean) / error == pytest.approx(1.96, rel=0.25)


def test_frames_that_look_alike_promise_less():
    independent = np.random.default_rng(2).normal(0, 1, (300, 1))
    alike = np.repeat(independent[::6], 6, axis=0)
    width = [float(high[0] - low[0]) for _, low, high in (mean_intervals(independent), mean_intervals(alike))]
    assert width[1] > 1.3 * width[0]


def test_frames_without_a_value_do_not_count():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    mean, low, high = mean_intervals(values)
    assert mean[0] == 2.0
    assert 1.0 <= low[0] <= 2.0 <= high[0] <= 3.0
    assert np.isnan([mean[1], low[1], high[1]]).all()


def test_a_constant_is_certain_and_draws_repeat():
    mean, low, high = mean_intervals(np.full((10, 1), 7.0))
    assert mean[0] == low[0] == high[0] == pytest.approx(7.0)
    values = np.random.default_rng(0).normal(size=(20, 3))
    np.testing.assert_array_equal(mean_intervals(values), mean_intervals(values))
