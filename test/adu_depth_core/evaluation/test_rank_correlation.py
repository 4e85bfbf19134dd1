import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.evaluation.rank_correlation import rank_correlation


def test_a_textbook_example():
    # Spearman 1904 as on Wikipedia: IQ and hours of television, rho = -29 / 165.
    iq = np.array([106, 100, 86, 101, 99, 103, 97, 113, 112, 110], float)
    hours = np.array([7, 27, 2, 50, 28, 29, 20, 12, 6, 17], float)
    assert rank_correlation(iq, hours) == pytest.approx(-29 / 165)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=30))
def test_it_is_scipy_s(pairs):
    stats = pytest.importorskip("scipy.stats")
    first, second = np.array(pairs, float).T
    found = rank_correlation(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(first, second).statistic)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=30, unique=True))
def test_any_rising_function_is_in_step_and_any_falling_one_against_it(values):
    values = np.array(values, float)
    assert rank_correlation(values, np.exp(values / 10)) == pytest.approx(1)
    assert rank_correlation(values, -(values**3)) == pytest.approx(-1)


def test_two_frames_say_nothing():
    assert rank_correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0])) is None


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="3 numbers cannot be compared with 2"):
        rank_correlation(np.arange(3.0), np.arange(2.0))
