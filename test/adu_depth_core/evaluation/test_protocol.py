import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.protocol import CROPS, Protocol, crop_window


@pytest.mark.parametrize(
    ("crop", "rows", "columns"),
    [
        ("none", (0, 375), (0, 1242)),
        ("garg", (153, 371), (44, 1197)),  # 0.408108 * 375, 0.991892 * 375; 0.035948 * 1242, 0.964052 * 1242
        ("garg-kitti", (23 + 143, 23 + 349), (13 + 43, 13 + 1172)),  # of 352x1216 at row 23, column 13
        ("eigen", (124, 342), (44, 1197)),
    ],
)
def test_crops_of_a_kitti_image(crop, rows, columns):
    assert crop_window(crop, 375, 1242) == (slice(*rows), slice(*columns))


def test_the_kitti_crop_rounds_the_left_edge_down():
    assert crop_window("garg-kitti", 376, 1241)[1] == slice(12 + 43, 12 + 1172)  # int((1241 - 1216) / 2) = 12


def test_on_the_kitti_crop_itself_both_garg_crops_agree():
    assert crop_window("garg-kitti", 352, 1216) == crop_window("garg", 352, 1216)


@pytest.mark.parametrize("size", [(351, 1242), (375, 1215)])
def test_an_image_smaller_than_the_kitti_crop_is_refused(size):
    with pytest.raises(
        UserError, match=r"garg-kitti needs images of at least 352x1216 .*--crop garg or none"
    ):
        Protocol(crop="garg-kitti").mask(np.ones(size))


@given(st.sampled_from(sorted(CROPS)), st.integers(352, 1000), st.integers(1216, 3000))
def test_a_crop_lies_inside_the_image(crop, height, width):
    rows, columns = crop_window(crop, height, width)
    assert 0 <= rows.start < rows.stop <= height
    assert 0 <= columns.start < columns.stop <= width


def test_only_known_depth_within_the_cap_counts():
    truth = np.array([[0.0, np.nan, np.inf, -1.0, 1e-3, 1.1e-3, 49.9, 50.0, 79.9, 80.0, 80.1]], np.float64)
    counts = {cap: truth[Protocol(cap).mask(truth)].tolist() for cap in (80.0, 50.0)}
    assert counts == {80.0: [1.1e-3, 49.9, 50.0, 79.9], 50.0: [1.1e-3, 49.9]}


@pytest.mark.parametrize("crop", sorted(CROPS))
def test_nothing_outside_the_crop_counts(crop):
    mask = Protocol(crop=crop).mask(np.full((375, 1242), 10.0))
    window = crop_window(crop, 375, 1242)
    assert mask[window].all()
    assert mask.sum() == mask[window].size


def test_predictions_are_clamped_to_the_range():
    clamped = Protocol(50.0).clamp(np.array([[-1.0, 0.0, 10.0, 50.0, 80.0]]))
    np.testing.assert_array_equal(clamped, [[1e-3, 1e-3, 10.0, 50.0, 50.0]])


@pytest.mark.parametrize("cap", [0.0, -80.0, 1e-3, float("nan"), float("inf")])
def test_a_cap_that_leaves_nothing_is_refused(cap):
    with pytest.raises(UserError, match="depth cap is"):
        Protocol(cap)


def test_an_unknown_crop_is_refused():
    with pytest.raises(UserError, match="no crop 'grag': choose none, garg, garg-kitti, eigen"):
        Protocol(crop="grag")


@pytest.mark.parametrize("crop", sorted(CROPS))
def test_the_description_names_crop_and_cap(crop):
    text = Protocol(50.0, crop).describe()
    assert CROPS[crop] in text
    assert "50 m" in text
    assert "no median scaling" in text
