"""ONNX Runtime, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.errors import require
from adu_depth_core.inference.backends.base import (
    CAMERA,
    IMAGE,
    OUTPUTS,
    Backend,
    NetworkOutput,
    check_interface,
    unreadable_model,
)


class ONNXRuntimeBackend(Backend):
    """See ``base.Backend``."""

    module = "onnxruntime"
    extra = "onnxruntime"

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1
    ) -> None:
        onnxruntime = require(self.module, self.extra, "for the ONNX Runtime backend")
        self.runtime = f"ONNX Runtime {onnxruntime.__version__}"
        options = session_options(onnxruntime, network_size, threads, batch)
        self._session = open_session(onnxruntime, model, options, ["CPUExecutionProvider"], self.runtime)

    @classmethod
    def streams(cls, model: Path, network_size: tuple[int, int], count: int) -> Sequence[ONNXRuntimeBackend]:
        shared = cls(model, network_size, 1)  # each run has its own outputs
        return count * [shared]

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        mu, log_b, fingerprint = self._session.run(OUTPUTS, {IMAGE: image, CAMERA: camera})
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)


def session_options(onnxruntime: Any, network_size: tuple[int, int], threads: int | None, batch: int) -> Any:
    """Options that fix what a model leaves open, so that its shape arithmetic is folded away."""
    options = onnxruntime.SessionOptions()
    for name, value in zip(("batch", "height", "width"), (batch, *network_size), strict=True):
        options.add_free_dimension_override_by_name(name, value)
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def open_session(onnxruntime: Any, model: Path, options: Any, providers: list[Any], runtime: str) -> Any:
    """An ``InferenceSession`` of a student.

    :raises UserError: if the file is damaged or not a student network
    """
    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # its exception classes share no public base class
        raise unreadable_model(model, runtime, error) from error
    check_interface(model, (i.name for i in session.get_inputs()), (o.name for o in session.get_outputs()))
    return session
