"""The building half of ``fake_tensorrt``: parser, builder, configuration and timing cache of TensorRT 10.

The builder always makes the fake's own network: it takes only the interface from the ONNX.
"""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any

import onnx
from fake_tensorrt import DataType, FakeTensorRT, Severity, plan

TIMES = b"times of this GPU"


class FakeTensorRTBuilder(FakeTensorRT):
    """``FakeTensorRT`` that also builds.

    :ivar cache_at_build: content of the timing cache when the engine was built
    :ivar builders: live builders
    :ivar built_on: index of the GPU that it was built on
    """

    ProfilingVerbosity = SimpleNamespace(DETAILED="detailed")
    MemoryPoolType = SimpleNamespace(WORKSPACE="workspace")
    BuilderFlag = SimpleNamespace(VERSION_COMPATIBLE="version compatible", GPU_FALLBACK="fallback")
    HardwareCompatibilityLevel = SimpleNamespace(AMPERE_PLUS="ampere")
    DeviceType = SimpleNamespace(DLA="dla")
    NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)

    class IProgressMonitor:
        def __init__(self) -> None:
            pass

    cache_at_build: bytes | None = None
    built_on: int | None = None

    def __init__(self, cuda: Any) -> None:
        super().__init__(cuda)
        self.builders: weakref.WeakSet[Builder] = weakref.WeakSet()

    def Builder(self, logger: Any) -> Builder:
        return Builder(self, logger)

    def OnnxParser(self, network: Network, logger: Any) -> Parser:
        return Parser(network)


class Network:
    def __init__(self) -> None:
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    @property
    def num_inputs(self) -> int:
        return len(self.inputs)

    @property
    def num_outputs(self) -> int:
        return len(self.outputs)

    def get_input(self, index: int) -> Any:
        return self.inputs[index]

    def get_output(self, index: int) -> Any:
        return self.outputs[index]


class Parser:
    num_errors = 0

    def __init__(self, network: Network) -> None:
        self._network = network

    def parse(self, content: bytes) -> bool:
        graph = onnx.load_from_string(content).graph
        self._network.inputs = [_tensor(value) for value in graph.input]
        self._network.outputs = [_tensor(value) for value in graph.output]
        return True


def _tensor(value: Any) -> Any:
    shape = [d.dim_value or -1 for d in value.type.tensor_type.shape.dim]
    return SimpleNamespace(name=value.name, shape=tuple(shape), dtype=DataType.FLOAT)


class TimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return self.content


class Config:
    profiling_verbosity = hardware_compatibility_level = default_device_type = progress_monitor = None
    DLA_core = -1

    def __init__(self, trt: FakeTensorRTBuilder) -> None:
        self._trt = trt
        self.flags: set[str] = set()
        self.profiles: list[Any] = []
        self.cache: weakref.ref[TimingCache] | None = None

    def set_flag(self, flag: str) -> None:
        self.flags.add(flag)

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        pass

    def add_optimization_profile(self, profile: Any) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def create_timing_cache(self, content: bytes) -> TimingCache | None:
        """None for content that is not a timing cache."""
        whole = not content or content.startswith(b"times")
        return (
            TimingCache(bytes(content)) if whole and "create_timing_cache" not in self._trt.refuse else None
        )

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        """False for a cache of another device, accepted only with ``ignore_mismatch``."""
        if cache.content not in (b"", TIMES) and not ignore_mismatch:
            return False
        self.cache = weakref.ref(cache)  # "must not be destroyed until after the engine is built"
        return True

    def get_timing_cache(self) -> TimingCache | None:
        return None if self.cache is None else self.cache()


class Builder:
    def __init__(self, trt: FakeTensorRTBuilder, logger: Any) -> None:
        self._trt, self._logger = trt, logger
        trt.builders.add(self)

    @property
    def num_DLA_cores(self) -> int:
        return self._trt.dla_cores

    def create_network(self, flags: int) -> Network:
        return Network()

    def create_builder_config(self) -> Config:
        return Config(self._trt)

    def create_optimization_profile(self) -> Any:
        shapes: dict[str, tuple[Any, ...]] = {}
        return SimpleNamespace(shapes=shapes, set_shape=lambda name, *given: shapes.update({name: given}))

    def build_serialized_network(self, network: Network, config: Config) -> bytes | None:
        _, self._trt.built_on = self._trt.cuda.cudaGetDevice()
        if config.cache is not None:
            cache = config.cache()
            if cache is None:
                self._trt.faults.append("the timing cache went before the engine was built")
            else:
                self._trt.cache_at_build, cache.content = cache.content, TIMES
        if "build_serialized_network" in self._trt.refuse:
            self._logger.log(
                Severity.ERROR, "Error Code 10: could not find any implementation for node Conv_0"
            )
            return None
        (shapes,) = (profile.shapes["image"] for profile in config.profiles)
        low, _, high = shapes
        return plan(
            tuple(low[2:]),
            (low[0], high[0]),
            version_compatible=self._trt.BuilderFlag.VERSION_COMPATIBLE in config.flags,
            dla_core=config.DLA_core if config.default_device_type == self._trt.DeviceType.DLA else None,
        )
