"""The common interface of all inference runtimes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from adu_depth_core.errors import UserError

IMAGE, CAMERA = "image", "camera"
INPUTS = (IMAGE, CAMERA)
MU, LOG_B, FINGERPRINT = "mu", "log_b", "fingerprint"
OUTPUTS = (MU, LOG_B, FINGERPRINT)


class NetworkInput(NamedTuple):
    """Inputs of a network.

    :param image: normalised RGB, float32 ``(N, 3, height, width)``, contiguous
    :param camera: fx, fy, cx, cy in pixels of the whole input, float32 ``(N, 4)``: see
        ``Placement.network_camera``
    """

    image: np.ndarray
    camera: np.ndarray


class NetworkOutput(NamedTuple):
    """Outputs of a network; for a single image without the first dimension.

    :param mu: log canonical depth, float32 ``(N, height, width)``
    :param log_b: log of the Laplace scale of log depth, same shape
    :param fingerprint: novelty and distances along known faults, float32 ``(N, 1 + faults)``, see
        ``networks.fingerprint``; None from a network without, such as a teacher
    """

    mu: np.ndarray
    log_b: np.ndarray
    fingerprint: np.ndarray | None


def input_shapes(batch: int, network_size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Shape of each input, for a network size of ``(height, width)``."""
    return {IMAGE: (batch, 3, *network_size), CAMERA: (batch, 4)}


def blank_input(batch: int, network_size: tuple[int, int]) -> NetworkInput:
    """A black image from an arbitrary camera, for warm-up runs."""
    height, width = network_size
    camera = np.array([width, width, width / 2, height / 2], np.float32)
    return NetworkInput(np.zeros((batch, 3, height, width), np.float32), np.tile(camera, (batch, 1)))


class Backend(Protocol):
    """A loaded network.

    :param model: model file
    :param network_size: ``(height, width)`` of the input it will get
    :param threads: number of CPU threads; None leaves it to the runtime
    :param batch: number of images it will get at once
    :raises UserError: if the runtime is not installed, or the file is damaged, not a student
        network, or cannot take this input
    """

    module: ClassVar[str]
    """The module that must be importable."""
    extra: ClassVar[str]
    """The extra of this package that installs it."""
    runtime: str
    """Name and version of the runtime."""

    streams: Callable[[Path, tuple[int, int], int], Sequence[Backend]] | None = None
    """Class method that loads the network (``model``, ``network_size``) for ``count`` threads that run it
    concurrently, each with its own backend of one CPU thread: higher throughput than one backend with all
    threads, at a higher latency per image. None if the runtime does not benefit."""

    gains_by_batches: ClassVar[bool] = False
    """True if a batch of images takes less time than one image after the other."""

    run_resident: Callable[[], None] | None = None
    """Runs the network once more on the input that is on its GPU already, without copies, and returns when
    it is done; None on the CPU, where there are no copies."""

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1
    ) -> None: ...

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        """Run the network on a batch.

        :param image: see ``NetworkInput``, float32 ``(batch, 3, height, width)``
        :param camera: its cameras, float32 ``(batch, 4)``
        :return: valid until the next call
        """
        ...

    def infer(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        """Run the network on one image: the first of the outputs of ``run``."""
        mu, log_b, fingerprint = self.run(image, camera)
        return NetworkOutput(mu[0], log_b[0], None if fingerprint is None else fingerprint[0])


class GpuBackend(Backend, Protocol):
    """A network loaded on a GPU.

    :param gpu: its number, as CUDA counts those that the process sees
    :raises UserError: also if the GPU is not there, or its memory is full
    """

    gains_by_batches: ClassVar[bool] = True

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1, gpu: int = 0
    ) -> None: ...


def check_interface(model: Path, inputs: Iterable[str], outputs: Iterable[str]) -> None:
    """:raises UserError: unless a network has exactly the student's inputs and its outputs"""
    inputs, outputs = sorted(inputs), sorted(outputs)
    if inputs != sorted(INPUTS) or outputs != sorted(OUTPUTS):
        raise UserError(
            f"{model} is not a student network of this release: it maps {', '.join(inputs)} to "
            f"{', '.join(outputs)}, expected {', '.join(INPUTS)} to {', '.join(OUTPUTS)}; train and export "
            f"one again"
        )


def unreadable_model(model: Path, runtime: str, error: Exception) -> UserError:
    """The error for a file that the runtime could not load, with the first line of its reason."""
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return UserError(
        f"{model} could not be loaded by {runtime} ({reason}): the file is damaged or not a model; "
        "copy it again, or export it again with `adu_depth export`"
    )
