"""ONNX Runtime on an NVIDIA GPU, for machines without TensorRT."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.backends.base import (
    FINGERPRINT,
    INPUTS,
    LOG_B,
    MU,
    Backend,
    NetworkOutput,
    blank_input,
    input_shapes,
    unreadable_model,
)
from adu_depth_core.inference.backends.onnxruntime import open_session, session_options

logger = logging.getLogger(__name__)

PROVIDER = "CUDAExecutionProvider"


class ONNXRuntimeCudaBackend(Backend):
    """See ``base.Backend``. Input and outputs stay at fixed places on the GPU, so that the network can be
    replayed as a CUDA graph; FP32 convolutions may use TF32.

    :raises UserError: also if ONNX Runtime was built without CUDA or cannot use it here; it would run on
        the CPU instead
    """

    module = "onnxruntime"
    extra = "onnxruntime-cuda"

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1
    ) -> None:
        onnxruntime = require(self.module, self.extra, "for the ONNX Runtime CUDA backend")
        self.runtime = f"ONNX Runtime {onnxruntime.__version__} CUDA"
        if PROVIDER not in onnxruntime.get_available_providers():
            raise UserError(
                f"onnxruntime {onnxruntime.__version__} is built for the CPU: "
                f"pip uninstall onnxruntime && pip install 'adu_depth[{self.extra}]'"
            )
        if hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # CUDA's libraries where they are Python packages
        options = session_options(onnxruntime, network_size, threads, batch)
        self._session = self._open(onnxruntime, model, options)
        maps = (batch, 1, *network_size)
        components = next(o.shape[1] for o in self._session.get_outputs() if o.name == FINGERPRINT)
        shapes = {MU: maps, LOG_B: maps, FINGERPRINT: (batch, components)}
        self._inputs = self._allocate(onnxruntime, input_shapes(batch, network_size))
        self._outputs = self._allocate(onnxruntime, shapes)
        self._binding = self._session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for name, value in self._outputs.items():
            self._binding.bind_ortvalue_output(name, value)
        self.run(*blank_input(batch, network_size))  # allocates, and records the graph

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        for name, values in zip(INPUTS, (image, camera), strict=True):
            self._inputs[name].update_inplace(values)
        self.run_resident()
        mu, log_b, fingerprint = (value.numpy() for value in self._outputs.values())
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)

    def run_resident(self) -> None:
        self._session.run_with_iobinding(self._binding)

    @staticmethod
    def _allocate(onnxruntime: Any, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
        """Tensors on the GPU, by name."""
        device = onnxruntime.OrtValue.ortvalue_from_shape_and_type
        return {name: device(list(shape), np.float32, "cuda", 0) for name, shape in shapes.items()}

    def _open(self, onnxruntime: Any, model: Path, options: Any) -> Any:
        """A session that records a CUDA graph, or one without where a node of the network prevents it."""
        session, problem = None, None
        for graph in ("1", "0"):
            try:
                providers = [(PROVIDER, {"enable_cuda_graph": graph})]
                session = open_session(onnxruntime, model, options, providers, self.runtime)
                break
            except UserError as error:
                problem = error
                logger.info("without a CUDA graph: %s", error)
        if session is None:
            raise problem
        if session.get_providers()[0] != PROVIDER:
            raise unreadable_model(
                model,
                self.runtime,
                RuntimeError("CUDA could not be used; the log above says why, `nvidia-smi` what there is"),
            )
        return session
