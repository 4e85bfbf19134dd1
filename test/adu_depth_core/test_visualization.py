"""Visualisations preserve depth order, show unknown pixels, and have the documented sizes."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.visualization import (
    SIGMA_SCALE,
    UNKNOWN_COLOR,
    ColorScale,
    colorize_depth,
    colorize_sigma,
    depth_scale,
    labelled_panel,
    prediction_figure,
)


def test_near_is_red_and_far_is_blue():
    near, far = colorize_depth(np.array([[3.0, 60.0]], np.float32))[0].astype(int)
    assert near[0] > near[2] + 100
    assert far[2] > far[0] + 50


@pytest.mark.parametrize("value", [np.nan, 0.0, -1.0, -np.inf])
def test_no_value_has_its_own_colour(value):
    assert tuple(colorize_depth(np.full((2, 3), value))[0, 0]) == UNKNOWN_COLOR


def test_infinite_depth_is_shown_as_far():
    picture = colorize_depth(np.array([[np.inf, 80.0, 1e6]]))
    assert (picture == picture[0, 0]).all()
    assert tuple(picture[0, 0]) != UNKNOWN_COLOR


@given(st.lists(st.floats(0.1, 500), min_size=2, max_size=20))
def test_position_on_the_scale_grows_with_the_value(values):
    positions = depth_scale(2, 80).position(np.sort(values))
    assert np.all(np.diff(positions) >= 0)
    assert 0 <= positions[0] <= positions[-1] <= 1


def test_scale_is_logarithmic():
    assert depth_scale(2, 50).position(10.0) == pytest.approx(0.5)


def test_sigma_is_coloured_by_its_share_of_the_depth():
    sigma, depth = np.array([[0.5, 5.0, 5.0]]), np.array([[10.0, 100.0, 10.0]])
    picture = colorize_sigma(sigma, depth)
    assert np.array_equal(picture[0, 0], picture[0, 1])
    assert picture[0, 2].sum() > picture[0, 0].sum()  # brighter means more uncertain
    assert np.array_equal(picture, SIGMA_SCALE.colors(100 * sigma / depth))


@pytest.mark.parametrize("depth", [0.0, np.nan, np.inf])
def test_sigma_without_depth_is_unknown(depth):
    assert tuple(colorize_sigma(np.ones((1, 1)), np.full((1, 1), depth))[0, 0]) == UNKNOWN_COLOR


def test_an_empty_scale_is_refused():
    with pytest.raises(ValueError, match="0 < low < high"):
        ColorScale(5.0, 5.0, (), cv2.COLORMAP_TURBO)


def test_the_legend_shows_the_colours_of_the_picture():
    scale = depth_scale(2, 80)
    panel = labelled_panel(np.zeros((100, 800, 3), np.uint8), "depth", scale)
    strip = panel[:-100]
    bar = strip[round(0.34 * len(strip))]
    for value in (2.5, 5.0, 10.0, 40.0):
        distance = np.abs(bar.astype(int) - scale.colors(np.array([[value]]))[0, 0]).sum(axis=1)
        assert distance.min() <= 10, f"{value} m is not on the legend"
    assert np.array_equal(panel[-100:], np.zeros((100, 800, 3)))


@pytest.mark.parametrize(
    ("height", "width", "stacked"),
    [(375, 1242, True), (480, 640, False), (37, 124, True), (2160, 3840, False)],
)
def test_figure_stacks_wide_panels_and_fits_a_screen(height, width, stacked):
    figure = prediction_figure(
        np.zeros((height, width, 3), np.uint8), np.full((height, width), 9.0), np.full((height, width), 1.0)
    )
    assert figure.dtype == np.uint8
    assert figure.shape[0] % 2 == figure.shape[1] % 2 == 0
    panel_width = figure.shape[1] if stacked else figure.shape[1] // 3
    assert 480 <= panel_width <= 1280


def test_withheld_pixels_are_named_where_there_are_any():
    image = np.zeros((480, 640, 3), np.uint8)
    depth, sigma = np.full((480, 640), 9.0), np.full((480, 640), 1.0)
    whole = prediction_figure(image, depth, sigma)
    depth[:100] = np.nan
    figure = prediction_figure(image, depth, sigma)
    strip = slice(0, figure.shape[0] - 480)
    panel = slice(640, 1280)  # of depth
    # A colour swatch next to the title, absent without such pixels.
    grey = (figure[strip, panel] == UNKNOWN_COLOR).all(-1)
    assert grey.sum() > 50
    assert not (whole[strip, panel] == UNKNOWN_COLOR).all(-1).any()
    assert np.array_equal(figure[strip, :640], whole[strip, :640])
    assert not grey[:, 320:].any()  # the colour legend is unchanged
