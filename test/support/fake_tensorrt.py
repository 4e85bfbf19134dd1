"""TensorRT's Python API, behaving as documented: for machines without TensorRT or a GPU.

Failing calls return None or False and log the reason. An object must be destroyed before its creator
(Developer Guide, Object Lifetimes); violations are listed in ``FakeTensorRT.faults``. An engine is a plan in
JSON, made by ``plan``. Its network copies the image's first channel to ``mu``, the second to ``log_b`` and
the camera to ``fingerprint``, by CUDA copies on the given stream: on ``FakeCuda``, and on a real GPU too.
"""

from __future__ import annotations

import enum
import itertools
import json
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

FLOAT_BYTES = 4


def plan(size: tuple[int, int], batches: tuple[int, int] = (1, 1), **changes: Any) -> bytes:
    """A serialised engine for images ``(height, width)`` and from least to most images at once.

    :param changes: ``version_compatible``, ``dla_core``, ``types`` (by tensor), ``capturable``
    """
    facts = {"size": size, "batches": batches, "version_compatible": False, "dla_core": None, "types": {}}
    return json.dumps({**facts, "capturable": True, **changes}).encode()


class DataType(enum.Enum):
    FLOAT = 0
    HALF = 1


class TensorIOMode(enum.Enum):
    INPUT = 1
    OUTPUT = 2


class Severity(enum.IntEnum):
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class ILogger:
    Severity = Severity

    def __init__(self) -> None:
        pass


class FakeTensorRT:
    """Replaces the ``tensorrt`` module or ``tensorrt_rtx``.

    :param cuda: the CUDA runtime that its engines use
    :param rtx: True to compile at run time and keep kernels in a runtime cache

    :ivar faults: descriptions of objects that outlived their creator
    :ivar refuse: names of calls that return None or False
    :ivar made: the latest object of each class
    """

    __version__ = "10.3.0"
    ILogger, DataType, TensorIOMode = ILogger, DataType, TensorIOMode
    LayerInformationFormat = SimpleNamespace(JSON="json")

    def __init__(self, cuda: Any, rtx: bool = False) -> None:
        self.cuda = cuda
        self.faults: list[str] = []
        self.refuse: set[str] = set()
        self.made: dict[str, Any] = {}
        self.dla_cores = 0
        if rtx:
            self.IRuntimeCache = RuntimeCache
            self.DynamicShapesKernelSpecializationStrategy = SimpleNamespace(EAGER="eager")
        self.rtx = rtx

    def Runtime(self, logger: ILogger) -> Runtime:
        return Runtime(self, logger)


NUMBERS = itertools.count()
GONE: dict[int, Callable[[], None]] = {}
"""Callbacks for the destruction of objects, by handle."""


class Handle(int):
    """Destroyed when its owner is deallocated, like a C++ object: it is not tracked by the garbage collector,
    which runs callbacks and finalises cyclic garbage in any order beforehand.
    """

    __slots__ = ()

    def __del__(self) -> None:
        GONE.pop(int(self))()


class Made:
    """An object created by another, its factory; it must be destroyed first."""

    def __init__(self, trt: FakeTensorRT, factory: Made | None = None) -> None:
        self._trt = trt
        self._living: set[int] = set()
        trt.made[type(self).__name__] = weakref.proxy(self)
        name, faults, living = type(self).__name__, trt.faults, self._living

        def gone() -> None:
            if living:
                faults.append(f"{name} went before what it had made")
            if factory_living is not None:
                factory_living.discard(key)

        key, factory_living = next(NUMBERS), None if factory is None else factory._living
        if factory_living is not None:
            factory_living.add(key)
        GONE[key] = gone
        self._handle = Handle(key)

    def _allowed(self, name: str) -> bool:
        return name not in self._trt.refuse


class Runtime(Made):
    engine_host_code_allowed = False
    DLA_core = -1

    def __init__(self, trt: FakeTensorRT, logger: ILogger) -> None:
        super().__init__(trt)
        self._logger = weakref.ref(logger)  # it must outlive the runtime, which does not keep it

    def deserialize_cuda_engine(self, content: bytes) -> Engine | None:
        try:
            facts = json.loads(content)
        except ValueError:
            return self._complain("Error Code 1: Serialization (magicTagRead)")
        if facts["version_compatible"] and not self.engine_host_code_allowed:
            return self._complain("Error Code 4: host code is not allowed")
        if facts["dla_core"] is not None and self.DLA_core != facts["dla_core"]:
            return self._complain("Error Code 3: the engine runs on DLA, and DLA_core is not set")
        return Engine(self._trt, self, facts) if self._allowed("deserialize_cuda_engine") else None

    @property
    def num_DLA_cores(self) -> int:
        return self._trt.dla_cores

    def _complain(self, text: str) -> None:
        logger = self._logger()
        if logger is None:
            self._trt.faults.append("the logger went before the runtime")
        else:
            logger.log(Severity.ERROR, text)


class Engine(Made):
    _NAMES = ("image", "camera", "mu", "log_b", "fingerprint")
    num_io_tensors = len(_NAMES)

    def __init__(self, trt: FakeTensorRT, factory: Runtime, facts: dict[str, Any]) -> None:
        super().__init__(trt, factory)
        self.facts = facts

    def get_tensor_name(self, index: int) -> str:
        return self._NAMES[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in ("image", "camera") else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType[self.facts["types"].get(name, "FLOAT")]

    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig(self._trt, self)

    def create_engine_inspector(self) -> Any:
        types = [{"Format/Datatype": "Row major linear FP32 format"}]
        layer = {"Name": "copies", "LayerType": "CaskConvolution", "Inputs": types, "Outputs": types}
        return SimpleNamespace(get_engine_information=lambda format: json.dumps({"Layers": [layer]}))

    def create_execution_context(self, config: RuntimeConfig | None = None) -> Context | None:
        if not self._allowed("create_execution_context"):
            return None
        return Context(self._trt, self, config)


class RuntimeConfig(Made):
    dynamic_shapes_kernel_specialization_strategy = "lazy"

    def __init__(self, trt: FakeTensorRT, factory: Engine) -> None:
        super().__init__(trt, factory)
        self.cache: weakref.ref[RuntimeCache] | None = None

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache(self._trt, self)

    def set_runtime_cache(self, cache: RuntimeCache) -> bool:
        self.cache = weakref.ref(cache)  # owned by the caller
        return self._allowed("set_runtime_cache")


class RuntimeCache(Made):
    def __init__(self, trt: FakeTensorRT, factory: RuntimeConfig) -> None:
        super().__init__(trt, factory)
        self.content = b""

    def deserialize(self, content: bytes) -> bool:
        if not content.startswith(b"kernels"):
            return False
        self.content = content
        return True

    def serialize(self) -> bytes:
        return self.content


class Context(Made):
    def __init__(self, trt: FakeTensorRT, factory: Engine, config: RuntimeConfig | None) -> None:
        super().__init__(trt, factory)
        self._facts = factory.facts
        self._config = None if config is None else weakref.ref(config)
        self._shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        self._shapes.clear()
        return self._allowed("set_optimization_profile_async")

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        low, high = self._facts["batches"]
        rest = {"image": (3, *self._facts["size"]), "camera": (4,)}.get(name)
        if rest is None or tuple(shape[1:]) != rest or not low <= shape[0] <= high:
            return False
        self._shapes[name] = tuple(shape)
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        batch = self._shapes["image"][0] if {"image", "camera"} <= self._shapes.keys() else -1
        return (batch, 4) if name == "fingerprint" else (batch, 1, *self._facts["size"])

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = int(address)
        return True

    def is_stream_capturable(self, stream: int) -> bool:
        return self._facts["capturable"]

    def execute_async_v3(self, stream: int) -> bool:
        if len(self.addresses) < Engine.num_io_tensors or not self._allowed("execute_async_v3"):
            return False
        if self._config is not None and self._run_time_cache() is not None:
            self._run_time_cache().content = b"kernels of this GPU"
        cuda = self._trt.cuda
        batch, _, height, width = self._shapes["image"]
        pixels = FLOAT_BYTES * height * width
        copies = [("fingerprint", 0, "camera", 0, batch * 4 * FLOAT_BYTES)]
        for index in range(batch):
            copies.append(("mu", index * pixels, "image", 3 * index * pixels, pixels))
            copies.append(("log_b", index * pixels, "image", (3 * index + 1) * pixels, pixels))
        for target, to, source, at, size in copies:
            (status,) = cuda.cudaMemcpyAsync(
                self.addresses[target] + to,
                self.addresses[source] + at,
                size,
                cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice,
                stream,
            )
            if status != cuda.cudaError_t.cudaSuccess:
                return False
        return True

    def _run_time_cache(self) -> RuntimeCache | None:
        config = self._config()
        if config is None:
            self._trt.faults.append("the run-time configuration went before the context")
            return None
        cache = None if config.cache is None else config.cache()
        if config.cache is not None and cache is None:
            self._trt.faults.append("the runtime cache went before the context")
        return cache
