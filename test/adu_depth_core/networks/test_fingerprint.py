import pytest

pytest.importorskip("torch")

import torch

from adu_depth_core.networks.fingerprint import COMPONENTS, Fingerprint


def features(count, scale=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        scale * torch.randn(count, channels, size, size, generator=generator)
        for channels, size in ((48, 16), (80, 8))
    ]


@pytest.fixture
def fitted():
    fingerprint = Fingerprint((48, 80))
    fingerprint.fit(fingerprint.statistics(features(600)))
    return fingerprint


def test_statistics_are_means_and_deviations_of_each_channel():
    maps = features(2)
    statistics = Fingerprint((48, 80)).statistics(maps)
    assert statistics.shape == (2, 256)
    assert torch.allclose(statistics[:, 48:128], maps[1].mean((2, 3)), atol=1e-6)
    assert torch.allclose(statistics[:, 128:176], maps[0].std((2, 3), correction=0), atol=1e-3)


def test_familiar_inputs_have_components_of_unit_variance(fitted):
    familiar = fitted(features(600))
    assert familiar.shape == (600, COMPONENTS)
    assert torch.allclose(familiar.mean(0), torch.zeros(COMPONENTS), atol=1e-4)
    assert familiar.square().mean().item() == pytest.approx(1.0, rel=0.01)


def test_unfamiliar_inputs_are_far(fitted):
    assert fitted(features(20, scale=2.0, seed=1)).square().mean() > 10.0


def test_an_unfitted_fingerprint_says_nothing():
    assert (Fingerprint((48, 80))(features(3)) == 0).all()


def test_too_few_views_are_refused():
    fingerprint = Fingerprint((48, 80))
    with pytest.raises(ValueError, match="20 views are too few"):
        fingerprint.fit(fingerprint.statistics(features(20)))
