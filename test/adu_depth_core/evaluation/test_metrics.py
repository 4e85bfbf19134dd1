import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adu_depth_core.evaluation.metrics import depth_metrics

depths = arrays(np.float32, (3, 4), elements=st.floats(0.125, 80.0, width=32))
ALL = np.ones((3, 4), bool)


def test_hand_computed_values():
    truth = np.array([[1.0, 2.0, 4.0, 10.0]], np.float32)
    prediction = np.array([[1.0, 2.5, 3.0, 20.0]], np.float32)
    metrics = depth_metrics(prediction, truth, np.ones((1, 4), bool))
    assert metrics == pytest.approx(
        {
            "abs_rel": (0 + 0.25 + 0.25 + 1) / 4,
            "sq_rel": (0 + 0.125 + 0.25 + 10) / 4,
            "sqErrorRel": 100 * (0 + 0.0625 + 0.0625 + 1) / 4,
            "rmse": 5.0311529,  # sqrt((0 + 0.25 + 1 + 100) / 4)
            "rmse_log": 0.3914739,  # sqrt((0 + 0.2231436^2 + 0.2876821^2 + 0.6931472^2) / 4)
            "log10": 0.1307197,  # (0 + 0.0969100 + 0.1249387 + 0.3010300) / 4
            "silog": 35.8545,  # 100 * sqrt(0.1532518 - 0.1571522^2)
            "irmse": 69.72167,  # sqrt((0 + 100^2 + 83.3333^2 + 50^2) / 4)
            "d1": 1 / 4,  # a ratio of exactly 1.25 does not count
            "d2": 3 / 4,
            "d3": 3 / 4,
        },
        rel=2e-6,
    )


@given(depths)
def test_a_perfect_prediction_has_no_error(depth):
    metrics = depth_metrics(depth, depth, ALL)
    assert {name: value for name, value in metrics.items() if value} == {"d1": 1.0, "d2": 1.0, "d3": 1.0}


@given(depths, depths, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_relative_metrics_do_not_depend_on_the_unit(prediction, truth, unit):
    relative = ("abs_rel", "sqErrorRel", "rmse_log", "log10", "silog", "d1", "d2", "d3")
    before, after = depth_metrics(prediction, truth, ALL), depth_metrics(prediction * unit, truth * unit, ALL)
    for name in relative:
        assert after[name] == pytest.approx(before[name], rel=1e-9, abs=1e-9)
    assert after["rmse"] == pytest.approx(before["rmse"] * unit)
    assert after["sq_rel"] == pytest.approx(before["sq_rel"] * unit)
    assert after["irmse"] == pytest.approx(before["irmse"] / unit)


@given(depths, depths, st.sampled_from([0.5, 2.0]))
def test_silog_does_not_see_a_wrong_scale(prediction, truth, scale):
    silog = depth_metrics(prediction, truth, ALL)["silog"]
    assert depth_metrics(prediction * scale, truth, ALL)["silog"] == pytest.approx(silog, abs=1e-6)


@given(depths, depths)
def test_swapping_prediction_and_truth_keeps_the_symmetric_metrics(prediction, truth):
    there, back = depth_metrics(prediction, truth, ALL), depth_metrics(truth, prediction, ALL)
    for name in ("rmse", "rmse_log", "log10", "silog", "irmse", "d1", "d2", "d3"):
        assert back[name] == pytest.approx(there[name], abs=1e-9)


@given(depths, depths, arrays(bool, (3, 4)).filter(np.any))
def test_only_the_mask_counts(prediction, truth, mask):
    elsewhere = np.where(mask, truth, np.nan), np.where(mask, prediction, -1.0)
    assert depth_metrics(elsewhere[1], elsewhere[0], mask) == depth_metrics(prediction, truth, mask)
    assert depth_metrics(prediction, truth, mask) == pytest.approx(
        depth_metrics(prediction[mask][None], truth[mask][None], np.ones((1, mask.sum()), bool))
    )


def test_the_inputs_stay_as_they_are():
    prediction, truth = np.full((3, 4), 2.0, np.float32), np.full((3, 4), 3.0, np.float32)
    depth_metrics(prediction, truth, ALL)
    assert (prediction == 2.0).all()
    assert (truth == 3.0).all()


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_prediction_that_is_no_depth_is_an_error_and_never_left_out(bad):
    prediction = np.ones((3, 4))
    prediction[1, 1:3] = bad
    with pytest.raises(ValueError, match="prediction is not a positive number at 2 of 12 pixels"):
        depth_metrics(prediction, np.ones((3, 4)), ALL)


def test_other_sizes_and_empty_masks_are_errors():
    with pytest.raises(ValueError, match=r"truth is \(4, 3\), the mask is \(3, 4\)"):
        depth_metrics(np.ones((3, 4)), np.ones((4, 3)), ALL)
    with pytest.raises(ValueError, match="no pixel has ground truth"):
        depth_metrics(np.ones((3, 4)), np.ones((3, 4)), np.zeros((3, 4), bool))
