"""TensorRT engines, with NVIDIA's cuda-python for memory, stream and graph."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import INPUT, OUTPUTS, Backend, check_interface
from adu_depth_core.inference.cuda import check, cuda_runtime, current_gpu
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card

FLOAT_BYTES = 4


class TensorRTBackend(Backend):
    """See ``base.Backend``. The model is a ``.engine`` file by ``adu_depth build-engine``, with its card.

    One stream, pinned host buffers, and the copies and kernels of a frame recorded once as a CUDA graph
    and replayed. The engine is deserialised and the graph recorded here, never on a frame.

    :raises UserError: also if there is no driver or GPU, the engine is for another GPU or TensorRT, or
        GPU memory is full
    """

    module = "cuda.bindings.runtime"
    extra = "tensorrt"

    def __init__(self, model: Path, network_size: tuple[int, int], threads: int | None) -> None:
        card = engine_card(model)
        self._cuda = cuda_runtime()
        gpu = current_gpu()
        from adu_depth_core.deploy.tensorrt_api import load_flavour, recording_logger

        facts = card.extra["engine"]
        flavour = load_flavour(facts["flavour"])
        check_fits(model, facts, gpu, flavour.version)
        self.runtime = f"{flavour.name} {flavour.version}"
        self._recorder = recording_logger(flavour.trt)
        self._trt_runtime = flavour.trt.Runtime(self._recorder)
        if facts["options"]["version_compatible"]:
            self._trt_runtime.engine_host_code_allowed = True  # the card's hash vouches for the file
        engine = self._trt_runtime.deserialize_cuda_engine(model.read_bytes())
        context = engine and engine.create_execution_context()
        if not context:
            raise UserError(
                f"{model} could not be loaded by {self.runtime}: {'; '.join(self._recorder.errors)}"
            )
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        is_input = [engine.get_tensor_mode(name) == flavour.trt.TensorIOMode.INPUT for name in names]
        check_interface(
            model,
            (name for name, flag in zip(names, is_input, strict=True) if flag),
            (name for name, flag in zip(names, is_input, strict=True) if not flag),
        )
        self._engine, self._context = engine, context
        if not context.set_input_shape(INPUT, (1, 3, *network_size)):
            raise UserError(
                f"{model} does not take a 1x3x{network_size[0]}x{network_size[1]} input, but "
                f"{facts['tensors'][INPUT]['shape']} with batches of {facts['options']['batch']}"
            )
        self._stream = check(self._cuda.cudaStreamCreate(), "make a stream")
        sizes = {INPUT: (3, *network_size), **dict.fromkeys(OUTPUTS, network_size)}
        self._host: dict[str, np.ndarray] = {}
        self._copies: list[tuple[int, int, int, Any]] = []
        for name, size in sizes.items():
            self._allocate(name, size)
        self._graph = self._record()

    def infer(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        np.copyto(self._host[INPUT], tensor[0])
        check(self._cuda.cudaGraphLaunch(self._graph, self._stream), "start the network")
        check(self._cuda.cudaStreamSynchronize(self._stream), "run the network")
        mu, log_b = (self._host[name] for name in OUTPUTS)
        return mu, log_b

    def _allocate(self, name: str, size: tuple[int, ...]) -> None:
        """Pinned host memory and device memory of a tensor."""
        count = int(np.prod(size))
        host = check(self._cuda.cudaMallocHost(count * FLOAT_BYTES), f"allocate {name} on the host")
        device = check(self._cuda.cudaMalloc(count * FLOAT_BYTES), f"allocate {name} on the GPU")
        buffer = (ctypes.c_float * count).from_address(int(host))
        self._host[name] = np.ctypeslib.as_array(buffer).reshape(size)
        self._context.set_tensor_address(name, int(device))
        kinds = self._cuda.cudaMemcpyKind
        if name == INPUT:
            copy = (int(device), int(host), count * FLOAT_BYTES, kinds.cudaMemcpyHostToDevice)
        else:
            copy = (int(host), int(device), count * FLOAT_BYTES, kinds.cudaMemcpyDeviceToHost)
        self._copies.append(copy)

    def _enqueue(self) -> None:
        upload, *downloads = self._copies
        check(self._cuda.cudaMemcpyAsync(*upload, self._stream), "upload a frame")
        if not self._context.execute_async_v3(int(self._stream)):
            raise UserError(f"{self.runtime} could not run the engine: {'; '.join(self._recorder.errors)}")
        for download in downloads:
            check(self._cuda.cudaMemcpyAsync(*download, self._stream), "download the result")

    def _record(self) -> Any:
        """The work of one frame as a CUDA graph; the first run allocates and is not recorded."""
        self._enqueue()
        check(self._cuda.cudaStreamSynchronize(self._stream), "run the network")
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        check(self._cuda.cudaStreamBeginCapture(self._stream, mode), "record the network")
        self._enqueue()
        graph = check(self._cuda.cudaStreamEndCapture(self._stream), "record the network")
        return check(self._cuda.cudaGraphInstantiate(graph, 0), "prepare the recorded network")


def engine_card(engine: Path) -> ModelCard:
    """Card of an engine, checked against the file.

    :raises UserError: if either is missing, damaged, or they do not belong together
    """
    try:
        card = read_card(engine)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    if "engine" not in card.extra:
        raise UserError(f"{engine} is no engine by `adu_depth build-engine`")
    return card


def check_fits(engine: Path, facts: dict[str, Any], gpu: dict[str, str], version: str) -> None:
    """Refuse an engine of another GPU or TensorRT, before TensorRT does so less clearly.

    :param facts: the card's ``engine`` entry
    :param gpu: this machine's, see ``cuda.current_gpu``
    :param version: the installed TensorRT's
    """
    remedy = "build it again here with `adu_depth build-engine`"
    options = facts["options"]
    built = facts["version"].split(".")
    same = built[0] == version.split(".")[0] if options["version_compatible"] else facts["version"] == version
    if not same:
        raise UserError(f"{engine} is for {facts['flavour']} {facts['version']}, here is {version}: {remedy}")
    capability, name = facts["gpu"]["compute_capability"], facts["gpu"]["name"]
    if options["hardware_compatible"]:
        return
    if capability != gpu["compute_capability"] or name not in (None, gpu["name"]):
        raise UserError(
            f"{engine} is for {name or 'GPUs'} of compute capability {capability}, here is {gpu['name']} of "
            f"{gpu['compute_capability']}: {remedy}"
        )
