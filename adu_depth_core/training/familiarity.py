"""What a student is told of its training data when it is trained, and how its sigma grows away from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.student import Student
from adu_depth_core.progress import progress_bar

VIEWS = 800
"""Training views that the fingerprint is fitted on, beside whole frames."""

FRAMES = 20
"""Whole frames of each source, likewise; half of them are also shown with each fault."""

FAULT_THRESHOLD = 4.0
"""Standard deviations in the direction of a fault from which an image is said to have it."""

MARGIN = 1.1
"""How much novelty beyond the most novel calibration frame is unfamiliar."""

MAX_GROWTH = 3.0

NEUTRAL = {"threshold": 1e6, "fault_threshold": 1e6, "sigma_growth": 0.0, "reference": 1.0}
"""The ``novelty`` entry of a card before it is fitted: nothing is unfamiliar, sigma does not grow."""


def fit_fingerprint(
    network: Student,
    card: ModelCard,
    views: Sequence[dict[str, torch.Tensor]],
    datasets: Iterable[Sequence[Sample]],
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
    with progress_bar() as bar:
        for position in bar.track(range(VIEWS), description="Describing training views"):
            # Far from the positions that were trained on: other crops of the same frames.
            view = views[1_000_000 + position]
            if not view.get("fault", torch.tensor(False)):
                familiar.append(describe(view["image"][None]))
        for dataset in bar.track(list(datasets), description="Describing training frames"):
            for count, index in enumerate(random.permutation(len(dataset))[:FRAMES]):
                sample = dataset[int(index)]
                familiar.append(frame(sample.left, sample.camera))
                if count % 2:
                    continue
                sound.append(familiar[-1])
                for statistics, fault in zip(faulty, FAULTS, strict=True):
                    statistics.append(frame(fault(sample.left, random), sample.camera))
    network.fingerprint.fit(torch.cat(familiar), torch.cat(sound), [torch.cat(each) for each in faulty])


def measure_novelty(weights: Path, calibration: Sequence[Benchmark]) -> dict[str, float]:
    """``fit_novelty`` of a trained student on labelled frames.

    :param weights: its safetensors file; the card beside it has the ``NEUTRAL`` entry
    :param calibration: frames of each rig, those of the training rig first
    """
    predictor, protocol = load_checkpoint_predictor(weights), Protocol()

    def unit_scale(sample: Sample, prediction: Prediction) -> float:
        depth, mask = protocol.clamp(prediction.depth), protocol.mask(sample.depth)
        return image_sigma_scale(depth, prediction.sigma, sample.depth, mask)

    rigs = [frames.samples for frames in calibration]
    return fit_novelty(lambda sample: predictor.predict(sample.left, sample.camera), unit_scale, rigs)


def fit_novelty(
    predict: Callable[[Sample], Prediction],
    unit_scale: Callable[[Sample, Prediction], float],
    rigs: Sequence[Iterable[Sample]],
) -> dict[str, float]:
    """The ``novelty`` entry of a card: reference, growth of sigma, and what is unfamiliar.

    On each frame sigma would have to be scaled by some factor for 68.3 % of the pixels to lie within it. The
    growth is the slope of that factor's logarithm over the logarithm of novelty, by least squares, each rig
    with the same weight; none if sigma need not grow, or there is one rig only.

    :param predict: depth, sigma and novelty of a frame, without growth
    :param unit_scale: the factor of a frame
    :param rigs: labelled frames that were not trained on, those of the training rig first
    """
    novelties, factors, weights = [], [], []
    for samples in rigs:
        first = len(novelties)
        for sample in samples:
            prediction = predict(sample)
            novelties.append(prediction.novelty)
            factors.append(unit_scale(sample, prediction))
        if not weights:
            reference = float(np.median(novelties))
        weights += [1.0 / (len(novelties) - first)] * (len(novelties) - first)
    x = np.log(np.maximum(novelties, reference) / reference)
    growth = 0.0
    # Within one rig the slope would be that of a few frames' chance.
    if x.max() > 0 and len(rigs) > 1:
        slope = np.polyfit(x, np.log(factors), 1, w=np.sqrt(weights))[0]
        growth = float(np.clip(slope, 0.0, MAX_GROWTH))
    return {
        "threshold": round(MARGIN * max(novelties), 4),
        "fault_threshold": FAULT_THRESHOLD,
        "sigma_growth": round(growth, 4),
        "reference": round(reference, 4),
    }
