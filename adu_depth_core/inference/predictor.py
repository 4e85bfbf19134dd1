"""Depth and uncertainty of an image: preprocess, backend, postprocess."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import Backend, blank_input
from adu_depth_core.inference.backends.choice import BACKENDS, choose_backend, open_backend
from adu_depth_core.inference.batching import batching
from adu_depth_core.inference.installed_models import find_model
from adu_depth_core.inference.network_size import (
    check_network_size,
    fit_network_size,
    fixed_network_size,
    largest_batch,
)
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.inference.profile_choice import AUTO, Adaptation, ProfileChoice
from adu_depth_core.model_card import ModelCardError, read_card

logger = logging.getLogger(__name__)

MAX_STREAMS = 8
"""Maximum number of concurrent images: with more, their source would not keep up."""

MAX_SIZES = 4
"""Number of network sizes kept loaded: enough for any rig's cameras, as each costs the network's memory."""

WASTEFUL_BORDER = 0.25
"""Fraction of the network's input that may be border before a better size is suggested."""


Idle = queue.SimpleQueue[tuple[Preprocessor, Backend]]
"""Resources to predict one frame: the buffers of a preprocessor and a backend serve one frame at a time."""


class Predictor:
    """A loaded model, for images of any camera and size. Safe to share between threads.

    Optimised for single-frame latency. Without a given network size it uses one that matches each camera's
    aspect ratio, if the model allows any size: the first frame with another aspect ratio waits until the
    network is loaded for it.

    :param model: name of an installed model (``inference.installed_models``), or ``.onnx`` or ``.engine``
        file with its model card beside it; None for the default
    :param backend: ``auto`` or a key of ``backends.choice.BACKENDS``
    :param network_size: ``(height, width)`` of the network's input; None to match each camera, or for the
        model's only size
    :param threads: CPU threads of the runtime; None leaves it to the runtime
    :param throughput: see ``for_throughput``
    :param gpu: see ``backends.choice.open_backend``
    :param profile: camera profile: a file, ``auto`` for the one beside the model that matches the camera,
        if there is one, or ``none``
    :param batch: number of threads that predict concurrently, such as one for each camera. A backend that
        gains by batches runs the images that are waiting as one, see ``batching``; other backends ignore it
    :raises UserError: if no model has that name, the model or its card is missing, damaged or do not match,
        the backend is unknown or not installed, the network size does not fit the model, ``threads``
        is not positive, or a profile cannot be read or is of another model

    :ivar images_at_once: number of threads that can predict without waiting for each other
    :ivar network_size: of the latest frame; before the first the card's, if none was given
    :ivar network_sizes: all that frames were predicted at, in the order of their first use
    :ivar profile_file: camera profile of the latest frame, or None
    :ivar profile_files: all profiles in use so far
    """

    def __init__(
        self,
        model: str | Path | None = None,
        backend: str = "auto",
        network_size: tuple[int, int] | None = None,
        threads: int | None = None,
        throughput: bool = False,
        gpu: int = 0,
        profile: str | Path = AUTO,
        batch: int = 1,
    ) -> None:
        try:
            self.model_path = find_model(model)
            self.card = read_card(self.model_path)
            self.network_size = network_size or (self.card.input_height, self.card.input_width)
            check_network_size(self.network_size, self.card)
        except (FileNotFoundError, ModelCardError, ValueError) as error:
            raise UserError(str(error)) from error
        if self.card.role != "student":
            raise UserError(
                f"{self.model_path} is a {self.card.role}: prediction from one image needs a student"
            )
        if threads is not None and threads < 1:
            raise UserError(f"threads is {threads}: must be at least 1")
        self._profiles = ProfileChoice(profile, self.model_path, self.card)
        self.profile_file: Path | None = None
        self.profile_files: list[Path] = []
        self.backend_name, self.backend_reason = choose_backend(backend, self.model_path)
        self._threads = threads
        self._throughput = throughput
        self._gpu = gpu
        self._batch = batch
        self._fixed_size = network_size or fixed_network_size(self.card)
        self.network_sizes: list[tuple[int, int]] = []
        self._loaded: OrderedDict[tuple[int, int], Idle] = OrderedDict()
        self._loading = threading.Lock()
        self._idle(self.network_size)
        self._warned_of_border = self._warned_of_camera = False

    def for_throughput(self) -> Predictor:
        """This model optimised for throughput, for threads that predict concurrently, each on its own CPU
        thread: more images per second at a higher latency each. Returns this predictor itself if the runtime
        does not benefit.
        """
        if self.backend.streams is None:
            return self
        other = Predictor(
            self.model_path,
            self.backend_name,
            self._fixed_size,
            self._threads,
            throughput=True,
            gpu=self._gpu,
            profile=self._profiles.choice,
            batch=self._batch,
        )
        other._warned_of_border = other._warned_of_camera = True  # this predictor warns itself
        other.profile_files = self.profile_files
        return other

    def predict(
        self,
        image: np.ndarray,
        camera: Camera,
        channels: str = "rgb",
        output_size: str = "image",
        whole: Camera | None = None,
    ) -> Prediction:
        """Metric depth and its one-sigma uncertainty.

        :param image: uint8 ``(H, W, C)``, rectified; mono also ``(H, W)``
        :param camera: intrinsics of the image
        :param channels: ``rgb``, ``bgr``, ``rgba``, ``bgra`` or ``mono``
        :param output_size: ``image``, or ``network`` for maps at the network's resolution without the
            border, with the camera scaled to match
        :param whole: if ``image`` is a region: intrinsics of the whole image, which profiles are of
        :raises ValueError: if the image's type, size or channels, or ``output_size``, are not as above
        :raises ProfileMismatch: if the named profile is of another camera
        :raises UserError: if the network cannot be loaded for this camera's size, or several profiles beside
            the model are of this camera
        """
        adaptation = self._profiles.of(whole or camera)
        self.profile_file = adaptation.source
        if adaptation.source is not None and adaptation.source not in self.profile_files:
            self.profile_files.append(adaptation.source)
        return self._predict(image, camera, channels, output_size, adaptation)

    def warm_up(self) -> None:
        """Predict a black image on the calling thread: its first run there takes several times longer."""
        height, width = self.network_size
        focal = self.card.f_ref  # any camera within the trained range
        camera = Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)
        self._predict(np.zeros((height, width, 3), np.uint8), camera, "rgb", "image", Adaptation(self.card))

    def _predict(
        self, image: np.ndarray, camera: Camera, channels: str, output_size: str, adaptation: Adaptation
    ) -> Prediction:
        size = self.network_size = self._fixed_size or fit_network_size(camera, self.card)
        placement = Placement.fit(camera, size)
        self._warn_of_wasteful_border(placement)
        idle = self._idle(size)
        with self._loading:
            if size not in self.network_sizes:
                self.network_sizes.append(size)
        preprocess, backend = ready = idle.get()
        try:
            output = backend.infer(*preprocess(image, placement, channels))
            prediction = postprocess(output, placement, adaptation.card, output_size, adaptation.correction)
        finally:
            idle.put(ready)
        if prediction.camera_doubt and not self._warned_of_camera:
            self._warned_of_camera = True
            logger.warning(prediction.camera_doubt)
        return prediction

    def _idle(self, size: tuple[int, int]) -> Idle:
        """Predictor for a network size; loaded if necessary, in place of the least recently used one."""
        with self._loading:
            if size not in self._loaded:
                self._loaded[size] = self._load(size)
                if len(self._loaded) > MAX_SIZES:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(size)
            return self._loaded[size]

    def _load(self, size: tuple[int, int]) -> Idle:
        load = BACKENDS[self.backend_name]
        if self._throughput and load.streams is not None:
            count = self._threads or min(os.cpu_count() or 1, MAX_STREAMS)
            backends = load.streams(self.model_path, size, count)
        elif load.gains_by_batches and (batch := self._possible_batch()) > 1:
            backends = batching(lambda count: self._open(size, count), batch, size)
        else:
            backends = [self._open(size)]
        self.backend, self.images_at_once = backends[0], len(backends)
        idle: Idle = queue.SimpleQueue()
        for backend in backends:
            # First runs allocate and are several times slower than the others.
            backend.infer(*blank_input(1, size))
            idle.put((Preprocessor(self.card, size), backend))
        return idle

    def _open(self, size: tuple[int, int], batch: int = 1) -> Backend:
        return open_backend(self.backend_name, self.model_path, size, self._threads, batch, gpu=self._gpu)

    def _possible_batch(self) -> int:
        """Number of images in a batch, as wanted or as the model takes."""
        limit = largest_batch(self.card)
        if limit is None or limit >= self._batch:
            return self._batch
        logger.warning(
            "%s takes %d image%s at once, %d would be used: export it with --batch dynamic, and build an "
            "engine from that with --batch 1 %d %d",
            *(self.model_path, limit, "s" * (limit > 1), self._batch, self._batch, self._batch),
        )
        return limit

    def _warn_of_wasteful_border(self, placement: Placement) -> None:
        if self._warned_of_border or placement.border_share <= WASTEFUL_BORDER:
            return
        camera, (height, width) = placement.camera, placement.network_size
        better_height, better_width = fit_network_size(camera, self.card)
        if (better_height, better_width) == placement.network_size:
            return
        self._warned_of_border = True
        logger.warning(
            "a %dx%d image leaves %.0f %% of the network's %dx%d input empty; a network size of %dx%d suits "
            "this camera better",
            *(camera.height, camera.width, 100 * placement.border_share, height, width),
            *(better_height, better_width),
        )
