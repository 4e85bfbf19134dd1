"""Novelty is about 1 for a familiar input; sigma grows only beyond the card's reference."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.inference.novelty import MOST, is_unfamiliar, novelty, sigma_growth
from adu_depth_core.model_card import ModelCard

CARD = ModelCard("m", "student", "none", 32, 64, f_ref=100.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.2)


ENTRIES = {"threshold": 3.0, "fault_threshold": 5.0, "sigma_growth": 0.5, "reference": 1.0}


@pytest.mark.parametrize(
    ("fingerprint", "expected"),
    [([2.9, 4.9, -9.0], False), ([3.1, 0.0, 0.0], True), ([1.0, 0.0, 5.1], True)],
)
def test_far_from_the_training_data_or_along_a_fault_is_unfamiliar(fingerprint, expected):
    card = dataclasses.replace(CARD, novelty=ENTRIES)
    values = np.array(fingerprint, np.float32)
    assert is_unfamiliar(values, card) is expected
    assert novelty(values) == pytest.approx(fingerprint[0])


@given(value=st.floats(0, 1e6), exponent=st.floats(0, 3), reference=st.floats(0.1, 10))
def test_sigma_never_shrinks_and_grows_with_novelty(value, exponent, reference):
    entries = {**ENTRIES, "sigma_growth": exponent, "reference": reference}
    card = dataclasses.replace(CARD, novelty=entries)
    growth = sigma_growth(value, card)
    assert growth >= 1.0
    assert growth <= sigma_growth(2 * value, card) <= MOST
    if value <= reference:
        assert growth == 1.0
