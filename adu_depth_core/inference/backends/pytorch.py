"""PyTorch, on the CPU: what the exported networks are compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.backends.base import Backend, unreadable_model
from adu_depth_core.model_card import ModelCardError, read_card


class PyTorchBackend(Backend):
    """See ``base.Backend``. Loads the ``.safetensors`` file beside the model, checked by the same card."""

    module = "torch"
    extra = "train"

    def __init__(self, model: Path, network_size: tuple[int, int], threads: int | None) -> None:
        for module in ("timm", "safetensors"):
            require(module, self.extra, "for the PyTorch backend")
        self._torch = require(self.module, self.extra, "for the PyTorch backend")
        self.runtime = f"PyTorch {self._torch.__version__}"
        if threads is not None:
            self._torch.set_num_threads(threads)
        # Imported here, because this package must be importable without torch.
        from adu_depth_core.networks.student import load_student

        weights = model.with_suffix(".safetensors")
        try:
            self._student = load_student(weights, read_card(weights))
        except (FileNotFoundError, ModelCardError) as error:
            raise UserError(str(error)) from error
        except ValueError as error:
            raise unreadable_model(weights, self.runtime, error) from error
        # The first run allocates; an input size that the network cannot take fails here, not on a frame.
        self.infer(np.zeros((1, 3, *network_size), np.float32))

    def infer(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with self._torch.inference_mode():
            mu, log_b = self._student(self._torch.from_numpy(tensor))
        return mu[0, 0].numpy(), log_b[0, 0].numpy()
