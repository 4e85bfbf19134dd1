"""PyTorch on an NVIDIA GPU, with the network replayed as a CUDA graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import Backend, NetworkOutput, blank_input
from adu_depth_core.inference.backends.pytorch import load_weights, require_torch

WARM_UP_RUNS = 3
"""Before the graph is recorded: the first runs choose algorithms and allocate, which cannot be recorded."""


class PyTorchCudaBackend(Backend):
    """See ``base.Backend`` and the PyTorch backend; FP32, convolutions may use TF32.

    Copies and kernels of a run are one CUDA graph, between pinned host buffers.

    :raises UserError: also if this PyTorch has no CUDA, or finds no GPU or not enough of its memory
    """

    module = "torch"
    extra = "train"

    def __init__(
        self, model: Path, network_size: tuple[int, int], threads: int | None, batch: int = 1
    ) -> None:
        torch = self._torch = require_torch()
        self.runtime = f"PyTorch {torch.__version__} CUDA"
        if not torch.cuda.is_available():
            built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for the CPU only"
            raise UserError(
                f"PyTorch {torch.__version__}, built {built}, finds no GPU that it can use: "
                "nvidia-smi shows what there is"
            )
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            self._student = load_weights(model, self.runtime).cuda()
            self._host = [torch.from_numpy(v).pin_memory() for v in blank_input(batch, network_size)]
            self._inputs = [values.cuda() for values in self._host]
            self._stream = torch.cuda.Stream()
            with torch.cuda.stream(self._stream), torch.inference_mode():
                for _ in range(WARM_UP_RUNS):
                    outputs = self._student(*self._inputs)
            self._stream.synchronize()
            self._results = [torch.empty(output.shape).pin_memory() for output in outputs]
            self._resident = torch.cuda.CUDAGraph()
            with torch.inference_mode(), torch.cuda.graph(self._resident, stream=self._stream):
                self._outputs = self._student(*self._inputs)
            self._whole = torch.cuda.CUDAGraph()
            with torch.inference_mode(), torch.cuda.graph(self._whole, stream=self._stream):
                for values, host in zip(self._inputs, self._host, strict=True):
                    values.copy_(host, non_blocking=True)
                for result, output in zip(self._results, self._student(*self._inputs), strict=True):
                    result.copy_(output, non_blocking=True)
        except torch.cuda.OutOfMemoryError as error:
            raise UserError(
                f"GPU memory is full: {model} for {batch} images of {network_size[0]}x{network_size[1]} does "
                "not fit; end other programs on the GPU"
            ) from error

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        for host, values in zip(self._host, (image, camera), strict=True):
            np.copyto(host.numpy(), values)
        self._replay(self._whole)
        mu, log_b, fingerprint = (result.numpy() for result in self._results)
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)

    def run_resident(self) -> None:
        self._replay(self._resident)

    def _replay(self, graph) -> None:
        with self._torch.cuda.stream(self._stream):
            graph.replay()
        self._stream.synchronize()
