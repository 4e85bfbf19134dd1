"""OpenVINO: the fastest of the CPU runtimes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.errors import require
from adu_depth_core.inference.backends.base import (
    CAMERA,
    IMAGE,
    OUTPUTS,
    Backend,
    NetworkOutput,
    check_interface,
    input_shapes,
    unreadable_model,
)


class OpenVINOBackend(Backend):
    """See ``base.Backend``. The network is compiled for this one input size."""

    module = "openvino"
    extra = "openvino"

    def __init__(
        self,
        model: Path,
        network_size: tuple[int, int],
        threads: int | None,
        batch: int = 1,
        streams: int = 1,
    ) -> None:
        openvino = require(self.module, self.extra, "for the OpenVINO backend")
        self.runtime = f"OpenVINO {openvino.__version__.split('-')[0]}"
        # f32: OpenVINO would otherwise choose bfloat16 on CPUs that have it, at 1 % of depth.
        options: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if streams > 1:
            options |= {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": streams}
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        core = _core()
        try:
            network = core.read_model(model)
            check_interface(
                model, (i.any_name for i in network.inputs), (o.any_name for o in network.outputs)
            )
            network.reshape(input_shapes(batch, network_size))
            self._compiled = core.compile_model(network, "CPU", options)
        except RuntimeError as error:
            raise unreadable_model(model, self.runtime, error) from error
        self._request = self._compiled.create_infer_request()

    @classmethod
    def streams(cls, model: Path, network_size: tuple[int, int], count: int) -> Sequence[OpenVINOBackend]:
        # Networks compiled separately would all be pinned to the same cores.
        first = cls(model, network_size, count, streams=count)
        return [first, *(first._sharing_network() for _ in range(count - 1))]

    def _sharing_network(self) -> OpenVINOBackend:
        other = copy.copy(self)
        other._request = self._compiled.create_infer_request()
        return other

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        self._request.infer({IMAGE: image, CAMERA: camera}, share_inputs=True)
        mu, log_b, fingerprint = (self._request.get_tensor(name).data for name in OUTPUTS)
        return NetworkOutput(mu[:, 0], log_b[:, 0], fingerprint)


@functools.cache
def _core() -> Any:
    """OpenVINO's runtime: one, until the process ends.

    Each would register a signal stack and give back the one before it when it goes. Unless the last made goes
    first, that one is freed memory by then, and Ctrl-C crashes the process (seen with 2026.4.1).
    """
    import openvino

    return openvino.Core()
