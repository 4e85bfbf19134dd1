"""The growth of sigma with novelty, from frames of several rigs."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")


import torch

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.faults import FAULTS
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.evaluation.uncertainty import QUANTILE
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.student import Student
from adu_depth_core.training.familiarity import (
    FAULT_THRESHOLD,
    LEVELS,
    MARGIN,
    MAX_GROWTH,
    LabelledFrame,
    fit_fingerprint,
    fit_novelty,
)

CARD = ModelCard("s", "student", "tf_efficientnet_lite0", 64, 96, 100.0, 1.0, 80.0, sigma_scale=1.0)
CAMERA = Camera(100.0, 100.0, 47.5, 31.5, 96, 64)


def frame(novelty, factor):
    """A frame with Laplace errors whose sigma must be scaled by a factor."""
    ratios = -np.log1p(-np.minimum(LEVELS, 0.9999)) / QUANTILE
    return LabelledFrame(novelty, factor * ratios)


HOME = [frame(0.55, 0.9), frame(0.5, 0.9), frame(0.55, 0.9)]


def test_growth_is_the_power_of_novelty_with_which_most_pixels_elsewhere_are_within_sigma():
    away = [[frame(1.1, 0.9 * 2**1.5)], [frame(2.2, 0.9 * 4**1.5)]]
    assert fit_novelty(HOME, away) == {
        "threshold": round(0.55 * MARGIN, 4),
        "fault_threshold": FAULT_THRESHOLD,
        "sigma_growth": pytest.approx(1.5, abs=0.011),
        "reference": 0.55,
    }


def test_growth_makes_up_for_the_smaller_scale_that_it_gives_sigma_at_home():
    home = [frame(0.5, 1.0), frame(0.5, 1.0), frame(1.0, 1.0)]
    away = [[frame(2.0, 8.0)]]
    # scale = 2 ** (-growth / 3) is the mean over the frames at home, scale * 4 ** growth = 8
    assert fit_novelty(home, away)["sigma_growth"] == pytest.approx(9 / 5, abs=0.011)


@pytest.mark.parametrize("away", [[], [[frame(1.2, 0.8), frame(1.5, 0.7)]], [[frame(0.3, 5.0)]]])
def test_sigma_that_is_right_elsewhere_or_where_novelty_does_not_show_the_rig_does_not_grow(away):
    assert fit_novelty(HOME, away)["sigma_growth"] == 0.0


def test_growth_has_a_limit_where_no_power_is_enough():
    assert fit_novelty(HOME, [[frame(0.6, 5.0)]])["sigma_growth"] == MAX_GROWTH


def test_rigs_weigh_the_same_however_many_frames_they_have():
    one, other = frame(1.1, 3.0), frame(2.2, 1.2)
    few, many = fit_novelty(HOME, [[one], [other]]), fit_novelty(HOME, [[one], [other] * 50])
    assert few == many


def test_a_fitted_fingerprint_knows_frames_and_faults(capsys):
    random = np.random.default_rng(0)
    base = random.integers(0, 256, (8, 12, 3)).astype(np.float32)

    def picture(seed):
        noise = np.random.default_rng(seed).normal(0, 20, base.shape)
        small = np.clip(base + noise, 0, 255).astype(np.uint8)
        return np.kron(small, np.ones((8, 8, 1), np.uint8))

    frames = [Sample(str(i), picture(i), None, None, CAMERA, None) for i in range(20)]
    torch.manual_seed(0)
    network = Student().eval()

    class Views:
        def __getitem__(self, position):
            image = picture(1000 + position % 150).transpose(2, 0, 1).copy()
            return {"image": torch.from_numpy(image), "fault": torch.tensor(False)}

    fit_fingerprint(network, CARD, Views(), [frames, frames[:3]])
    assert "Fitting the fingerprint to frames: 23/23 images" in capsys.readouterr().err

    def look(image):
        values = (image.astype(np.float32) / 255.0 - np.float32(CARD.mean)) / np.float32(CARD.std)
        tensor = torch.from_numpy(values.transpose(2, 0, 1).copy())[None]
        with torch.inference_mode():
            return network(tensor, torch.tensor([[100.0, 100.0, 47.5, 31.5]]))[2][0].numpy()

    sound = np.array([look(picture(seed)) for seed in range(500, 520)])
    assert np.median(sound[:, 0]) < 3.0
    for number, fault in enumerate(FAULTS):
        spoilt = np.array([look(fault(picture(seed), random)) for seed in range(500, 520)])
        moved = np.median(spoilt[:, 1 + number]) - np.median(sound[:, 1 + number])
        assert moved > FAULT_THRESHOLD, fault
