"""Conversion of network outputs to metres for the given camera."""

import dataclasses
import math

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.backends.base import NetworkOutput
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.model_card import ModelCard

CARD = ModelCard("m", "student", "none", 32, 64, f_ref=100.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.2)


def full(value):
    return np.full((32, 64), value, np.float32)


def predict(mu, log_b, camera, output_size="image", fingerprint=None, card=CARD):
    output = NetworkOutput(mu, log_b, fingerprint)
    return postprocess(output, Placement.fit(camera, (32, 64)), card, output_size)


def test_depth_and_sigma_by_hand():
    # 64x128 image on a 32x64 input: f_net = 300 / 2 = 150, so depth = 10 * 150 / 100 = 15 m,
    # sigma = 1.2 * 0.1 * 15 = 1.8 m
    camera = Camera(300.0, 300.0, 63.5, 31.5, 128, 64)
    prediction = predict(full(math.log(10)), full(math.log(0.1)), camera)
    assert prediction.depth.shape == prediction.sigma.shape == (64, 128)
    assert prediction.depth.dtype == prediction.sigma.dtype == np.float32
    np.testing.assert_allclose(prediction.depth, 15.0, rtol=1e-6)
    np.testing.assert_allclose(prediction.sigma, 1.8, rtol=1e-6)
    assert prediction.camera == camera


def test_network_size_gives_the_map_without_border_and_its_camera():
    camera = Camera(300.0, 300.0, 63.5, 63.5, 128, 128)  # square: 32x32 centred in 32x64
    mu = full(0.0)
    mu[:, 16:48] = math.log(10)
    prediction = predict(mu, full(-2.0), camera, "network")
    assert prediction.camera == camera.resize(32, 32)
    np.testing.assert_allclose(prediction.depth, np.full((32, 32), 10 * 75 / 100), rtol=1e-6)


@pytest.mark.parametrize(("mu", "expected"), [(-50.0, 1.0), (50.0, 80.0)])
def test_depth_stays_exactly_within_the_cards_range(mu, expected):
    prediction = predict(full(mu), full(-2.0), Camera(113.0, 113.0, 50, 20, 101, 43))
    assert np.all(prediction.depth == np.float32(expected))
    assert np.all(np.isfinite(prediction.sigma))


def test_not_a_number_stays_not_a_number():
    prediction = predict(full(np.nan), full(-2.0), Camera(100.0, 100.0, 32, 16, 64, 32))
    assert np.all(np.isnan(prediction.depth))


def test_predictions_do_not_share_memory():
    camera = Camera(100.0, 100.0, 32, 16, 128, 64)
    first = predict(full(1.0), full(-2.0), camera)
    kept = first.depth.copy(), first.sigma.copy()
    predict(full(2.0), full(-1.0), camera)
    assert np.array_equal(first.depth, kept[0])
    assert np.array_equal(first.sigma, kept[1])


NOVELTY = {"threshold": 10.0, "fault_threshold": 5.0, "sigma_growth": 0.5, "reference": 2.0}


@pytest.mark.parametrize(
    ("novelty", "growth", "unfamiliar"),
    [(0.5, 1.0, False), (2.0, 1.0, False), (8.0, 2.0, False), (18.0, 3.0, True)],
)
def test_sigma_grows_with_the_novelty_beyond_the_cards_reference(novelty, growth, unfamiliar):
    """Reference 2, exponent 1/2: four times the reference doubles sigma, nine times triples it."""
    card = dataclasses.replace(CARD, novelty=NOVELTY)
    fingerprint = np.array([novelty, 0.0, -9.0], np.float32)
    camera = Camera(100.0, 100.0, 31.5, 15.5, 64, 32)
    maps = full(math.log(10)), full(math.log(0.1)), camera
    prediction = predict(*maps, fingerprint=fingerprint, card=card)
    np.testing.assert_allclose(prediction.sigma, growth * 1.2 * 0.1 * 10, rtol=1e-5)
    np.testing.assert_allclose(prediction.depth, 10.0, rtol=1e-5)
    assert prediction.novelty == pytest.approx(novelty, rel=1e-5)
    assert prediction.unfamiliar is unfamiliar


def test_without_entries_in_the_card_novelty_is_unknown():
    camera = Camera(100.0, 100.0, 31.5, 15.5, 64, 32)
    prediction = predict(full(1.0), full(-1.0), camera, fingerprint=np.full(3, 9.0, np.float32))
    assert (prediction.novelty, prediction.unfamiliar) == (None, False)


def test_no_depth_lies_in_mid_air_between_two_surfaces():
    mu = full(math.log(10.0))
    mu[:, 32:] = math.log(30.0)
    prediction = predict(mu, full(-2.0), Camera(400.0, 400.0, 127.5, 63.5, 256, 128))
    assert set(np.unique(prediction.depth.round(3))) == {10.0, 30.0}


def test_a_slope_is_interpolated():
    mu = np.broadcast_to(np.linspace(1.0, 2.0, 64, dtype=np.float32), (32, 64))
    prediction = predict(mu.copy(), full(-2.0), Camera(400.0, 400.0, 127.5, 63.5, 256, 128))
    assert len(np.unique(prediction.depth[64])) > 200


def test_unknown_output_size_is_refused():
    with pytest.raises(ValueError, match="must be one of image, network"):
        predict(full(0.0), full(0.0), Camera(100.0, 100.0, 32, 16, 64, 32), "half")
