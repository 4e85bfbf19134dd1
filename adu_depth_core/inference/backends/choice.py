"""Selection of a model's backend: the requested one, TensorRT for engines, or the fastest CPU runtime
installed."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import Backend, GpuBackend
from adu_depth_core.inference.backends.onnxruntime import ONNXRuntimeBackend
from adu_depth_core.inference.backends.onnxruntime_cuda import ONNXRuntimeCudaBackend
from adu_depth_core.inference.backends.openvino import OpenVINOBackend
from adu_depth_core.inference.backends.pytorch import PyTorchBackend
from adu_depth_core.inference.backends.pytorch_cuda import PyTorchCudaBackend
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend

logger = logging.getLogger(__name__)

_OF_CPU: dict[str, type[Backend]] = {
    "openvino": OpenVINOBackend,
    "onnxruntime": ONNXRuntimeBackend,
    "pytorch": PyTorchBackend,
}

_OF_GPU: dict[str, type[GpuBackend]] = {
    "tensorrt": TensorRTBackend,
    "onnxruntime-cuda": ONNXRuntimeCudaBackend,
    "pytorch-cuda": PyTorchCudaBackend,
}

BACKENDS: dict[str, type[Backend]] = {**_OF_CPU, **_OF_GPU}
"""Backends by name: CPU backends, fastest first, then GPU backends. Constructing one imports its runtime."""

CPU_BACKENDS = tuple(_OF_CPU)
"""Candidates of ``auto``: a GPU is used only on request."""

ENGINE_SUFFIX = ".engine"


def open_backend(
    name: str, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1, gpu: int = 0
) -> Backend:
    """Load a network, see ``base.Backend``.

    :param name: a key of ``BACKENDS``
    :param gpu: number of the GPU, as CUDA counts those that the process sees; 0 for a backend of the CPU
    :raises UserError: also if the GPU is not there, or the backend runs on the CPU
    """
    if name in _OF_GPU:
        return _OF_GPU[name](model, network_size, threads, batch, gpu=gpu)
    if gpu:
        raise UserError(f"backend {name} runs on the CPU, GPU {gpu} is for: {', '.join(_OF_GPU)}")
    return _OF_CPU[name](model, network_size, threads, batch)


def choose_backend(name: str = "auto", model: Path | None = None) -> tuple[str, str]:
    """Resolve ``auto``: TensorRT for an engine, else the first CPU backend whose runtime can be imported.

    :param name: ``auto`` or a key of ``BACKENDS``
    :param model: the model file; None for one that is no engine
    :return: the backend's name, and the reason for the choice
    :raises UserError: if there is no backend of that name, it does not run this kind of file, or ``auto``
        finds none installed
    """
    if name not in ("auto", *BACKENDS):
        raise UserError(f"there is no backend {name!r}: choose auto, {', '.join(BACKENDS)}")
    if model is not None and model.suffix == ENGINE_SUFFIX:
        if name not in ("auto", "tensorrt"):
            raise UserError(f"{model} is a TensorRT engine: backend {name} does not run it, choose tensorrt")
        return "tensorrt", "the model is an engine"
    if name != "auto":
        return name, "requested by name"
    missing = []
    for candidate in CPU_BACKENDS:
        try:
            importlib.import_module(BACKENDS[candidate].module)
        except ImportError as error:
            missing.append(f"{candidate} cannot be imported ({error})")
            continue
        reason = "; ".join(["first installed of " + ", ".join(CPU_BACKENDS), *missing])
        logger.info("backend %s: %s", candidate, reason)
        return candidate, reason
    raise UserError(
        f"no inference runtime is installed: {'; '.join(missing)}. "
        "Install one, preferably: pip install 'adu_depth[openvino]'"
    )
