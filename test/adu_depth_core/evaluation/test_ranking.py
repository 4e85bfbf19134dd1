import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.evaluation.ranking import Ranking

# Few distinct values, hence many ties; zeros, tiny and huge ones.
values = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0, 1.0005, 2.0, 1e-300, 1e30]), st.floats(0, 100)),
    min_size=1,
    max_size=60,
)


def sums_by_hand(values, weight, count):
    """Ties are equally likely to be among the smallest: each gets the mean weight of its ties."""
    shared = np.array([weight[values == value].mean() for value in values])
    return shared[np.argsort(values, kind="stable")][:count].sum()


@given(values, st.integers(0, 100))
def test_sums_are_those_of_sorted_values(values, seed):
    values = np.array(values)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0, 1, len(values)), rng.uniform(0, 9, len(values))
    counts = np.arange(1, len(values) + 1)
    for sums, weight in zip(Ranking(values).sums_of_smallest(counts, *weights), weights, strict=True):
        expected = [sums_by_hand(values, weight, count) for count in counts]
        np.testing.assert_allclose(sums, expected, rtol=1e-9, atol=1e-12)


@given(values, st.lists(st.one_of(st.sampled_from([0.0, 1.0, 2.0, 1e40]), st.floats(0, 200)), min_size=1))
def test_counts_are_those_of_comparisons(values, limits):
    values = np.array(values)
    expected = [np.count_nonzero(values <= limit) for limit in limits]
    assert Ranking(values).counts_up_to(np.array(limits)).tolist() == expected


def test_many_values_are_as_exact_as_few():
    rng = np.random.default_rng(0)
    values, weight = rng.lognormal(-2, 1.5, 200_000), rng.uniform(0, 1, 200_000)
    counts = np.arange(1, 51) * 4000
    (sums,) = Ranking(values).sums_of_smallest(counts, weight)
    expected = np.cumsum(weight[np.argsort(values)])[counts - 1]
    assert sums == pytest.approx(expected, rel=1e-12)
