import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.datasets.stereo_matching import disparity_range, match_stereo


def test_a_textured_plane_is_matched_in_both_views(textured_pair):
    for disparity in match_stereo(*textured_pair(0, 12), 32):
        known = disparity > 0
        assert known.mean() > 0.7
        np.testing.assert_allclose(disparity[known], 12, atol=0.5)


@given(rig=st.floats(1, 3000), nearest=st.floats(0.5, 10))
def test_the_search_range_reaches_the_nearest_object(rig, nearest):
    found = disparity_range(rig, nearest)
    assert found % 16 == 0
    assert rig / nearest <= found < max(17, rig / nearest + 16)


def test_the_kitti_rig_searches_as_many_disparities_as_usual():
    assert disparity_range(384.4, 2.0) == pytest.approx(192, abs=16)
