"""NVIDIA's cuda-python, with errors in words and memory that is given back with its owner."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from adu_depth_core.errors import UserError, require

MODULE = "cuda.bindings.runtime"


def cuda_runtime() -> Any:
    """The ``cuda.bindings.runtime`` module.

    :raises UserError: if cuda-python is not installed
    """
    return require(MODULE, "tensorrt", "for TensorRT")


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
            runtime.cudaError_t.cudaErrorNoDevice: "this process sees no NVIDIA GPU; see nvidia-smi and "
            "CUDA_VISIBLE_DEVICES",
            runtime.cudaError_t.cudaErrorMemoryAllocation: "GPU memory is full; end other programs on it",
        }.get(status, "")
        raise UserError(f"CUDA could not {purpose}: {status.name}" + (f" ({hint})" if hint else ""))
    return values[0] if len(values) == 1 else tuple(values)


def current_gpu() -> dict[str, str]:
    """``name`` and ``compute_capability`` of the GPU that CUDA uses.

    :raises UserError: if there is none
    """
    runtime = cuda_runtime()
    device = check(runtime.cudaGetDevice(), "find a GPU")
    facts = check(runtime.cudaGetDeviceProperties(device), "ask the GPU what it is")
    name = facts.name.split(b"\0")[0].decode()
    return {"name": name, "compute_capability": f"{facts.major}.{facts.minor}"}


class Stream:
    """A CUDA stream; what is recorded from it can be replayed as a graph."""

    def __init__(self) -> None:
        self._cuda = cuda_runtime()
        self.handle = check(self._cuda.cudaStreamCreate(), "make a stream")
        weakref.finalize(self, self._cuda.cudaStreamDestroy, self.handle)

    def wait(self, purpose: str) -> None:
        """Return when the stream's work is done."""
        check(self._cuda.cudaStreamSynchronize(self.handle), purpose)

    def record(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        """Record what ``enqueue`` puts on the stream; the result starts it again, in one call.

        The memory that it works on must not move or go.
        """
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        check(self._cuda.cudaStreamBeginCapture(self.handle, mode), "record the network")
        try:
            enqueue()
        except UserError:
            self._cuda.cudaStreamEndCapture(self.handle)  # else the stream stays in capture mode
            raise
        graph = check(self._cuda.cudaStreamEndCapture(self.handle), "record the network")
        launchable = check(self._cuda.cudaGraphInstantiate(graph, 0), "prepare the recorded network")
        check(self._cuda.cudaGraphDestroy(graph), "prepare the recorded network")

        def launch() -> None:
            check(self._cuda.cudaGraphLaunch(launchable, self.handle), "start the network")

        weakref.finalize(launch, self._cuda.cudaGraphExecDestroy, launchable)
        return launch


class Buffer:
    """A float32 tensor in pinned host memory and on the GPU.

    :param name: what it is, for errors
    :param shape: its shape
    """

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self._cuda = cuda_runtime()
        self._name = name
        self._bytes = int(np.prod(shape)) * np.dtype(np.float32).itemsize
        self._pinned = int(check(self._cuda.cudaMallocHost(self._bytes), f"pin host memory for {name}"))
        weakref.finalize(self, self._cuda.cudaFreeHost, self._pinned)
        self.device = int(check(self._cuda.cudaMalloc(self._bytes), f"allocate {name} on the GPU"))
        weakref.finalize(self, self._cuda.cudaFree, self.device)
        memory = (ctypes.c_float * int(np.prod(shape))).from_address(self._pinned)
        self.host = np.ctypeslib.as_array(memory).reshape(shape)

    def upload(self, stream: Stream) -> None:
        """Copy host to GPU, in the stream's order."""
        self._copy(self.device, self._pinned, self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, stream)

    def download(self, stream: Stream) -> None:
        """Copy GPU to host, in the stream's order."""
        self._copy(self._pinned, self.device, self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost, stream)

    def _copy(self, target: int, source: int, kind: Any, stream: Stream) -> None:
        result = self._cuda.cudaMemcpyAsync(target, source, self._bytes, kind, stream.handle)
        check(result, f"copy {self._name}")
