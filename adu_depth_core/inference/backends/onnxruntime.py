"""ONNX Runtime, on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.errors import require
from adu_depth_core.inference.backends.base import INPUT, OUTPUTS, Backend, check_interface, unreadable_model


class ONNXRuntimeBackend(Backend):
    """See ``base.Backend``."""

    module = "onnxruntime"
    extra = "onnxruntime"

    def __init__(self, model: Path, network_size: tuple[int, int], threads: int | None) -> None:
        onnxruntime = require(self.module, self.extra, "for the ONNX Runtime backend")
        self.runtime = f"ONNX Runtime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception classes share no public base class
            raise unreadable_model(model, self.runtime, error) from error
        check_interface(
            model,
            (i.name for i in self._session.get_inputs()),
            (o.name for o in self._session.get_outputs()),
        )

    def infer(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mu, log_b = self._session.run(OUTPUTS, {INPUT: tensor})
        return mu[0, 0], log_b[0, 0]
