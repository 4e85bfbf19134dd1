"""Differences between TensorRT 10, TensorRT 11 and TensorRT for RTX, checked on the installed ones.

The table in docs/deployment.md lists the same differences with sources. Each test states the flavours it
applies to, so it checks whichever is installed.
"""

import gc
from types import SimpleNamespace

import pytest
from fake_tensorrt import ILogger

from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt import api as tensorrt_api
from adu_depth_core.inference.tensorrt.api import FLAVOURS, load_flavour, recording_logger

INSTALLED = []
for name in FLAVOURS:
    try:
        INSTALLED.append(load_flavour(name))
    except UserError:
        continue


@pytest.fixture(params=INSTALLED, ids=lambda flavour: f"{flavour.name}-{flavour.version}")
def flavour(request):
    return request.param


def major(flavour) -> int:
    return int(flavour.version.split(".")[0])


def is_rtx(flavour) -> bool:
    return flavour.name == "tensorrt_rtx"


def test_nothing_is_collected_while_tensorrt_logs(monkeypatch):
    """It may hold the lock that freeing a builder needs."""
    collects = []
    monkeypatch.setattr(tensorrt_api.logger, "warning", lambda *told: collects.append(gc.isenabled()))
    recorder = recording_logger(SimpleNamespace(ILogger=ILogger))
    recorder.log(ILogger.Severity.WARNING, "no CUDA")
    recorder.log(ILogger.Severity.ERROR, "Error Code 1")
    assert (collects, gc.isenabled(), recorder.errors) == ([False], True, ["Error Code 1"])


def test_some_flavour_is_installed():
    if not INSTALLED:
        pytest.skip("neither tensorrt nor tensorrt_rtx is installed")


def test_every_network_is_strongly_typed(flavour):
    """10 by a flag, 11 and RTX always; RTX still has the flag."""
    has_flag = hasattr(flavour.trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
    assert has_flag or (not is_rtx(flavour) and major(flavour) >= 11)
    builder = flavour.trt.Builder(recording_logger(flavour.trt))
    network = builder.create_network(flavour.network_flags)
    if has_flag:
        assert network.get_flag(flavour.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)


def test_precision_flags_and_calibrators_exist_only_in_10(flavour):
    names = {"FP16", "INT8", "BF16", "FP8"} & set(dir(flavour.trt.BuilderFlag))
    in_ten = not is_rtx(flavour) and major(flavour) == 10
    assert bool(names) == in_ten
    assert hasattr(flavour.trt, "IInt8EntropyCalibrator2") == in_ten


def test_only_rtx_builds_for_gpus_that_are_not_here(flavour):
    assert bool(flavour.compute_capabilities) == is_rtx(flavour)
    if is_rtx(flavour):
        assert {"7.5", "8.6", "8.9", "12.0"} <= set(flavour.compute_capabilities)


def test_only_rtx_compiles_where_it_runs(flavour):
    assert flavour.compiles_at_run_time == is_rtx(flavour)
    for owner in ("IRuntimeConfig", "IRuntimeCache", "DynamicShapesKernelSpecializationStrategy"):
        assert hasattr(flavour.trt, owner) or not is_rtx(flavour)


def test_only_rtx_tells_from_the_header_whether_an_engine_is_valid(flavour):
    assert hasattr(flavour.trt.Runtime, "get_engine_validity") == is_rtx(flavour)


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        ("Builder", ["create_network", "create_builder_config", "build_serialized_network", "num_DLA_cores"]),
        ("IBuilderConfig", ["progress_monitor", "set_memory_pool_limit", "add_optimization_profile"]),
        ("IBuilderConfig", ["create_timing_cache", "default_device_type", "DLA_core", "profiling_verbosity"]),
        ("BuilderFlag", ["VERSION_COMPATIBLE", "GPU_FALLBACK"]),
        ("HardwareCompatibilityLevel", ["AMPERE_PLUS"]),
        ("ProfilingVerbosity", ["DETAILED"]),
        ("MemoryPoolType", ["WORKSPACE"]),
        ("IProgressMonitor", ["phase_start", "step_complete", "phase_finish"]),
        ("Runtime", ["deserialize_cuda_engine", "engine_host_code_allowed"]),
        ("ICudaEngine", ["num_io_tensors", "get_tensor_name", "get_tensor_mode", "create_execution_context"]),
        ("IExecutionContext", ["set_input_shape", "set_tensor_address", "execute_async_v3"]),
        ("IExecutionContext", ["set_optimization_profile_async"]),
        ("EngineInspector", ["get_engine_information"]),
        ("LayerInformationFormat", ["JSON"]),
        ("OnnxParser", ["parse", "num_errors", "get_error"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_what_this_package_calls_is_in_every_flavour(flavour, owner, names):
    missing = [name for name in names if not hasattr(getattr(flavour.trt, owner), name)]
    assert missing == []


def test_without_dla_hardware_there_is_no_dla_core(flavour):
    if not is_rtx(flavour):
        pytest.skip("tensorrt finds DLA cores on Jetson")
    assert flavour.trt.Builder(recording_logger(flavour.trt)).num_DLA_cores == 0
