import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.evaluation.disparity_metrics import disparity_metrics

FOCAL_TIMES_BASELINE = 400.0


def measured(predicted, true, mask=None):
    predicted, true = (FOCAL_TIMES_BASELINE / np.array([d], np.float64) for d in (predicted, true))
    mask = np.ones(true.shape, bool) if mask is None else np.array([mask])
    return disparity_metrics(predicted, true, mask, FOCAL_TIMES_BASELINE)


def test_an_outlier_is_off_by_more_than_3_pixels_and_more_than_5_percent():
    #        3.1 of 20    2.9 of 20    4.9 of 100   5.1 of 100   exact
    true = [20.0, 20.0, 100.0, 100.0, 50.0]
    predicted = [23.1, 17.1, 104.9, 94.9, 50.0]
    metrics = measured(predicted, true)
    assert metrics["d1_all"] == pytest.approx(40.0)  # the first and the fourth of five
    assert metrics["epe"] == pytest.approx((3.1 + 2.9 + 4.9 + 5.1) / 5)


def test_only_pixels_of_the_mask_count():
    metrics = measured([10.0, 99.0], [10.0, 50.0], [True, False])
    assert metrics == {"d1_all": 0.0, "epe": 0.0}


def test_exactly_3_pixels_off_is_no_outlier():
    predicted, true = np.array([[512 / 35]]), np.array([[512 / 32]])  # exactly representable
    assert disparity_metrics(predicted, true, true > 0, 512.0)["d1_all"] == 0.0


@given(
    true=st.lists(st.floats(1, 190), min_size=1, max_size=30),
    shift=st.floats(-0.5, 3.0),
    scale=st.floats(0.1, 10.0),
)
def test_a_uniform_shift_is_the_end_point_error_whatever_the_rig(true, shift, scale):
    true = np.array([true])
    rig = FOCAL_TIMES_BASELINE * scale
    metrics = disparity_metrics(rig / (true + shift), rig / true, np.ones(true.shape, bool), rig)
    assert metrics["epe"] == pytest.approx(abs(shift), abs=1e-9)
    assert metrics["d1_all"] == 0.0 or shift > 2.99


@pytest.mark.parametrize("rig", [0.0, -1.0, float("nan")])
def test_a_rig_without_baseline_is_refused(rig):
    depth = np.ones((1, 1))
    with pytest.raises(ValueError, match="focal times baseline"):
        disparity_metrics(depth, depth, depth > 0, rig)
