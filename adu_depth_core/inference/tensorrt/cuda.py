"""NVIDIA's cuda-python, with readable errors and memory that is freed with its owner."""

from __future__ import annotations

import math
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
    """Return values of a CUDA call, without its status.

    :param purpose: purpose of the call, to complete "CUDA could not ..."
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


def use_gpu(number: int) -> None:
    """Choose the GPU of this thread.

    :param number: as CUDA counts those that the process sees, from 0
    :raises UserError: if there is no GPU, or none of this number
    """
    cuda = cuda_runtime()
    chosen = cuda.cudaSetDevice(number)
    if chosen[0] == cuda.cudaError_t.cudaErrorInvalidDevice:
        count = check(cuda.cudaGetDeviceCount(), "find a GPU")
        raise UserError(
            f"there is no GPU {number}: this process sees {count}, counted from 0; see nvidia-smi"
        )
    check(chosen, "find a GPU")


def current_gpu() -> dict[str, str]:
    """``name`` and ``compute_capability`` of the GPU that CUDA uses in this thread.

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
        except BaseException:  # Ctrl-C too
            self._discard(
                self._cuda.cudaStreamEndCapture(self.handle)
            )  # else the stream stays in capture mode
            raise
        graph = check(self._cuda.cudaStreamEndCapture(self.handle), "record the network")
        try:
            launchable = check(self._cuda.cudaGraphInstantiate(graph, 0), "prepare the recorded network")
        finally:
            self._cuda.cudaGraphDestroy(graph)

        def launch() -> None:
            check(self._cuda.cudaGraphLaunch(launchable, self.handle), "start the network")

        weakref.finalize(launch, self._cuda.cudaGraphExecDestroy, launchable)
        return launch

    def _discard(self, captured: tuple[Any, Any]) -> None:
        """Give back what was recorded before a failure; CUDA gives none where the failure was its own."""
        status, graph = captured
        if status == self._cuda.cudaError_t.cudaSuccess and graph is not None:
            self._cuda.cudaGraphDestroy(graph)


class Pinned:
    """Page-locked host memory. Arrays made of it keep it alive: it is freed with the last of them.

    :param name: its purpose, for errors
    :param count: number of float32 values
    """

    def __init__(self, name: str, count: int) -> None:
        cuda = cuda_runtime()
        size = count * np.dtype(np.float32).itemsize
        self.address = int(check(cuda.cudaMallocHost(size), f"pin host memory for {name}"))
        free = weakref.finalize(self, cuda.cudaFreeHost, self.address)
        free.atexit = False  # arrays may be in use until the process exits, which frees them anyway
        self.__array_interface__ = {
            "shape": (count,),
            "typestr": np.dtype(np.float32).str,
            "data": (self.address, False),
            "version": 3,
        }


class Buffer:
    """A float32 tensor in pinned host memory and on the GPU.

    :param name: its name, for errors
    :param shape: its shape

    :ivar host: the tensor in host memory; it and its views stay valid after the buffer is freed
    :ivar device: its address on the GPU, valid as long as the buffer
    """

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self._cuda = cuda_runtime()
        self._name = name
        self.host = np.asarray(Pinned(name, math.prod(shape))).reshape(shape)
        self.device = int(check(self._cuda.cudaMalloc(self.host.nbytes), f"allocate {name} on the GPU"))
        weakref.finalize(self, self._cuda.cudaFree, self.device)

    def upload(self, stream: Stream) -> None:
        """Copy host to GPU, in the stream's order."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(self.device, self.host.ctypes.data, kind, stream)

    def download(self, stream: Stream) -> None:
        """Copy GPU to host, in the stream's order."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(self.host.ctypes.data, self.device, kind, stream)

    def _copy(self, target: int, source: int, kind: Any, stream: Stream) -> None:
        result = self._cuda.cudaMemcpyAsync(target, source, self.host.nbytes, kind, stream.handle)
        check(result, f"copy {self._name}")
