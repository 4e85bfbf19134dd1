"""What a backend is: the one interface of all inference runtimes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from adu_depth_core.errors import UserError

INPUT = "image"
OUTPUTS = ("mu", "log_b")


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
    """Class method that loads the network (``model``, ``network_size``) for ``count`` threads that run it at
    the same time, each its own backend of one CPU thread: more images a second than one backend with all
    the threads, though each image takes longer. None where the runtime gains nothing by it."""

    run_resident: Callable[[], None] | None = None
    """Runs the network once more on the input that is on its GPU already, without copies, and returns when
    it is done; None on the CPU, where there are no copies."""

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1
    ) -> None: ...

    def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run the network.

        :param tensor: float32 ``(batch, 3, height, width)``, contiguous
        :return: ``mu`` and ``log_b``, float32 ``(batch, height, width)``; valid until the next call
        """
        ...

    def infer(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run the network on one image.

        :param tensor: float32 ``(1, 3, height, width)``, contiguous
        :return: ``mu`` and ``log_b``, float32 ``(height, width)``; valid until the next call
        """
        mu, log_b = self.run(tensor)
        return mu[0], log_b[0]


def check_interface(model: Path, inputs: Iterable[str], outputs: Iterable[str]) -> None:
    """:raises UserError: unless a network has exactly the student's input and its outputs"""
    inputs, outputs = sorted(inputs), sorted(outputs)
    if inputs != [INPUT] or outputs != sorted(OUTPUTS):
        raise UserError(
            f"{model} is not a student network: it maps {', '.join(inputs)} to {', '.join(outputs)}, "
            f"expected {INPUT} to {', '.join(OUTPUTS)}"
        )


def unreadable_model(model: Path, runtime: str, error: Exception) -> UserError:
    """The error for a file that the runtime could not load, with the first line of its reason."""
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return UserError(
        f"{model} could not be loaded by {runtime} ({reason}): the file is damaged or not a model; "
        "copy it again, or export it anew with `adu_depth export`"
    )
