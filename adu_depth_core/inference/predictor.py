"""Depth and uncertainty of an image: preprocess, backend, postprocess."""

from __future__ import annotations

import logging
import os
import queue
from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.files import share_directory
from adu_depth_core.inference.backends.base import Backend
from adu_depth_core.inference.backends.choice import BACKENDS, choose_backend
from adu_depth_core.inference.network_size import check_network_size, fit_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.model_card import ModelCardError, read_card

logger = logging.getLogger(__name__)

MAX_STREAMS = 8
"""Images at once at most: with more, what feeds them would not keep up."""

WASTEFUL_BORDER = 0.25
"""Share of the network's input that may be border before a better size is suggested."""


def default_model() -> Path:
    """The student that is installed with this package.

    :raises FileNotFoundError: if the package's installed files are not found
    """
    return share_directory() / "models" / "adu_student.onnx"


class Predictor:
    """A loaded model, for images of any camera and size. Safe to share between threads.

    :param model: ``.onnx`` or ``.engine`` file with its model card beside it; None for the installed student
    :param backend: ``auto`` or a key of ``backends.choice.BACKENDS``
    :param network_size: ``(height, width)`` of the network's input; None for the model card's
    :param threads: CPU threads of the runtime; None leaves it to the runtime
    :param throughput: see ``for_throughput``
    :raises UserError: if the model or its card is missing, damaged or not made for each other, the
        backend is unknown or not installed, the network size does not fit the model, or ``threads``
        is not positive
    """

    def __init__(
        self,
        model: Path | None = None,
        backend: str = "auto",
        network_size: tuple[int, int] | None = None,
        threads: int | None = None,
        throughput: bool = False,
    ) -> None:
        try:
            self.model_path = Path(model) if model is not None else default_model()
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
        self.backend_name, self.backend_reason = choose_backend(backend, self.model_path)
        self._threads = threads
        load, size = BACKENDS[self.backend_name], self.network_size
        if throughput and load.streams is not None:
            count = threads or min(os.cpu_count() or 1, MAX_STREAMS)
            backends = load.streams(self.model_path, size, count)
        else:
            backends = [load(self.model_path, size, threads)]
        self.backend = backends[0]
        # Buffers of a preprocessor and a backend serve one frame at a time.
        self._idle: queue.SimpleQueue[tuple[Preprocessor, Backend]] = queue.SimpleQueue()
        for backend in backends:
            # First runs allocate and are several times slower than the others.
            backend.infer(np.zeros((1, 3, *size), np.float32))
            self._idle.put((Preprocessor(self.card, size), backend))
        self._warned_of_border = False

    def for_throughput(self) -> Predictor:
        """This model for threads that predict at the same time, each on a CPU thread of its own: more images
        a second, each of them later. This predictor itself where the runtime gains nothing by it.
        """
        if self.backend.streams is None:
            return self
        other = Predictor(self.model_path, self.backend_name, self.network_size, self._threads, True)
        other._warned_of_border = True  # it is this one that tells
        return other

    def predict(
        self, image: np.ndarray, camera: Camera, channels: str = "rgb", output_size: str = "image"
    ) -> Prediction:
        """Metric depth and its one-sigma uncertainty.

        :param image: uint8 ``(H, W, C)``, rectified; mono also ``(H, W)``
        :param camera: intrinsics of the image
        :param channels: ``rgb``, ``bgr``, ``rgba``, ``bgra`` or ``mono``
        :param output_size: ``image``, or ``network`` for maps at the network's resolution without the
            border, with the camera scaled to match
        :raises ValueError: if the image's type, size or channels, or ``output_size``, are not as above
        """
        placement = Placement.fit(camera, self.network_size)
        self._warn_of_wasteful_border(placement)
        preprocess, backend = idle = self._idle.get()
        try:
            mu, log_b = backend.infer(preprocess(image, placement, channels))
            return postprocess(mu, log_b, placement, self.card, output_size)
        finally:
            self._idle.put(idle)

    def _warn_of_wasteful_border(self, placement: Placement) -> None:
        if self._warned_of_border or placement.border_share <= WASTEFUL_BORDER:
            return
        camera, (height, width) = placement.camera, self.network_size
        better_height, better_width = fit_network_size(camera, self.card)
        if (better_height, better_width) == self.network_size:
            return
        self._warned_of_border = True
        logger.warning(
            "a %dx%d image leaves %.0f %% of the network's %dx%d input (width x height) empty; "
            "a network size of %dx%d (height x width) suits this camera better",
            *(camera.width, camera.height, 100 * placement.border_share, width, height),
            *(better_height, better_width),
        )
