import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adu_depth_core.datasets.disparity_filling import fill_background


def test_gaps_take_the_farther_of_their_ends_and_borders_their_one_end():
    disparity = np.array([[0, 0, 9, 0, 0, 4, 0], [0, 0, 0, 0, 0, 0, 0], [1, 2, 0, 3, 3, 3, 3]], np.float32)
    expected = [[9, 9, 9, 4, 4, 4, 4], [9, 9, 9, 4, 4, 4, 4], [1, 2, 2, 3, 3, 3, 3]]
    np.testing.assert_array_equal(fill_background(disparity), expected)


def test_empty_rows_on_top_take_the_first_row_below():
    disparity = np.array([[0, 0], [0, 0], [5, 6]], np.float32)
    np.testing.assert_array_equal(fill_background(disparity), [[5, 6]] * 3)


def test_nothing_stays_nothing():
    assert not fill_background(np.zeros((3, 4), np.float32)).any()


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.sampled_from([0.0, 1.0, 2.0, 5.0, 7.5]),
    )
)
def test_known_pixels_stay_and_the_map_becomes_dense_with_values_it_had(disparity):
    filled = fill_background(disparity)
    known = disparity > 0
    np.testing.assert_array_equal(filled[known], disparity[known])
    if known.any():
        assert (filled > 0).all()
        assert set(np.unique(filled)) <= set(np.unique(disparity[known]))
