"""Training views from the configured sources, held in memory, and their mixture."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from adu_depth_core.datasets.augmentation import Augmentation
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.views import View, views_of
from adu_depth_core.model_card import ModelCard
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.sources import open_source

logger = logging.getLogger(__name__)


class TrainingViews(Dataset):
    """All views of all sources, augmented and normalised; each index gives a new variation every epoch.

    :ivar weights: sampling weight of each view, so that each source has its configured share
    """

    def __init__(self, config: TrainingConfig, card: ModelCard) -> None:
        self.augmentation = Augmentation(
            config.input_height,
            config.crop_width,
            max_zoom=config.max_zoom,
            zoom_probability=config.zoom_probability,
            photometric=config.photometric,
        )
        self.card = card
        self.views: list[View] = []
        self.weights: list[float] = []
        for source in config.sources:
            views = [view for sample in _samples(open_source(source)) for view in views_of(sample)]
            logger.info("%s: %d views, weight %g", source.path, len(views), source.weight)
            self.views += views
            self.weights += [source.weight / len(views)] * len(views)

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        seed = int(torch.randint(2**31, ()))
        view = self.augmentation(self.views[index], np.random.default_rng(seed))
        return to_tensors(view, self.card)


def _samples(dataset: Sequence[Sample]) -> Iterator[Sample]:
    return (dataset[index] for index in range(len(dataset)))


def to_tensors(view: View, card: ModelCard) -> dict[str, torch.Tensor]:
    """Network input and target of a view that has the network's size.

    :return: ``image`` ``(3, H, W)`` float32 normalised RGB; ``depth`` ``(1, H, W)`` float32
        canonical metres, 0 unknown, +inf beyond range
    """
    image = (view.image.astype(np.float32) / 255.0 - np.float32(card.mean)) / np.float32(card.std)
    canonical = view.depth * np.float32(card.f_ref / view.camera.fx)
    return {
        "image": torch.from_numpy(image.transpose(2, 0, 1).copy()),
        "depth": torch.from_numpy(canonical)[None],
    }


def training_loader(config: TrainingConfig, card: ModelCard, workers: int) -> DataLoader:
    """Endless-enough loader of ``config.steps`` batches, the sources mixed by weight."""
    views = TrainingViews(config, card)
    generator = torch.Generator().manual_seed(config.seed)
    sampler = WeightedRandomSampler(views.weights, config.steps * config.batch_size, generator=generator)
    return DataLoader(
        views,
        batch_size=config.batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=generator,
    )
