"""Supervision of matching scores."""

import pytest

pytest.importorskip("torch")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.losses.matching import matching_loss
from adu_depth_core.networks.correlation import soft_argmin


def entropy(scores, disparity):
    valid = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    return matching_loss(scores, torch.full((1, 1, 1, 1), disparity), valid)


@settings(max_examples=20, deadline=None)
@given(disparity=st.floats(0.0, 9.0))
def test_the_scores_with_the_least_loss_give_the_true_disparity_to_a_fraction(disparity):
    scores = torch.zeros(1, 10, 1, 1, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.3)
    for _ in range(150):
        optimizer.zero_grad()
        entropy(scores, disparity).backward()
        optimizer.step()
    found, confidence = soft_argmin(scores.detach())
    assert float(found) == pytest.approx(disparity, abs=0.02)
    assert float(confidence) > 0.98


def test_pixels_without_truth_or_out_of_the_range_do_not_count():
    truth = torch.tensor([4.0, 4.0, 25.0]).view(1, 1, 1, 3)
    valid = torch.tensor([True, False, True]).view(1, 1, 1, 3)
    scores = torch.randn(1, 10, 1, 3, requires_grad=True)
    matching_loss(scores, truth, valid).backward()
    assert scores.grad[..., 0].abs().sum() > 0
    assert not scores.grad[..., 1:].any()
    assert float(matching_loss(scores.detach(), truth, torch.zeros_like(valid))) == 0.0
