"""CUDA's runtime API on host memory, behaving as documented: for machines without a GPU.

Work on a stream runs only when the stream is synchronised, so a missing synchronisation shows; captured work
does not run. Freed memory is overwritten and kept, so that use after free shows instead of crashing. Calls
with stale handles or addresses return an error, as CUDA does where it can detect them.
"""

from __future__ import annotations

import ctypes
import threading
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from cuda.bindings import runtime

POISON = 0x7F
DEFAULT_STREAM = 0
ERRORS = runtime.cudaError_t
OK = ERRORS.cudaSuccess


class FakeCuda:
    """Replaces ``cuda.bindings.runtime``.

    :param gpus: number of GPUs

    :ivar failures: error that the ``n``-th next call of a function gives, by ``(name, n)`` from 0
    :ivar calls: number of calls of each function
    """

    cudaError_t = runtime.cudaError_t
    cudaMemcpyKind = runtime.cudaMemcpyKind
    cudaStreamCaptureMode = runtime.cudaStreamCaptureMode

    def __init__(self, gpus: int = 1) -> None:
        self.failures: dict[tuple[str, int], Any] = {}
        self.calls: Counter[str] = Counter()
        self._gpus = gpus
        self._thread = threading.local()
        self._memory: dict[int, tuple[str, Any, int]] = {}  # kind, content and GPU by address
        self._freed: list[Any] = []
        self._streams: dict[int, list[Callable[[], None]]] = {DEFAULT_STREAM: []}
        self._of_stream: dict[int, int] = {DEFAULT_STREAM: 0}  # GPU
        self._recording: dict[int, list[Callable[[], None]]] = {}
        self._graphs: dict[int, list[Callable[[], None]]] = {}
        self._launchable: dict[int, list[Callable[[], None]]] = {}
        self._handles = iter(range(1000, 10**9))

    @property
    def _gpu(self) -> int:
        return getattr(self._thread, "gpu", 0)

    def alive(self) -> Counter[str]:
        """Number of leaked resources of each kind."""
        counts = Counter(kind for kind, _, _ in self._memory.values())
        handles = {
            "stream": self._streams.keys() - {DEFAULT_STREAM},
            "graph": self._graphs,
            "launchable": self._launchable,
        }
        return counts + Counter({kind: len(found) for kind, found in handles.items()})

    def gpu_of(self, address: int) -> int:
        """The GPU that an allocation belongs to."""
        return self._memory[address][2]

    # Devices

    def cudaGetDevice(self) -> tuple[Any, int]:
        return self._answer("cudaGetDevice", self._gpu)

    def cudaGetDeviceCount(self) -> tuple[Any, int]:
        return self._answer("cudaGetDeviceCount", self._gpus)

    def cudaSetDevice(self, device: int) -> tuple[Any]:
        if not 0 <= device < self._gpus:
            return (ERRORS.cudaErrorInvalidDevice,)
        self._thread.gpu = device
        return self._answer("cudaSetDevice")

    def cudaGetDeviceProperties(self, device: int) -> tuple[Any, Any]:
        facts = SimpleNamespace(name=b"Fake GPU\0" + bytes([device]), major=8, minor=6)
        return self._answer("cudaGetDeviceProperties", facts)

    def cudaDeviceSynchronize(self) -> tuple[Any]:
        for stream in self._streams:
            self._run(stream)
        return self._answer("cudaDeviceSynchronize")

    # Memory

    def cudaMalloc(self, size: int) -> tuple[Any, int | None]:
        return self._allocate("cudaMalloc", "device", size)

    def cudaMallocHost(self, size: int) -> tuple[Any, int | None]:
        return self._allocate("cudaMallocHost", "pinned", size)

    def cudaFree(self, address: int) -> tuple[Any]:
        return self._free("device", address)

    def cudaFreeHost(self, address: int) -> tuple[Any]:
        return self._free("pinned", address)

    def cudaMemcpy(self, target: int, source: int, size: int, kind: Any) -> tuple[Any]:
        if not self._is_whole(target, source, size, kind):
            return (ERRORS.cudaErrorInvalidValue,)
        ctypes.memmove(target, source, size)
        return self._answer("cudaMemcpy")

    def cudaMemcpyAsync(self, target: int, source: int, size: int, kind: Any, stream: Any) -> tuple[Any]:
        if not self._is_whole(target, source, size, kind):
            return (ERRORS.cudaErrorInvalidValue,)

        def copy() -> None:
            assert self._is_whole(target, source, size, kind), "memory was freed before its copy was done"
            ctypes.memmove(target, source, size)

        return self._enqueue("cudaMemcpyAsync", stream, copy)

    # Streams and graphs

    def cudaStreamCreate(self) -> tuple[Any, int | None]:
        answer = self._answer("cudaStreamCreate", next(self._handles))
        if answer[0] == OK:
            self._streams[answer[1]] = []
            self._of_stream[answer[1]] = self._gpu
        return answer

    def cudaStreamDestroy(self, stream: int) -> tuple[Any]:
        if self._streams.pop(int(stream), None) is None:
            return (ERRORS.cudaErrorInvalidResourceHandle,)
        return self._answer("cudaStreamDestroy")

    def cudaStreamSynchronize(self, stream: int) -> tuple[Any]:
        if int(stream) in self._recording:
            return (ERRORS.cudaErrorStreamCaptureUnsupported,)
        answer = self._answer("cudaStreamSynchronize")
        if answer[0] == OK:
            self._run(int(stream))
        return answer

    def cudaStreamBeginCapture(self, stream: int, mode: Any) -> tuple[Any]:
        if int(stream) in self._recording:
            return (ERRORS.cudaErrorIllegalState,)
        self._recording[int(stream)] = []
        return self._answer("cudaStreamBeginCapture")

    def cudaStreamEndCapture(self, stream: int) -> tuple[Any, int | None]:
        recorded = self._recording.pop(int(stream), None)
        if recorded is None:
            return ERRORS.cudaErrorIllegalState, None
        answer = self._answer("cudaStreamEndCapture", next(self._handles))
        if answer[0] == OK:
            self._graphs[answer[1]] = recorded
        return answer

    def cudaGraphInstantiate(self, graph: int, flags: int) -> tuple[Any, int | None]:
        answer = self._answer("cudaGraphInstantiate", next(self._handles))
        if answer[0] == OK:
            self._launchable[answer[1]] = list(self._graphs[graph])
        return answer

    def cudaGraphDestroy(self, graph: int) -> tuple[Any]:
        del self._graphs[graph]
        return self._answer("cudaGraphDestroy")

    def cudaGraphExecDestroy(self, launchable: int) -> tuple[Any]:
        del self._launchable[launchable]
        return self._answer("cudaGraphExecDestroy")

    def cudaGraphLaunch(self, launchable: int, stream: int) -> tuple[Any]:
        work = list(self._launchable[launchable])
        return self._enqueue("cudaGraphLaunch", stream, lambda: [step() for step in work])

    # Shared by all

    def _answer(self, name: str, *values: Any) -> tuple[Any, ...]:
        number = self.calls[name]
        self.calls[name] += 1
        error = self.failures.get((name, number))
        return (OK, *values) if error is None else (error, *(None for _ in values))

    def _allocate(self, name: str, kind: str, size: int) -> tuple[Any, int | None]:
        content = (ctypes.c_ubyte * size)()
        ctypes.memset(content, POISON, size)  # not zeroed on a GPU either
        answer = self._answer(name, ctypes.addressof(content))
        if answer[0] == OK:
            self._memory[answer[1]] = kind, content, self._gpu
        return answer

    def _free(self, kind: str, address: int) -> tuple[Any]:
        found = self._memory.get(int(address))
        if found is None or found[0] != kind:
            return (ERRORS.cudaErrorInvalidValue,)
        del self._memory[int(address)]
        ctypes.memset(found[1], POISON, len(found[1]))
        self._freed.append(found[1])
        return (OK,)

    def _enqueue(self, name: str, stream: Any, work: Callable[[], None]) -> tuple[Any]:
        handle = int(stream)
        if handle not in self._streams or self._of_stream[handle] != self._gpu:
            return (ERRORS.cudaErrorInvalidResourceHandle,)
        answer = self._answer(name)
        if answer[0] == OK:
            self._recording.get(handle, self._streams[handle]).append(work)
        return answer

    def _run(self, stream: int) -> None:
        work, self._streams[stream] = self._streams[stream], []
        for step in work:
            step()

    def _is_whole(self, target: int, source: int, size: int, kind: Any) -> bool:
        """True if both ends are in memory of the kinds that a copy names; host memory need not be pinned."""
        kinds = self.cudaMemcpyKind
        on_gpu = {
            kinds.cudaMemcpyHostToDevice: (target,),
            kinds.cudaMemcpyDeviceToHost: (source,),
            kinds.cudaMemcpyDeviceToDevice: (target, source),
        }[kind]
        return all(
            any(
                of == "device" and start <= address and address + size <= start + len(content)
                for start, (of, content, _) in self._memory.items()
            )
            for address in on_gpu
        )
