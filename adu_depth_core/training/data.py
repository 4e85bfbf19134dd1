"""Training views from the configured sources, their mixture, and the order in which they come."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.augmentation import Augmentation, mirror
from adu_depth_core.datasets.faults import faulty
from adu_depth_core.datasets.photometric import vary
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.views import SIDES, View, views_of
from adu_depth_core.datasets.virtual_camera import seen_by
from adu_depth_core.errors import UserError
from adu_depth_core.inference.network_size import check_network_size
from adu_depth_core.model_card import ModelCard
from adu_depth_core.progress import progress_bar
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.normalisation import normalised
from adu_depth_core.training.sources import SourceConfig, open_source
from adu_depth_core.training.teacher_predictions import TeacherPredictions

logger = logging.getLogger(__name__)

ATTEMPTS = 20
READERS = os.cpu_count() or 1
"""Threads that decode images; OpenCV does not hold Python's lock meanwhile."""

SEEN = 64
"""Frames of a source that are opened for their cameras: these differ little within one."""


class SourceViews:
    """The views of one source: read when asked for, or once and kept in memory.

    :param source: where they come from
    :param cache: keep them in memory
    :param predictions: of a teacher, added to the views; a pair then gives its left view only, without the
        right image
    """

    def __init__(
        self, source: SourceConfig, cache: bool, predictions: TeacherPredictions | None = None
    ) -> None:
        self.source = source
        self.predictions = predictions
        self.dataset = open_source(source)
        self.pairs = self.dataset[0].right is not None
        self._cached: list[View] | None = None
        if cache:
            views = [view for sample in self._all("Reading") for view in self._views(sample, SIDES)]
            if not views:
                raise UserError(f"source {source.path}: no frame has ground truth or a right view")
            self._cached = views
        elif predictions is not None:
            for sample in self._all("Predicting with the teacher:"):
                predictions.of(sample)
        if predictions is not None:
            self.predictions = predictions.without_teacher()

    def _all(self, doing: str) -> Iterator[Sample]:
        with progress_bar() as bar, ThreadPoolExecutor(READERS) as pool:
            task = bar.add_task(f"{doing} {self.source.path}", total=len(self.dataset))
            for start in range(0, len(self.dataset), READERS):
                # Not all at once: they may not fit into memory.
                indices = range(start, min(start + READERS, len(self.dataset)))
                for sample in pool.map(self.dataset.__getitem__, indices):
                    yield sample
                    bar.advance(task)

    def cameras(self) -> list[Camera]:
        """The cameras of its frames; of at most ``SEEN`` frames where these are not in memory."""
        if self._cached is not None:
            return [view.camera for view in self._cached]
        few = np.linspace(0, len(self.dataset) - 1, min(len(self.dataset), SEEN)).round()
        return [self.dataset[int(index)].camera for index in few]

    def draw(self, random: np.random.Generator) -> View:
        """A random view.

        :raises UserError: if frame after frame has nothing to learn from
        """
        if self._cached is not None:
            return self._cached[int(random.integers(len(self._cached)))]
        for _ in range(ATTEMPTS):
            sample = self.dataset[int(random.integers(len(self.dataset)))]
            for view in self._views(sample, [SIDES[int(random.integers(2))]]):
                return view
        raise UserError(
            f"source {self.source.path}: {ATTEMPTS} frames in a row have neither truth nor a right view"
        )

    def _views(self, sample: Sample, sides: Sequence[str]) -> list[View]:
        if self.predictions is None:
            return views_of(sample, self.source.labels, sides)
        taught = self.predictions.of(sample)
        if taught is None:
            return views_of(sample, self.source.labels, sides)
        return [replace(view, other=None, taught=taught) for view in views_of(sample, "none", ["left"])]


def read_sources(
    config: TrainingConfig, stereo: bool, predictions: TeacherPredictions | None = None
) -> list[SourceViews]:
    """The sources of a configuration.

    :param stereo: leave out those of single images
    :param predictions: see ``SourceViews``
    :raises UserError: if none is left
    """
    sources = [SourceViews(source, config.cache, predictions) for source in config.sources]
    if not stereo:
        return sources
    for source in sources:
        if not source.pairs:
            logger.warning("%s: single images, not used to train on pairs", source.source.path)
    pairs = [source for source in sources if source.pairs]
    if not pairs:
        raise UserError("none of the sources has a right view: a stereo teacher needs pairs")
    return pairs


class TrainingViews(Dataset):
    """An endless sequence of varied views.

    The view at a position depends on the seed and the position only, not on worker processes, on the
    number of machines, or on where a run was interrupted.

    :param mirroring: see ``Augmentation``; ``stereo`` where a stereo network looks at the views
    :param clean: add the views without photometric changes, for a teacher to look at: ``clean_image`` and
        ``clean_other``, ``mirrored`` where the other camera would otherwise not be to the right
    :raises UserError: if the size of a virtual camera does not fit the network
    """

    def __init__(
        self,
        config: TrainingConfig,
        card: ModelCard,
        sources: Sequence[SourceViews],
        mirroring: str,
        clean: bool,
    ) -> None:
        self.augmentation = Augmentation(
            config.input_height,
            config.crop_width,
            max_zoom=config.max_zoom,
            zoom_probability=config.zoom_probability,
            mirroring=mirroring,
            photometric=config.photometric,
        )
        self.card = card
        self.seed, self.batch_size = config.seed, config.batch_size
        self.sources = sources
        self.virtual, self.pixels = config.virtual_cameras, config.input_height * config.input_width
        if self.virtual is not None:
            for shape in self.virtual.shapes:
                try:
                    check_network_size(shape, card)
                except ValueError as error:
                    raise UserError(f"virtual_cameras: sizes: {error}") from error
        weights = np.array([source.source.weight for source in sources])
        self.shares = weights / weights.sum()
        self.clean = clean

    def __getitem__(self, position: int) -> dict[str, torch.Tensor]:
        random = np.random.default_rng((self.seed, position))
        source = self.sources[int(random.choice(len(self.sources), p=self.shares))]
        if self.virtual is not None:
            return self._by_virtual_camera(source.draw(random), position, random)
        view = self.augmentation.geometry(source.draw(random), random)
        tensors = to_tensors(self.augmentation.noise(view, random), self.card)
        if self.clean:
            mirrored = view.offset < 0
            clean = to_tensors(mirror(view) if mirrored else view, self.card)
            tensors |= {
                "clean_image": clean["image"],
                "clean_other": clean["other"],
                "baseline": clean["baseline"],
                "mirrored": torch.tensor(mirrored),
            }
        return tensors

    def draw_camera(
        self, random: np.random.Generator, of_source: Sequence[Sequence[Camera]]
    ) -> tuple[Camera, Camera]:
        """The camera of a frame at random, and that of a view of it, drawn as those that are trained on.

        :param of_source: for each source the cameras of its frames
        """
        cameras = of_source[int(random.choice(len(self.sources), p=self.shares))]
        camera = cameras[int(random.integers(len(cameras)))]
        if self.virtual is None:
            seen = camera.crop(*self.augmentation.window(camera, random))
            return camera, seen.resize(self.augmentation.width, self.augmentation.height)
        shape = self.virtual.shapes[int(random.integers(len(self.virtual.shapes)))]
        return camera, self.virtual.draw(camera, shape, self.pixels, random)[0]

    def _by_virtual_camera(
        self, view: View, position: int, random: np.random.Generator
    ) -> dict[str, torch.Tensor]:
        shapes = self.virtual.shapes
        # One size for all views of a step, whichever process makes them.
        of_step = np.random.default_rng((self.seed, position // self.batch_size, len(shapes)))
        fault = random.random() < self.virtual.faults
        if fault:
            view = replace(view, image=faulty(view.image, random))
        shape = shapes[int(of_step.integers(len(shapes)))]
        camera, rotation = self.virtual.draw(view.camera, shape, self.pixels, random)
        view = seen_by(view, camera, rotation)
        if random.random() < 0.5:
            view = mirror(view)
        if not fault:
            dense = view.depth if view.taught is None else view.taught[0]
            known = np.count_nonzero(dense) > 0.5 * dense.size
            image = vary(view.image, random, self.augmentation.photometric, dense if known else None)
            view = replace(view, image=image)
        tensors = to_tensors(view, self.card)
        del tensors["other"], tensors["baseline"]  # single images: nothing to transfer to the device
        return {**tensors, "fault": torch.tensor(fault)}


def to_tensors(view: View, card: ModelCard) -> dict[str, torch.Tensor]:
    """Network inputs and target of a view that has the network's size.

    :return: ``image`` and ``other`` ``(3, H, W)`` uint8 RGB, not yet normalised, ``other`` all 0 where the
        view has no other camera to its right; ``depth`` ``(1, H, W)`` float32 canonical metres, 0 unknown,
        +inf beyond range; ``baseline`` float32 metres, 0 without other camera; ``camera`` ``(4,)`` float32
        fx, fy, cx, cy; ``taught`` ``(2, H, W)`` float32: a teacher's canonical depth, 0 unknown, and log
        Laplace scale
    """
    canonical = np.float32(card.f_ref / view.camera.fx)
    taught = np.zeros((2, *view.depth.shape), np.float32)
    if view.taught is not None:
        taught[:] = view.taught
        taught[0] *= canonical
    intrinsics = [view.camera.fx, view.camera.fy, view.camera.cx, view.camera.cy]
    image = _channels_first(view.image)
    stereo = view.other is not None and view.offset > 0
    return {
        "image": image,
        "other": _channels_first(view.other) if stereo else torch.zeros_like(image),
        "depth": torch.from_numpy(view.depth * canonical)[None],
        "camera": torch.tensor(intrinsics, dtype=torch.float32),
        "taught": torch.from_numpy(taught),
        "baseline": torch.tensor(view.offset if stereo else 0.0, dtype=torch.float32),
    }


def _channels_first(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


class Schedule(Sampler[list[int]]):
    """Positions of each process at each step; a step's positions do not depend on the number of processes.

    :param steps: steps of the whole run
    :param batch_size: views of a step, over all processes
    :param start: steps already done
    :param rank: number of this process
    :param processes: how many share a step's views
    :raises UserError: if the batch cannot be shared evenly
    """

    def __init__(
        self, steps: int, batch_size: int, start: int = 0, rank: int = 0, processes: int = 1
    ) -> None:
        if batch_size % processes:
            raise UserError(f"batch_size {batch_size} cannot be shared by {processes} processes evenly")
        self.steps, self.batch_size, self.start = steps, batch_size, start
        self.own = range(rank * batch_size // processes, (rank + 1) * batch_size // processes)

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.start, self.steps):
            yield [step * self.batch_size + index for index in self.own]

    def __len__(self) -> int:
        return self.steps


class TrainingData(lightning.LightningDataModule):
    """Loaders of a run's remaining steps and of its validation, for the process that asks.

    :param validation_frames: number of frames that are validated on; the module reads them
    :param workers: data loading processes
    """

    def __init__(
        self, views: TrainingViews, validation_frames: int, config: TrainingConfig, workers: int
    ) -> None:
        super().__init__()
        self.views, self.validation_frames = views, validation_frames
        self.config, self.workers = config, workers

    def train_dataloader(self) -> DataLoader:
        trainer = self.trainer
        schedule = Schedule(
            self.config.steps,
            self.config.batch_size,
            trainer.global_step,
            trainer.global_rank,
            trainer.world_size,
        )
        # In distributed training each process has communication threads. A fork may inherit a lock that one
        # of them holds, and deadlock the whole run. With a single process, forks are safe, and share the
        # cached frames.
        together = self.workers > 0 and trainer.world_size > 1
        return DataLoader(
            self.views,
            batch_sampler=schedule,
            multiprocessing_context="forkserver" if together else None,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_single_thread,
        )

    def val_dataloader(self) -> DataLoader:
        """Indices of the frames that this process validates on.

        Every process gets as many, so some get one past the end: a process without any would not come to
        where all meet to average.
        """
        world = self.trainer.world_size
        padded = -(-self.validation_frames // world) * world
        return DataLoader(range(self.trainer.global_rank, padded, world), batch_size=None)

    def on_after_batch_transfer(
        self, batch: dict[str, torch.Tensor], dataloader_idx: int
    ) -> dict[str, torch.Tensor]:
        if not self.trainer.training:
            return batch
        return {
            name: normalised(values, self.views.card) if values.dtype == torch.uint8 else values
            for name, values in batch.items()
        }


def _single_thread(_worker: int) -> None:
    # Torch and OpenCV would each start as many threads in each worker as there are cores.
    torch.set_num_threads(1)
    import cv2

    cv2.setNumThreads(0)
