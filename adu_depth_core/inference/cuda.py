"""NVIDIA's cuda-python, with errors in words."""

from __future__ import annotations

from typing import Any

from adu_depth_core.errors import UserError, require


def cuda_runtime() -> Any:
    """The ``cuda.bindings.runtime`` module.

    :raises UserError: if cuda-python is not installed
    """
    return require("cuda.bindings.runtime", "tensorrt", "for TensorRT")


def check(result: tuple[Any, ...], purpose: str) -> Any:
    """What a CUDA call returned, without its status.

    :param purpose: what the call was for, to complete "CUDA could not ..."
    :raises UserError: if the call failed
    """
    runtime = cuda_runtime()
    status, *values = result
    if status != runtime.cudaError_t.cudaSuccess:
        hint = {
            runtime.cudaError_t.cudaErrorInsufficientDriver: "no NVIDIA driver, or too old; see nvidia-smi",
            runtime.cudaError_t.cudaErrorNoDevice: "this process sees no NVIDIA GPU",
            runtime.cudaError_t.cudaErrorMemoryAllocation: "GPU memory is full; end other programs on it",
        }.get(status, "")
        raise UserError(f"CUDA could not {purpose}: {status.name}" + (f" ({hint})" if hint else ""))
    return values[0] if len(values) == 1 else tuple(values)


def current_gpu() -> dict[str, str]:
    """Name and compute capability of the GPU that CUDA uses.

    :raises UserError: if there is none
    """
    runtime = cuda_runtime()
    device = check(runtime.cudaGetDevice(), "find a GPU")
    facts = check(runtime.cudaGetDeviceProperties(device), "ask the GPU what it is")
    return {"name": facts.name.decode(), "compute_capability": f"{facts.major}.{facts.minor}"}
