"""Simulated drives with predictions of a model with a known fault."""

from collections.abc import Callable

import numpy as np
import pytest

from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.observation import Observation


@pytest.fixture(scope="session")
def card() -> ModelCard:
    """Novelty settings of a model that reports novelty."""
    novelty = {"threshold": 2.0, "fault_threshold": 4.0, "sigma_growth": 1.0, "reference": 1.0}
    return ModelCard("m", "student", "none", 32, 64, 100.0, 1.0, 100.0, 1.0, novelty=novelty)


@pytest.fixture(scope="session")
def drive() -> Callable[..., list[Observation]]:
    """Makes frames a second apart, of 400 pixels.

    ``fault(truth, slope)`` is predicted over true depth; ``noise`` the Laplace scale of errors in log depth,
    ``sigma`` the predicted relative sigma, ``wobble`` the standard deviation of a random factor per frame.
    """

    def make(fault=None, frames=60, noise=0.05, sigma=0.06, wobble=0.0, novelty=1.0, outliers=0.0, seed=0):
        rng = np.random.default_rng(seed)
        made = []
        for number in range(frames):
            truth = np.exp(rng.uniform(np.log(3), np.log(70), 400))
            slope = rng.uniform(-0.1, 0.3, 400)
            log = rng.laplace(0, noise, 400) + rng.normal(0, wobble)
            log += np.where(rng.random(400) < outliers, 1.5, 0)
            depth = truth * np.exp(log) * (1.0 if fault is None else fault(truth, slope))
            arrays = (depth, truth, slope, rng.random(400), np.full(400, sigma))
            made.append(Observation(float(number), 0, *(a.astype(np.float32) for a in arrays), novelty))
        return made

    return make
