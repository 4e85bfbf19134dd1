"""Fit of a student's fingerprint on its training data, and of the growth of sigma with novelty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.faults import FAULTS
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.evaluation.benchmarks import Benchmark
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.uncertainty import image_sigma_scale
from adu_depth_core.inference.checkpoint_predictor import load_checkpoint_predictor
from adu_depth_core.inference.network_size import fit_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.student import Student
from adu_depth_core.progress import progress_bar
from adu_depth_core.training.normalisation import normalised

VIEWS = 800
"""Training views that the fingerprint is fitted on, beside whole frames."""

FRAMES = 20
"""Whole frames of each source that the fingerprint is fitted on; half of them also with each fault."""

FAULT_THRESHOLD = 4.5
"""Standard deviations in the direction of a fault beyond which an image counts as having it."""

MARGIN = 1.1
"""Novelty relative to that of the most novel frame of the training rig from which an image is unfamiliar."""

MAX_GROWTH = 3.0

NEUTRAL = {"threshold": 1e6, "fault_threshold": 1e6, "sigma_growth": 0.0, "reference": 1.0}
"""The ``novelty`` entry of a card before it is fitted: nothing is unfamiliar, sigma does not grow."""


def fit_fingerprint(
    network: Student,
    card: ModelCard,
    views: Sequence[dict[str, torch.Tensor]],
    datasets: Sequence[Sequence[Sample]],
    seed: int = 0,
) -> None:
    """Fit the network's fingerprint on its training data, as views and as inference will see whole frames.

    :param network: trained, on the CPU; its fingerprint is changed in place
    :param card: its card
    :param views: training views by position (``data.TrainingViews``); those with faults are left out
    :param datasets: the sources' frames
    """
    random = np.random.default_rng(seed)
    network.eval()

    def describe(image: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return network.fingerprint.statistics(network.encoder(image))

    def frame(image: np.ndarray, camera: Camera) -> torch.Tensor:
        size = fit_network_size(camera, card)
        seen = Preprocessor(card, size)(image, Placement.fit(camera, size))
        return describe(torch.from_numpy(seen.image))

    familiar, sound, faulty = [], [], [[] for _ in FAULTS]
    with progress_bar("images") as bar:
        for position in bar.track(range(VIEWS), description="Fitting the fingerprint to views"):
            # Far from the positions used in training, so that the crops are others of the same frames.
            view = views[1_000_000 + position]
            if not view.get("fault", torch.tensor(False)):
                familiar.append(describe(normalised(view["image"][None], card)))
        number = sum(min(FRAMES, len(dataset)) for dataset in datasets)
        task = bar.add_task("Fitting the fingerprint to frames", total=number)
        for dataset in datasets:
            for count, index in enumerate(random.permutation(len(dataset))[:FRAMES]):
                sample = dataset[int(index)]
                familiar.append(frame(sample.left, sample.camera))
                bar.advance(task)
                if count % 2:
                    continue
                sound.append(familiar[-1])
                for statistics, fault in zip(faulty, FAULTS, strict=True):
                    statistics.append(frame(fault(sample.left, random), sample.camera))
    network.fingerprint.fit(torch.cat(familiar), torch.cat(sound), [torch.cat(each) for each in faulty])


def measure_novelty(
    weights: Path, home: Sequence[Benchmark], away: Sequence[Benchmark] = ()
) -> dict[str, float]:
    """``fit_novelty`` of a trained student on labelled frames.

    :param weights: its safetensors file; the card beside it has the ``NEUTRAL`` entry
    :param home: frames of the training rig
    :param away: frames of each other rig
    """
    predictor, protocol = load_checkpoint_predictor(weights), Protocol()

    def look(sample: Sample) -> tuple[float, float]:
        prediction = predictor.predict(sample.left, sample.camera)
        depth, mask = protocol.clamp(prediction.depth), protocol.mask(sample.depth)
        return prediction.novelty, image_sigma_scale(depth, prediction.sigma, sample.depth, mask)

    def rig(*benchmarks: Benchmark) -> list[tuple[float, float]]:
        return [look(sample) for frames in benchmarks for sample in frames.samples]

    return fit_novelty(rig(*home), [rig(frames) for frames in away])


def fit_novelty(
    home: Sequence[tuple[float, float]], away: Sequence[Sequence[tuple[float, float]]]
) -> dict[str, float]:
    """The ``novelty`` entry of a card: reference, growth of sigma, and thresholds.

    Each frame has a factor by which sigma must be scaled for 68.3 % of the pixels to have |error| <= sigma.
    Its mean on the training rig is the card's ``sigma_scale``. The growth is the slope of the additional
    factor on other rigs over the novelty, both logarithmic: a line through the training rig, fitted by least
    squares with equal weight for each rig; 0 if sigma need not grow, or without other rigs.

    :param home: novelty and factor of labelled frames of the training rig that were not trained on
    :param away: the same for each other rig
    """
    novelties, factors = np.array(home).T
    reference, scale = float(np.median(novelties)), float(np.exp(np.log(factors).mean()))
    products, squares = 0.0, 0.0
    for rig in away:
        others, needed = np.array(rig).T
        x = np.log(np.maximum(others, reference) / reference)
        products += (x * np.log(needed / scale)).mean()
        squares += (x * x).mean()
    growth = float(np.clip(products / squares, 0.0, MAX_GROWTH)) if squares > 0 else 0.0
    return {
        "threshold": round(MARGIN * float(novelties.max()), 4),
        "fault_threshold": FAULT_THRESHOLD,
        "sigma_growth": round(growth, 4),
        "reference": round(reference, 4),
    }
