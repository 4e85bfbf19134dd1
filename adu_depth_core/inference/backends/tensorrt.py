"""TensorRT engines, with NVIDIA's cuda-python for memory, stream and graph."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import (
    IMAGE,
    INPUTS,
    OUTPUTS,
    GpuBackend,
    NetworkOutput,
    blank_input,
    input_shapes,
)
from adu_depth_core.inference.tensorrt.cuda import MODULE, Buffer, Stream, cuda_runtime, current_gpu, use_gpu
from adu_depth_core.inference.tensorrt.engine_file import check_fits, engine_card

logger = logging.getLogger(__name__)


class TensorRTBackend(GpuBackend):
    """See ``base.Backend``. The model is a ``.engine`` file by ``adu_depth build-engine``, with its card.

    One stream, pinned host buffers, and the copies and kernels of a run recorded once as a CUDA graph
    and replayed. The engine is deserialised and the graph recorded here, never on a frame.

    :param gpu: its number, as CUDA counts those that the process sees
    :raises UserError: also if there is no driver or GPU, the engine is for another GPU or TensorRT, or
        GPU memory is full
    """

    module = MODULE
    extra = "tensorrt"

    def __init__(
        self,
        model: Path,
        network_size: tuple[int, int],
        threads: int | None,
        batch: int = 1,
        gpu: int = 0,
    ) -> None:
        cuda_runtime()
        facts = engine_card(model).extra["engine"]
        self._gpu = gpu
        use_gpu(gpu)
        from adu_depth_core.inference.tensorrt import deserialize
        from adu_depth_core.inference.tensorrt.api import load_flavour

        flavour = load_flavour(facts["flavour"])
        check_fits(model, facts, current_gpu(), flavour.version)
        self.runtime = f"{flavour.name} {flavour.version}"
        shapes = input_shapes(batch, network_size)
        profile = profile_index(model, facts["profiles"], shapes[IMAGE])
        self._loaded = deserialize.load(flavour, model, facts)
        self._stream = Stream()
        if profile:
            self._do(self._loaded.context.set_optimization_profile_async(profile, int(self._stream.handle)))
        for name, shape in shapes.items():
            self._do(self._loaded.context.set_input_shape(name, shape))
        # Output shapes are known once the input shapes are set.
        shapes |= {name: tuple(self._loaded.context.get_tensor_shape(name)) for name in OUTPUTS}
        self._buffers = {name: Buffer(name, shape) for name, shape in shapes.items()}
        for name, buffer in self._buffers.items():
            self._do(self._loaded.context.set_tensor_address(name, buffer.device))
        self._put(*blank_input(batch, network_size))
        self._prepare()

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        use_gpu(self._gpu)  # CUDA's current device is per thread
        self._put(image, camera)
        (self._replay_whole or self._copy_and_compute)()
        self._stream.wait("run the network")
        mu, log_b, fingerprint = (self._buffers[name].host for name in OUTPUTS)
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)

    def run_resident(self) -> None:
        use_gpu(self._gpu)
        (self._replay_resident or self._compute)()
        self._stream.wait("run the network")

    def _put(self, image: np.ndarray, camera: np.ndarray) -> None:
        for name, values in zip(INPUTS, (image, camera), strict=True):
            np.copyto(self._buffers[name].host, values)

    def _prepare(self) -> None:
        """Run once, which allocates and compiles, then record; keep the compiled kernels for the next
        start."""
        self._copy_and_compute()
        self._stream.wait("run the network")
        self._loaded.keep_kernels()
        # Only tensorrt_rtx reports this; with tensorrt a network without control flow can always be captured.
        ask = getattr(self._loaded.context, "is_stream_capturable", lambda stream: True)
        self._replay_whole = self._replay_resident = None
        if ask(int(self._stream.handle)):
            self._replay_whole = self._stream.record(self._copy_and_compute)
            self._replay_resident = self._stream.record(self._compute)
        else:
            logger.warning(
                "%s cannot be recorded as a CUDA graph: each run is launched without a graph", self.runtime
            )

    def _copy_and_compute(self) -> None:
        for name in INPUTS:
            self._buffers[name].upload(self._stream)
        self._compute()
        for name in OUTPUTS:
            self._buffers[name].download(self._stream)

    def _compute(self) -> None:
        self._do(self._loaded.context.execute_async_v3(int(self._stream.handle)))

    def _do(self, succeeded: bool) -> None:
        if not succeeded:
            raise UserError(f"{self.runtime} could not run the engine: {self._loaded.reasons()}")


def profile_index(engine: Path, profiles: list[list[list[int]]], shape: tuple[int, ...]) -> int:
    """Index of the optimisation profile that accepts an input of this shape; the tightest one.

    :param profiles: least, best and largest shape of each, from the card
    :raises UserError: if none does, with those there are
    """
    fitting = [
        (high[0] - low[0], index)
        for index, (low, _, high) in enumerate(profiles)
        if all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True))
    ]
    if fitting:
        return min(fitting)[1]
    known = ", ".join(describe_profile(profile) for profile in profiles)
    asked = "x".join(map(str, shape))
    raise UserError(
        f"{engine} does not take a {asked} input, but {known}: set network_size to one of these, or build "
        "an engine for that size"
    )


def describe_profile(profile: list[list[int]]) -> str:
    """Such as ``1x3x192x640``, or ``1..4x3x192x640`` for an open batch."""
    low, _, high = profile
    return "x".join(str(a) if a == b else f"{a}..{b}" for a, b in zip(low, high, strict=True))
