"""Fit of a student's fingerprint on its training data, and of the growth of sigma with novelty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.faults import FAULTS
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.evaluation.benchmarks import Benchmark
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.uncertainty import ONE_SIGMA, counted_pixels
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
GROWTHS = np.round(np.arange(0.0, MAX_GROWTH, 0.01), 2)
"""Powers of novelty that are tried."""

LEVELS = np.linspace(0.0, 1.0, 101)

NEUTRAL = {"threshold": 1e6, "fault_threshold": 1e6, "sigma_growth": 0.0, "reference": 1.0}
"""The ``novelty`` entry of a card before it is fitted: nothing is unfamiliar, sigma does not grow."""


class LabelledFrame(NamedTuple):
    """A frame with ground truth, for the fit of sigma's growth.

    :param ratios: quantiles of |error| / sigma over its pixels, at ``LEVELS``
    """

    novelty: float
    ratios: np.ndarray


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

    def look(sample: Sample) -> LabelledFrame:
        prediction = predictor.predict(sample.left, sample.camera)
        depth, mask = protocol.clamp(prediction.depth), protocol.mask(sample.depth)
        depth, sigma, truth = counted_pixels(mask, depth=depth, sigma=prediction.sigma, truth=sample.depth)
        return LabelledFrame(prediction.novelty, np.quantile(np.abs(depth - truth) / sigma, LEVELS))

    def rig(*benchmarks: Benchmark) -> list[LabelledFrame]:
        return [look(sample) for frames in benchmarks for sample in frames.samples]

    return fit_novelty(rig(*home), [rig(frames) for frames in away])


def fit_novelty(home: Sequence[LabelledFrame], away: Sequence[Sequence[LabelledFrame]]) -> dict[str, float]:
    """The ``novelty`` entry of a card: reference, growth of sigma, and thresholds.

    Each frame has a factor by which sigma must be scaled for 68.3 % of the pixels to have |error| <= sigma.
    The growth is the smallest with which 68.3 % of the pixels of other rigs do, sigma being scaled by the
    factors' geometric mean on the training rig, with equal weight for each rig and each of its frames; at
    most ``MAX_GROWTH``, and 0 without other rigs, or if it does not help there. The card's ``sigma_scale``
    is the arithmetic mean, some per cent larger, so that slightly more are within sigma.

    :param home: labelled frames of the training rig that were not trained on
    :param away: the same for each other rig
    """
    novelties = np.array([frame.novelty for frame in home])
    reference = float(np.median(novelties))
    factors = np.array([np.interp(ONE_SIGMA, LEVELS, frame.ratios) for frame in home])

    def grown(frame: LabelledFrame, growth: float) -> float:
        return float((max(frame.novelty, reference) / reference) ** growth)

    def share(growth: float) -> float:
        at_home = [grown(frame, growth) for frame in home]
        scale = np.exp(np.mean(np.log(factors / at_home)))
        rigs = [
            [np.interp(scale * grown(frame, growth), frame.ratios, LEVELS) for frame in rig] for rig in away
        ]
        return float(np.mean([np.mean(shares) for shares in rigs]))

    growth = 0.0
    if away and share(MAX_GROWTH) > share(0.0):
        enough = (power for power in GROWTHS if share(power) >= ONE_SIGMA)
        growth = float(next(enough, MAX_GROWTH))
    return {
        "threshold": round(MARGIN * float(novelties.max()), 4),
        "fault_threshold": FAULT_THRESHOLD,
        "sigma_growth": growth,
        "reference": round(reference, 4),
    }
