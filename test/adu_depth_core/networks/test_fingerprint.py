import pytest

pytest.importorskip("torch")

import torch

from adu_depth_core.datasets.faults import FAULTS
from adu_depth_core.networks.fingerprint import FAULT_DIRECTIONS, Fingerprint

CHANNELS = (48, 80)


def features(count, seed=0, scale=1.0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return [
        shift + scale * torch.randn(count, channels, size, size, generator=generator)
        for channels, size in zip(CHANNELS, (16, 8), strict=True)
    ]


@pytest.fixture(scope="module")
def fitted():
    fingerprint = Fingerprint(CHANNELS)
    describe = fingerprint.statistics
    faulty = []
    for index in range(FAULT_DIRECTIONS):
        spoilt = features(60)
        spoilt[0][:, index] += 0.3
        faulty.append(describe(spoilt))
    fingerprint.fit(describe(features(600)), describe(features(60)), faulty)
    return fingerprint


def test_statistics_are_means_and_deviations_of_each_channel():
    maps = features(2)
    statistics = Fingerprint(CHANNELS).statistics(maps)
    assert statistics.shape == (2, 256)
    assert torch.allclose(statistics[:, 48:128], maps[1].mean((2, 3)), atol=1e-6)
    assert torch.allclose(statistics[:, 128:176], maps[0].std((2, 3), correction=0), atol=1e-3)


def test_familiar_inputs_have_novelty_one_and_unit_variance_along_faults(fitted):
    familiar = fitted(features(600))
    assert familiar.shape == (600, 1 + FAULT_DIRECTIONS)
    assert familiar[:, 0].mean().item() == pytest.approx(1.0, rel=1e-3)
    assert torch.allclose(familiar[:, 1:].std(0), torch.ones(FAULT_DIRECTIONS), rtol=1e-2)


def test_unfamiliar_inputs_are_far(fitted):
    assert fitted(features(20, seed=1, scale=1.5))[:, 0].min() > 3.0


def test_each_fault_is_found_along_its_own_direction(fitted):
    for index in range(FAULT_DIRECTIONS):
        spoilt = features(40, seed=2)
        spoilt[0][:, index] += 0.3
        distances = fitted(spoilt)[:, 1:]
        assert (distances.argmax(1) == index).float().mean() > 0.9
        assert distances[:, index].median() > 3.0


def test_an_unfitted_fingerprint_says_nothing():
    assert (Fingerprint(CHANNELS)(features(3)) == 0).all()


def test_there_is_a_direction_for_each_fault_that_is_trained_with():
    assert len(FAULTS) == FAULT_DIRECTIONS


def test_too_few_images_and_too_few_faults_are_refused():
    fingerprint = Fingerprint(CHANNELS)
    few = fingerprint.statistics(features(20))
    with pytest.raises(ValueError, match="20 images are too few"):
        fingerprint.fit(few, few, [few] * FAULT_DIRECTIONS)
    with pytest.raises(ValueError, match="2 faults instead of 8"):
        fingerprint.fit(fingerprint.statistics(features(200)), few, [few] * 2)
