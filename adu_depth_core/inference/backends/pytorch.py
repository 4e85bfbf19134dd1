"""PyTorch, on the CPU: the reference for exported networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.backends.base import Backend, NetworkOutput, blank_input, unreadable_model
from adu_depth_core.model_card import ModelCardError, read_card

if TYPE_CHECKING:
    from adu_depth_core.networks.student import Student


class PyTorchBackend(Backend):
    """See ``base.Backend``. Loads the ``.safetensors`` file beside the model, checked by the same card."""

    module = "torch"
    extra = "train"

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1
    ) -> None:
        self._torch = require_torch()
        self.runtime = f"PyTorch {self._torch.__version__}"
        if threads is not None:
            self._torch.set_num_threads(threads)
        self._student = load_weights(model, self.runtime)
        # The first run allocates; an input size that the network cannot take fails here, not on a frame.
        self.run(*blank_input(batch, network_size))

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        with self._torch.inference_mode():
            outputs = self._student(self._torch.from_numpy(image), self._torch.from_numpy(camera))
        mu, log_b, fingerprint = (values.numpy() for values in outputs)
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)


def require_torch() -> Any:
    """The ``torch`` module, once all that the student needs is known to be there.

    :raises UserError: if torch, timm or safetensors is missing
    """
    for module in ("timm", "safetensors"):
        require(module, PyTorchBackend.extra, "for the PyTorch backend")
    return require(PyTorchBackend.module, PyTorchBackend.extra, "for the PyTorch backend")


def load_weights(model: Path, runtime: str) -> Student:
    """The student, on the CPU, in evaluation mode.

    :param model: the model file, beside its ``.safetensors``
    :raises UserError: if the weights or their card are missing or damaged
    """
    # Imported here, because this package must be importable without torch.
    from adu_depth_core.networks.student import load_student

    weights = model.with_suffix(".safetensors")
    try:
        return load_student(weights, read_card(weights))
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    except ValueError as error:
        raise unreadable_model(weights, runtime, error) from error
