"""The roofline model of a network on its GPU, with measured ceilings."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adu_depth_core.deploy.network_cost import Cost
from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.cuda import check, cuda_runtime

logger = logging.getLogger(__name__)

COPY_BYTES = 256 << 20
MATRIX = 8192
"""Rows and columns of the matrices that are multiplied: ``COPY_BYTES`` in FP32."""

REPEATS = 5
LEAST_SECONDS = 0.1
"""Repetitions of each measurement, so that a clock that is still ramping up has no effect."""


@dataclass(frozen=True)
class Ceilings:
    """Measured peak rates of this GPU.

    :param bytes_per_s: read plus written, by a copy within its memory
    :param operations_per_s: multiplications and additions by cuBLAS, by type, without those that the GPU
        lacks; fp32 in TF32, as the runtimes take it where the GPU has it
    """

    bytes_per_s: float
    operations_per_s: dict[str, float]


def ideal_seconds(cost: Cost, batch: int, ceilings: Ceilings) -> float | None:
    """Time of a batch limited only by the ceilings: arithmetic or memory, whichever takes longer. None if
    the GPU has no ceiling for a type of the network.
    """
    if not cost.operations.keys() <= ceilings.operations_per_s.keys():
        return None
    arithmetic = sum(batch * n / ceilings.operations_per_s[kind] for kind, n in cost.operations.items())
    return max(arithmetic, cost.moved(batch) / ceilings.bytes_per_s)


def measure_ceilings() -> Ceilings:
    """Copy and multiply for some seconds, on random numbers: a GPU is faster on zeros.

    :raises UserError: if there is no GPU, no cuBLAS, or not enough free GPU memory (1 GB)
    """
    cuda = cuda_runtime()
    with contextlib.ExitStack() as stack:
        blas = Blas()  # before allocating: the GPU may be missing
        stack.callback(blas.close)
        pointers = []
        for _ in range(3):
            pointers.append(int(check(cuda.cudaMalloc(COPY_BYTES), "allocate memory to copy")))
            stack.callback(cuda.cudaFree, pointers[-1])
        one, other, result = pointers
        kind = cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice

        def copy() -> None:
            check(cuda.cudaMemcpyAsync(result, one, COPY_BYTES, kind, 0), "copy")

        operations = {}
        for name in TYPES:
            for pointer in (one, other):
                _fill(pointer, name, cuda)
            try:
                seconds = _seconds(functools.partial(blas.multiply, name, *pointers), cuda)
            except UserError as error:
                logger.warning("no ceiling in %s, which this GPU may lack: %s", name, error)
            else:
                operations[name] = 2 * MATRIX**3 / seconds
        return Ceilings(2 * COPY_BYTES / _seconds(copy, cuda), operations)


def _fill(pointer: int, name: str, cuda: Any) -> None:
    """Put normally distributed numbers of a type into ``COPY_BYTES`` of GPU memory."""
    values = np.random.default_rng(pointer).standard_normal(1 << 20, np.float32)
    if name == "int8":
        values = (30 * values).clip(-127, 127).astype(np.int8)
    elif name == "fp16":
        values = values.astype(np.float16)
    elif name == "bf16":
        values = (values.view(np.uint32) >> 16).astype(np.uint16)
    kind = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
    for offset in range(0, COPY_BYTES, values.nbytes):
        check(cuda.cudaMemcpy(pointer + offset, values.ctypes.data, values.nbytes, kind), "fill memory")


# cudaDataType of inputs and results, and cublasComputeType_t, from library_types.h and cublas_api.h
TYPES = {"fp32": (0, 0, 77), "fp16": (2, 2, 68), "bf16": (14, 14, 68), "int8": (3, 10, 72)}


class Blas:
    """cuBLAS's matrix product; JetPack and the CUDA toolkit bring it, and so does PyTorch for CUDA.

    :raises UserError: if it is not found or cannot start
    """

    def __init__(self) -> None:
        self._library = _load_cublas()
        self._handle = ctypes.c_void_p()
        self._call("cublasCreate_v2", ctypes.byref(self._handle))

    def multiply(self, name: str, one: int, other: int, result: int) -> None:
        """``result = one^T * other`` of square matrices of a type, on the default stream."""
        inputs, output, compute = TYPES[name]
        number = ctypes.c_int32 if name == "int8" else ctypes.c_float
        alpha, beta, n = number(1), number(0), MATRIX
        self._call(
            "cublasGemmEx",
            self._handle,
            *(1, 0, n, n, n, ctypes.byref(alpha)),  # the first is transposed, as INT8 requires
            *(ctypes.c_void_p(one), inputs, n, ctypes.c_void_p(other), inputs, n, ctypes.byref(beta)),
            *(ctypes.c_void_p(result), output, n, compute, -1),
        )

    def close(self) -> None:
        self._library.cublasDestroy_v2(self._handle)

    def _call(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, function)(*arguments)
        if status:
            raise UserError(f"cuBLAS failed ({function}, status {status}): no ceiling can be measured here")


def _load_cublas() -> Any:
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib

        return ctypes.CDLL(load_nvidia_dynamic_lib("cublas").abs_path)
    except Exception as error:  # an older cuda-python has no pathfinder; its errors share no base
        name = ctypes.util.find_library("cublas")
        if name is None:
            raise UserError(f"cuBLAS was not found ({error}): pip install nvidia-cublas") from error
        return ctypes.CDLL(name)


def _seconds(work: Callable[[], None], cuda: Any) -> float:
    for _ in range(3):
        work()
    check(cuda.cudaDeviceSynchronize(), "measure")
    started = time.perf_counter()
    repeats = 0
    while True:
        for _ in range(REPEATS):
            work()
        check(cuda.cudaDeviceSynchronize(), "measure")
        repeats += REPEATS
        if (passed := time.perf_counter() - started) >= LEAST_SECONDS:
            return passed / repeats
