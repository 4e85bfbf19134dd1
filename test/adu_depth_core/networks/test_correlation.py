"""Stereo matching: the correct disparity wins, with subpixel accuracy."""

import pytest

pytest.importorskip("torch")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.networks.correlation import (
    Aggregation,
    correlation_volume,
    local_correlation,
    soft_argmin,
)


def shifted_pair(disparity, channels=16, height=4, width=24, seed=0):
    """Random features; pixel x of the left view is at x - disparity in the right one."""
    generator = torch.Generator().manual_seed(seed)
    wide = torch.randn(1, channels, height, width + disparity, generator=generator)
    return wide[..., :width], wide[..., disparity:]


@settings(max_examples=20, deadline=None)
@given(disparity=st.integers(0, 7), seed=st.integers(0, 100))
def test_the_true_disparity_correlates_fully(disparity, seed):
    left, right = shifted_pair(disparity, seed=seed)
    volume = correlation_volume(left, right, disparities=8, groups=4)
    assert volume.shape == (1, 4, 8, 4, 24)
    inside = volume[..., disparity:].mean(dim=1)
    assert torch.allclose(inside[:, disparity], torch.ones(()), atol=1e-5)
    assert bool((inside.argmax(dim=1) == disparity).all())


def test_matches_outside_the_right_view_have_no_correlation():
    left, right = shifted_pair(0)
    volume = correlation_volume(left, right, disparities=30, groups=2)
    assert not volume[:, :, 5, :, :5].any()
    assert not volume[:, :, 24:].any()


def test_brightness_and_contrast_of_a_view_do_not_matter():
    left, right = shifted_pair(3)
    assert torch.allclose(
        correlation_volume(left, right, 8, 4), correlation_volume(5 * left, 0.1 * right, 8, 4), atol=1e-5
    )


@pytest.mark.parametrize("disparity", [2.0, 3.25, 5.5])
def test_soft_argmin_finds_fractions_and_ignores_a_second_match(disparity):
    index = torch.arange(20.0).view(1, -1, 1, 1)
    first, second = ((1 - (index - centre).abs()).clamp(min=0) for centre in (disparity, 15.0))
    found, sure = soft_argmin(torch.log(first + 1e-9))
    assert float(found) == pytest.approx(disparity, abs=1e-3)
    assert float(sure) == pytest.approx(1.0, abs=1e-3)
    found, sure = soft_argmin(torch.log(0.7 * first + 0.3 * second + 1e-9))
    assert float(found) == pytest.approx(disparity, abs=1e-3)
    assert float(sure) == pytest.approx(0.7, abs=1e-3)


def test_local_correlation_peaks_in_the_middle_at_the_true_disparity():
    left, right = shifted_pair(4)
    cosines = local_correlation(left, right, torch.full((1, 1, 4, 24), 4.0), radius=2)
    assert cosines.shape == (1, 5, 4, 24)
    assert bool((cosines[..., 8:20].argmax(dim=1) == 2).all())
    one_less = local_correlation(left, right, torch.full((1, 1, 4, 24), 3.0), radius=2)
    assert bool((one_less[..., 8:20].argmax(dim=1) == 3).all())


def test_views_that_do_not_fit_are_named():
    left, right = shifted_pair(0)
    with pytest.raises(ValueError, match="views differ"):
        correlation_volume(left, right[..., 1:], 4, 4)
    with pytest.raises(ValueError, match="multiple of groups"):
        correlation_volume(left, right, 4, 5)


@pytest.mark.parametrize("size", [(6, 5, 7), (8, 6, 10)])
def test_aggregation_keeps_every_size(size):
    scores = Aggregation(4)(torch.randn(2, 4, *size))
    assert scores.shape == (2, *size)
