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
    GpuBackend,
    NetworkOutput,
    blank_input,
    input_shapes,
)
from adu_depth_core.inference.backends.onnxruntime import open_session, session_options

logger = logging.getLogger(__name__)

PROVIDER = "CUDAExecutionProvider"


class ONNXRuntimeCudaBackend(GpuBackend):
    """See ``base.Backend``. Input and outputs stay at fixed places on the GPU, so that the network can be
    replayed as a CUDA graph; FP32 convolutions may use TF32.

    :param gpu: its number, as CUDA counts those that the process sees
    :raises UserError: also if ONNX Runtime was built without CUDA or cannot use it here; it would run on
        the CPU instead
    """

    module = "onnxruntime"
    extra = "onnxruntime-cuda"

    def __init__(
        self,
        model: Path,
        network_size: tuple[int, int],
        threads: int | None,
        batch: int = 1,
        gpu: int = 0,
    ) -> None:
        onnxruntime = require(self.module, self.extra, "for the ONNX Runtime CUDA backend")
        self.runtime = f"ONNX Runtime {onnxruntime.__version__} CUDA"
        if PROVIDER not in onnxruntime.get_available_providers():
            raise UserError(
                f"onnxruntime {onnxruntime.__version__} is built for the CPU: pip uninstall onnxruntime "
                f"onnxruntime-gpu && pip install 'adu_depth[{self.extra}]'"
            )
        if hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # CUDA's libraries, if installed as Python packages
        self._gpu = gpu
        self._blank = blank_input(batch, network_size)
        options = session_options(onnxruntime, network_size, threads, batch)
        # Before trying CUDA, whose failures are not the file's fault.
        session = open_session(onnxruntime, model, options, ["CPUExecutionProvider"], self.runtime)
        components = next(o.shape[1] for o in session.get_outputs() if o.name == FINGERPRINT)
        maps = (batch, 1, *network_size)
        self._input_shapes = input_shapes(batch, network_size)
        self._output_shapes = {MU: maps, LOG_B: maps, FINGERPRINT: (batch, components)}
        try:
            self._start(onnxruntime, model, options, graph=True)
        except Exception as error:  # ONNX Runtime's classes share no public base class
            # A node of the network may have no CUDA kernel, and then nothing can be recorded.
            logger.info("without a CUDA graph: %s", error)
            try:
                self._start(onnxruntime, model, options, graph=False)
            except Exception as reason:
                raise self._no_cuda(reason) from reason

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        for name, values in zip(INPUTS, (image, camera), strict=True):
            self._inputs[name].update_inplace(values)
        self.run_resident()
        mu, log_b, fingerprint = (value.numpy() for value in self._outputs.values())
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)

    def run_resident(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def _start(self, onnxruntime: Any, model: Path, options: Any, graph: bool) -> None:
        """Open a session and run it once, which allocates, and records the graph."""
        provider = (PROVIDER, {"device_id": str(self._gpu), "enable_cuda_graph": str(int(graph))})
        self._session = onnxruntime.InferenceSession(model, options, providers=[provider])
        if self._session.get_providers()[0] != PROVIDER:
            raise RuntimeError("it fell back to the CPU")
        self._inputs = self._allocate(onnxruntime, self._input_shapes)
        self._outputs = self._allocate(onnxruntime, self._output_shapes)
        self._binding = self._session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for name, value in self._outputs.items():
            self._binding.bind_ortvalue_output(name, value)
        self.run(*self._blank)

    def _allocate(self, onnxruntime: Any, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
        """Tensors on the GPU, by name."""
        device = onnxruntime.OrtValue.ortvalue_from_shape_and_type
        return {name: device(list(shape), np.float32, "cuda", self._gpu) for name, shape in shapes.items()}

    def _no_cuda(self, reason: Exception) -> UserError:
        text = next((line.strip() for line in str(reason).splitlines() if line.strip()), repr(reason))
        return UserError(
            f"{self.runtime} cannot use GPU {self._gpu} ({text}): the log above says more, `nvidia-smi` what "
            "there is; CUDA's libraries come with pip install 'onnxruntime-gpu[cuda,cudnn]'"
        )
