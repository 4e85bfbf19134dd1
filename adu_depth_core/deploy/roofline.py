"""How near a network comes to what its GPU can do: the roofline model, with measured ceilings."""

from __future__ import annotations

import ctypes
import ctypes.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adu_depth_core.deploy.network_cost import Cost
from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.cuda import check, cuda_runtime

COPY_BYTES = 256 << 20
MATRIX = 4096
"""Rows and columns of the matrices that are multiplied."""

REPEATS = 20


@dataclass(frozen=True)
class Ceilings:
    """The best that this GPU does, measured.

    :param bytes_per_s: read plus written, by a copy within its memory
    :param operations_per_s: multiplications and additions by cuBLAS, by type; fp32 in TF32, as the runtimes
        take it where the GPU has it
    """

    bytes_per_s: float
    operations_per_s: dict[str, float]


def ideal_seconds(cost: Cost, batch: int, ceilings: Ceilings) -> float:
    """Time of a batch if only the ceilings held it up: arithmetic or memory, whichever takes longer."""
    arithmetic = sum(batch * n / ceilings.operations_per_s[kind] for kind, n in cost.operations.items())
    return max(arithmetic, cost.moved(batch) / ceilings.bytes_per_s)


def measure_ceilings() -> Ceilings:
    """Copy and multiply for about a second.

    :raises UserError: if there is no GPU, no cuBLAS, or not enough free GPU memory (1 GB)
    """
    cuda = cuda_runtime()
    blas = Blas()  # before memory is asked for: it may be what is missing
    pointers = [check(cuda.cudaMalloc(COPY_BYTES), "allocate memory to copy") for _ in range(3)]
    try:
        kind = cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        one, other, result = map(int, pointers)

        def copy() -> None:
            check(cuda.cudaMemcpyAsync(other, one, COPY_BYTES, kind, 0), "copy")

        bytes_per_s = 2 * COPY_BYTES / _seconds(copy, cuda)
        operations = {
            name: 2 * MATRIX**3 / _seconds(lambda name=name: blas.multiply(name, one, other, result), cuda)
            for name in TYPES
        }
    finally:
        for pointer in pointers:
            cuda.cudaFree(pointer)
        blas.close()
    return Ceilings(bytes_per_s, operations)


# cudaDataType of inputs and results, and cublasComputeType_t, from library_types.h and cublas_api.h
TYPES = {"fp32": (0, 0, 77), "fp16": (2, 2, 68), "int8": (3, 10, 72)}


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
            *(1, 0, n, n, n, ctypes.byref(alpha)),  # the first is transposed: INT8 has no other way
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
    for _ in range(REPEATS):
        work()
    check(cuda.cudaDeviceSynchronize(), "measure")
    return (time.perf_counter() - started) / REPEATS
