"""Building for ``tensorrt``, which is not on PyPI, on a stand-in (RTX: test_build_engine.py)."""

import contextlib
import gc

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("cuda.bindings.runtime")

from fake_cuda import FakeCuda  # noqa: E402
from fake_tensorrt_builder import TIMES, FakeTensorRTBuilder  # noqa: E402

from adu_depth_core.deploy import engine_parity, tensorrt_build  # noqa: E402
from adu_depth_core.deploy.build_options import BuildOptions  # noqa: E402
from adu_depth_core.deploy.tensorrt_build import build_engine  # noqa: E402
from adu_depth_core.errors import UserError  # noqa: E402
from adu_depth_core.inference.tensorrt import api as tensorrt_api  # noqa: E402
from adu_depth_core.inference.tensorrt import cuda as ours  # noqa: E402
from adu_depth_core.model_card import read_card  # noqa: E402

SIZE = (32, 64)


@pytest.fixture
def trt(monkeypatch):
    cuda = FakeCuda(gpus=2)
    monkeypatch.setattr(ours, "cuda_runtime", lambda: cuda)
    trt = FakeTensorRTBuilder(cuda)
    flavour = tensorrt_api.Flavour("tensorrt", trt)
    for module in (tensorrt_api, tensorrt_build, engine_parity):
        monkeypatch.setattr(module, "load_flavour", lambda name="auto": flavour)
    yield trt
    gc.collect()
    assert trt.faults == []
    assert not cuda.alive()


@pytest.fixture
def student(tmp_path, write_card):
    """An ONNX that computes what the stand-in's engines do: red, green, and the camera."""
    helper, tensor = onnx.helper, onnx.TensorProto
    kernels = {"mu": [1, 0, 0], "log_b": [0, 1, 0]}
    nodes = [helper.make_node("Conv", ["image", f"{name}_kernel"], [name]) for name in kernels]
    nodes.append(helper.make_node("Identity", ["camera"], ["fingerprint"]))
    maps = ["batch", 1, "rows", "columns"]
    graph = helper.make_graph(
        nodes,
        "student",
        [
            helper.make_tensor_value_info("image", tensor.FLOAT, ["batch", 3, "rows", "columns"]),
            helper.make_tensor_value_info("camera", tensor.FLOAT, ["batch", 4]),
        ],
        [
            *(helper.make_tensor_value_info(name, tensor.FLOAT, maps) for name in kernels),
            helper.make_tensor_value_info("fingerprint", tensor.FLOAT, ["batch", 4]),
        ],
        [
            onnx.numpy_helper.from_array(np.float32(kernel).reshape(1, 3, 1, 1), f"{name}_kernel")
            for name, kernel in kernels.items()
        ],
    )
    path = tmp_path / "student.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    write_card(path, input_height=SIZE[0], input_width=SIZE[1])
    return path


def build(student, **options):
    out = student.with_suffix(".engine")
    return out, build_engine(student, out, BuildOptions(flavour="tensorrt", **options))


@pytest.mark.parametrize(
    "options", [{}, {"version_compatible": True}, {"dla_core": 1}, {"batch": (1, 2, 4)}], ids=str
)
def test_an_engine_is_built_read_and_compared(student, trt, options):
    trt.dla_cores = 2
    out, card = build(student, **options)
    assert card.extra["parity"]["passed"]
    assert card.extra["engine"]["precisions"] == {"fp32": 1}
    assert read_card(out).extra["engine"]["options"]["dla_core"] == options.get("dla_core")


def test_it_is_built_and_compared_on_the_gpu_that_was_chosen(student, trt, monkeypatch):
    """CUDA's current device is per thread, and the builder runs in its own thread."""
    used = []
    run = engine_parity.TensorRTBackend.run
    monkeypatch.setattr(
        engine_parity.TensorRTBackend,
        "run",
        lambda self, *seen: (
            used.append(trt.cuda.gpu_of(trt.made["Context"].addresses["image"])) or run(self, *seen)
        ),
    )
    build(student, on_gpu=1)
    assert trt.built_on == 1
    assert set(used) == {1}
    with pytest.raises(UserError, match="there is no GPU 2: this process sees 2"):
        build(student, on_gpu=2)


def test_an_engine_that_cannot_be_read_back_is_an_error(student, trt):
    trt.refuse.add("deserialize_cuda_engine")
    with pytest.raises(UserError, match=r"student\.engine could not be loaded by tensorrt 10\.3\.0"):
        build(student)
    assert not student.with_suffix(".engine").exists()


def test_a_failed_build_tells_tensorrts_reason(student, trt):
    trt.refuse.add("build_serialized_network")
    with pytest.raises(
        UserError, match=r"could not build .*could not find any implementation for node Conv_0"
    ):
        build(student)


def test_a_failed_build_frees_its_builder_at_once(student, trt):
    """The garbage collector may run during a call of TensorRT's logger; freeing a builder there deadlocks on
    the lock that the logger's caller holds (seen with tensorrt_rtx 1.7.1).
    """
    trt.refuse.add("build_serialized_network")
    gc.disable()
    try:
        with contextlib.suppress(UserError):
            build(student)
        assert list(trt.builders) == []
    finally:
        gc.enable()


def test_kernel_times_are_kept_and_used_again(student, trt):
    times = student.with_name("timing.cache")
    build(student, timing_cache=times)
    assert (trt.cache_at_build, times.read_bytes()) == (b"", TIMES)
    build(student, timing_cache=times)
    assert trt.cache_at_build == TIMES


@pytest.mark.parametrize("content", [b"garbage", b"times of another GPU"])
def test_kernel_times_that_do_not_fit_are_measured_anew(student, trt, caplog, content):
    times = student.with_name("timing.cache")
    times.write_bytes(content)
    build(student, timing_cache=times)
    assert "kernels are timed again" in caplog.text
    assert (trt.cache_at_build, times.read_bytes()) == (b"", TIMES)


def test_a_builder_without_timing_caches_builds_all_the_same(student, trt, caplog):
    trt.refuse.add("create_timing_cache")
    times = student.with_name("timing.cache")
    out, _ = build(student, timing_cache=times)
    assert out.exists()
    assert not times.exists()
    assert "takes no timing cache" in caplog.text
