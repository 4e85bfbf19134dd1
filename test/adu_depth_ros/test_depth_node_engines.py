"""Engines in depth_node: the real builder, the real node, diagnostics over real DDS. No GPU is needed."""

import dataclasses
import fcntl
import logging
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("tensorrt_rtx", reason="needs a TensorRT that builds engines without a GPU")
pytest.importorskip("cuda.bindings.runtime", reason="needs cuda-python")
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.engine_cache import identify
from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.cuda import current_gpu
from adu_depth_core.model_card import card_path, file_sha256, read_card

TENSORRT = ("-p", "backend:=tensorrt")
FOR_ANOTHER_GPU = ("-p", "build_only:=true", "-p", "engine_compute_capability:=sm86")


def build_of(model, cache) -> list[str]:
    """Arguments of a node that only builds."""
    return [*TENSORRT, *FOR_ANOTHER_GPU, "-p", f"model:={model}", "-p", f"engine_cache:={cache}"]


@pytest.fixture(scope="module")
def no_gpu():
    """Skips with a GPU: these tests check the error without one."""
    try:
        gpu = current_gpu()
    except UserError:
        return
    pytest.skip(f"this machine has a GPU: {gpu['name']}")


@pytest.fixture(scope="module")
def provisioned(start_node, client, shipped_model, tmp_path_factory, wait_for):
    """Output of a build-only node: its cache folder, log and diagnostics."""
    folder = tmp_path_factory.mktemp("engines")
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    key = identify(shipped_model, BuildOptions(compute_capability="8.6", sizes=((64, 192),))).key()
    # The build may finish before DDS discovery: block it, as another process would.
    with open(folder / f"adu_student-{key}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        node = start_node(*build_of(shipped_model, folder))
        wait_for(lambda: diagnostics or not node.is_alive(), "diagnostics", seconds=60)
    wait_for(lambda: not node.is_alive(), "the engine", seconds=60)
    return folder, node, [array.status[0] for array in list(diagnostics)]


def test_build_only_leaves_an_engine_for_the_gpu_that_was_named_and_ends(provisioned):
    folder, node, _ = provisioned
    assert node.end(signal.SIGTERM) == 0
    (engine,) = folder.glob("adu_student-*.engine")
    card = read_card(engine)
    assert card.extra["engine"]["gpu"]["compute_capability"] == "8.6"
    assert card.extra["engine"]["profiles"] == [[[1, 3, 64, 192]] * 3]  # the node's network_size
    assert card.extra["parity"] == "not run"
    assert any(f"engine {engine}, ready after" in line for line in node.log)


def test_a_build_is_seen_in_the_diagnostics(provisioned):
    building = [status for status in provisioned[2] if "building the engine of" in status.message]
    assert "waiting for another process that builds it" in building[0].message
    assert {status.level for status in building} == {DiagnosticStatus.WARN}
    assert {pair.key: pair.value for pair in building[0].values}["state"] == "building"


def test_the_second_build_finds_the_first_ones_engine(provisioned, start_node, shipped_model, wait_for):
    folder, _, _ = provisioned
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    node = start_node(*build_of(shipped_model, folder))
    wait_for(lambda: not node.is_alive(), "the node to end")
    assert node.end(signal.SIGTERM) == 0
    assert not any("building engine" in line for line in node.log)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-p", "build_only:=true"), "backend must be tensorrt (it is auto)"),
        ((*TENSORRT, *FOR_ANOTHER_GPU, "-p", "model:=missing.onnx"), "missing.onnx does not exist"),
        ((*TENSORRT, "-p", "build_only:=true", "-p", "engine_compute_capability:=sm12"), "it can for: 7.5"),
        ((*TENSORRT, *FOR_ANOTHER_GPU, "-p", "network_size:=65x192"), "multiples of 32"),
        ((*TENSORRT, *FOR_ANOTHER_GPU, "-p", "engine_cache:=/proc/engines"), "cannot be written"),
    ],
    ids=["backend", "model", "GPU", "size", "folder"],
)
def test_a_build_that_cannot_be_ends_with_its_reason(start_node, wait_for, tmp_path, arguments, complaint):
    node = start_node("-p", f"engine_cache:={tmp_path}", *arguments)
    wait_for(lambda: not node.is_alive(), "the node to end")
    assert node.end(signal.SIGTERM) == 1
    (error,) = node.errors()
    assert complaint in error
    assert list(tmp_path.glob("*.engine*")) == []


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_mid_build_leaves_no_engine(start_node, shipped_model, wait_for, tmp_path, end):
    node = start_node(*build_of(shipped_model, tmp_path))
    wait_for(lambda: any("building engine" in line for line in node.log) or not node.is_alive(), "the build")
    assert node.end(end) == 1  # the engine does not exist
    assert not any("Traceback" in line for line in node.log)
    assert not list(tmp_path.glob("*.engine*"))


@pytest.fixture
def waiting_node(start_node, provisioned):
    return start_node("-p", "autostart:=false", *TENSORRT, "-p", f"engine_cache:={provisioned[0]}")


def test_without_a_gpu_the_node_says_so_and_can_be_mended(
    waiting_node, no_gpu, client, shipped_model, wait_for
):
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    assert client.set_parameter("model", str(shipped_model)).successful
    assert not client.change_state("configure")
    waiting_node.wait_for_error("CUDA could not find a GPU: cudaErrorInsufficientDriver (no NVIDIA driver")
    assert client.state() == "unconfigured"
    wait_for(lambda: any("no NVIDIA driver" in a.status[0].message for a in diagnostics), "the diagnosis")
    assert client.set_parameter("backend", "onnxruntime").successful
    assert client.change_state("configure")


def test_an_engine_that_nobody_compared_is_refused_unless_allowed(waiting_node, no_gpu, client, provisioned):
    (engine,) = provisioned[0].glob("adu_student-*.engine")
    assert client.set_parameter("model", str(engine)).successful
    assert not client.change_state("configure")
    refusal = waiting_node.wait_for_error("parity: not run")
    assert f"adu_depth verify-engine {engine}" in refusal
    assert "allow_unverified_engine" in refusal
    assert client.set_parameter("allow_unverified_engine", True).successful
    assert not client.change_state("configure")
    waiting_node.wait_for_error("CUDA could not find a GPU")  # it got as far as running the engine
    assert any("is used although its outputs were never compared" in line for line in waiting_node.log)


def test_an_engine_that_failed_its_comparison_or_was_replaced_is_never_used(
    waiting_node, client, provisioned, tmp_path
):
    (kept,) = provisioned[0].glob("adu_student-*.engine")
    engine = tmp_path / "mine.engine"
    shutil.copy(kept, engine)
    card = read_card(kept)
    parity = {"passed": False, "reference": "ONNX Runtime FP32"}
    card = dataclasses.replace(
        card, files={engine.name: file_sha256(engine)}, extra={**card.extra, "parity": parity}
    )
    card.write(card_path(engine))
    assert client.set_parameter("allow_unverified_engine", True).successful
    assert client.set_parameter("model", str(engine)).successful
    assert not client.change_state("configure")
    waiting_node.wait_for_error("mine.engine must not be used: its outputs differ from ONNX Runtime FP32's")
    engine.write_bytes(engine.read_bytes() + b"\0")
    assert not client.change_state("configure")
    waiting_node.wait_for_error("mine.engine is not the file its model card was written for (SHA-256")


def test_a_gpu_to_build_for_is_none_to_run_on(waiting_node, client):
    assert client.set_parameter("engine_compute_capability", "sm86").successful
    assert not client.change_state("configure")
    waiting_node.wait_for_error("it requires build_only")


def test_the_engine_is_built_for_the_gpu_that_runs_it(monkeypatch, shipped_model):
    from adu_depth_core.deploy.engine_cache import EngineCache
    from adu_depth_ros.engine_loading import build_or_find
    from adu_depth_ros.parameters import Parameters

    asked = []

    def engine(cache, model, options, *arguments, **others):
        asked.append(options.on_gpu)
        return model.with_suffix(".engine")

    monkeypatch.setattr(EngineCache, "engine", engine)
    node = SimpleNamespace(get_logger=lambda: logging.getLogger("node"))
    build_or_find(node, Parameters(backend="tensorrt", model=str(shipped_model), gpu=2), print)
    assert asked == [2]


def test_a_node_without_engines_does_not_load_what_builds_them():
    code = "import sys, adu_depth_ros.lifecycle_node\nprint(*[m for m in sys.modules if 'tensorrt_rtx' in m])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
