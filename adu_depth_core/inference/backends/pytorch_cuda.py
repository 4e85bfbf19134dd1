"""PyTorch on an NVIDIA GPU, with the network replayed as a CUDA graph."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import GpuBackend, NetworkOutput, blank_input
from adu_depth_core.inference.backends.pytorch import load_weights, require_torch

if TYPE_CHECKING:
    import torch

    from adu_depth_core.networks.student import Student

WARM_UP_RUNS = 3
"""Before the graph is recorded: the first runs choose algorithms and allocate, which cannot be recorded."""


class PyTorchCudaBackend(GpuBackend):
    """See ``base.Backend`` and the PyTorch backend; convolutions in FP32 may use TF32.

    Copies and kernels of a run are one CUDA graph, between pinned host buffers.

    :param gpu: its number, as PyTorch counts those that the process sees
    :param precision: ``fp32``, or what encoder and decoder compute in: ``fp16`` or ``bf16``
    :raises UserError: also if this PyTorch has no CUDA, or finds no GPU or not enough of its memory
    """

    module = "torch"
    extra = "train"

    def __init__(
        self,
        model: Path,
        network_size: tuple[int, int],
        threads: int | None,
        batch: int = 1,
        gpu: int = 0,
        precision: str = "fp32",
    ) -> None:
        torch = self._torch = require_torch()
        self.runtime = f"PyTorch {torch.__version__} CUDA"
        if not torch.cuda.is_available():
            built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for the CPU only"
            raise UserError(
                f"PyTorch {torch.__version__}, built {built}, finds no GPU that it can use: "
                "nvidia-smi shows what there is"
            )
        count = torch.cuda.device_count()
        if not 0 <= gpu < count:
            raise UserError(f"there is no GPU {gpu}: PyTorch sees {count}, counted from 0; see nvidia-smi")
        if threads is not None:
            torch.set_num_threads(threads)
        self._gpu = gpu
        student = load_weights(model, self.runtime)
        try:
            with torch.cuda.device(gpu):
                blank = [torch.from_numpy(values) for values in blank_input(batch, network_size)]
                self._student = _for_speed(student, precision, [values[:1] for values in blank]).cuda()
                self._host = [values.pin_memory() for values in blank]
                self._inputs = [values.cuda() for values in blank]
                with torch.inference_mode(), self._tried_algorithms():
                    self._record()
        except torch.cuda.OutOfMemoryError as error:
            raise UserError(
                f"GPU memory is full: {model} for {batch} images of {network_size[0]}x{network_size[1]} does "
                "not fit; end other programs on the GPU"
            ) from error

    def _record(self) -> None:
        """Run the network a few times, then record it, with copies and without."""
        torch = self._torch
        self._stream = torch.cuda.Stream()
        self._stream.wait_stream(torch.cuda.current_stream())  # that copies weights and inputs
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UP_RUNS):
                outputs = self._student(*self._inputs)
        self._stream.synchronize()
        self._results = [torch.empty(output.shape).pin_memory() for output in outputs]
        self._resident = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._resident, stream=self._stream):
            self._outputs = self._student(*self._inputs)
        self._whole = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._whole, stream=self._stream):
            for values, host in zip(self._inputs, self._host, strict=True):
                values.copy_(host, non_blocking=True)
            for result, output in zip(self._results, self._student(*self._inputs), strict=True):
                result.copy_(output, non_blocking=True)

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        for host, values in zip(self._host, (image, camera), strict=True):
            np.copyto(host.numpy(), values)
        self._replay(self._whole)
        mu, log_b, fingerprint = (result.numpy() for result in self._results)
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)

    def run_resident(self) -> None:
        self._replay(self._resident)

    def _tried_algorithms(self) -> AbstractContextManager[None]:
        """cuDNN takes the fastest of the convolution algorithms that it tries in the first run."""
        flags: AbstractContextManager[None] = self._torch.backends.cudnn.flags(
            enabled=True, benchmark=True, allow_tf32=True
        )
        return flags

    def _replay(self, graph: torch.cuda.CUDAGraph) -> None:
        with self._torch.cuda.device(self._gpu), self._torch.cuda.stream(self._stream):
            graph.replay()
        self._stream.synchronize()


def _for_speed(student: Student, precision: str, inputs: list[torch.Tensor]) -> torch.nn.Module:
    """The student without batch norms, in a precision."""
    from adu_depth_core.networks.folding import fold_batch_norms
    from adu_depth_core.networks.reduced_precision import ReducedPrecisionStudent

    folded = fold_batch_norms(student, *inputs)
    return folded if precision == "fp32" else ReducedPrecisionStudent(folded, precision)
