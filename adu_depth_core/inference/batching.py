"""Batches made of the images of concurrent threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from adu_depth_core.inference.backends.base import Backend, NetworkInput, NetworkOutput, blank_input


def batching(open_network: Callable[[int], Backend], count: int, size: tuple[int, int]) -> Sequence[Backend]:
    """Backends for ``count`` threads, one each, whose images run together.

    Nobody waits for a batch to fill: an image runs at once if none is in progress, else together with all
    that arrived meanwhile, in order of arrival.

    :param open_network: loads the network for a batch size; called with 1 and with ``count``
    :param size: ``(height, width)`` of the network's input
    """
    network = _SharedNetwork(open_network, count, size)
    return [_Member(network) for _ in range(count)]


class _Request:
    """An image that waits for its output."""

    def __init__(self, inputs: NetworkInput) -> None:
        self.inputs = inputs
        self.output: NetworkOutput | None = None
        self.error: Exception | None = None

    def is_done(self) -> bool:
        return self.output is not None or self.error is not None


class _SharedNetwork:
    """A network loaded for one image, for low latency, and for a batch of ``count``."""

    def __init__(self, open_network: Callable[[int], Backend], count: int, size: tuple[int, int]) -> None:
        self._single = open_network(1)
        self._whole = open_network(count)
        self._count = count
        self._batch = blank_input(count, size)
        self._whole.run(*self._batch)  # the first run is slow
        self._waiting: list[_Request] = []
        self._arriving = threading.Lock()
        self._running = threading.Lock()
        self.runtime = self._single.runtime

    def infer(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        request = _Request(NetworkInput(image, camera))
        with self._arriving:
            self._waiting.append(request)
        with self._running:
            while not request.is_done():  # else another thread's batch held it
                self._run_waiting()
        if request.error is not None:
            raise request.error
        assert request.output is not None
        return request.output

    def _run_waiting(self) -> None:
        with self._arriving:
            requests, self._waiting = self._waiting[: self._count], self._waiting[self._count :]
        try:
            outputs = self._run([request.inputs for request in requests])
        except Exception as error:
            for request in requests:
                request.error = error
        else:
            for request, output in zip(requests, outputs, strict=True):
                request.output = output

    def _run(self, inputs: Sequence[NetworkInput]) -> list[NetworkOutput]:
        if len(inputs) == 1:
            output = self._single.run(*inputs[0])
        else:
            for index, one in enumerate(inputs):
                for values, row in zip(self._batch, one, strict=True):
                    values[index] = row[0]
            output = self._whole.run(*self._batch)
        # Copies: the next run may begin before these are used.
        return [
            NetworkOutput(*(None if values is None else values[index].copy() for values in output))  # type: ignore[arg-type]
            for index in range(len(inputs))
        ]


class _Member(Backend):
    """A thread's access to the shared network."""

    module = extra = ""  # the network that was loaded has imported its runtime

    def __init__(self, network: _SharedNetwork) -> None:
        self._network = network
        self.runtime = network.runtime

    def run(self, image: np.ndarray, camera: np.ndarray) -> NetworkOutput:
        output = self._network.infer(image, camera)
        return NetworkOutput(*(None if values is None else values[None] for values in output))  # type: ignore[arg-type]
