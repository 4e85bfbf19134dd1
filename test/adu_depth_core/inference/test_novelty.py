"""Novelty is about 1 for a familiar input, and only what is beyond the card's reference makes sigma grow."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.inference.novelty import novelty, sigma_growth
from adu_depth_core.model_card import ModelCard

CARD = ModelCard("m", "student", "none", 32, 64, f_ref=100.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.2)


def test_a_whitened_fingerprint_of_familiar_inputs_has_novelty_one():
    fingerprints = np.random.default_rng(0).standard_normal((500, 64)).astype(np.float32)
    assert np.mean([novelty(fingerprint) for fingerprint in fingerprints]) == pytest.approx(1.0, abs=0.05)


def test_novelty_by_hand():
    assert novelty(np.array([3.0, 4.0, 0.0, 0.0], np.float32)) == pytest.approx(25 / 4)


@given(value=st.floats(0, 1e6), exponent=st.floats(0, 3), reference=st.floats(0.1, 10))
def test_sigma_never_shrinks_and_grows_with_novelty(value, exponent, reference):
    entries = {"threshold": 3.0, "sigma_growth": exponent, "reference": reference}
    card = dataclasses.replace(CARD, novelty=entries)
    growth = sigma_growth(value, card)
    assert growth >= 1.0
    assert sigma_growth(2 * value, card) >= growth
    if value <= reference:
        assert growth == 1.0
