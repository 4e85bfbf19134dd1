"""Compatibility of engines with GPUs and runtimes, by their cards."""

import types

import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt import api, cuda
from adu_depth_core.inference.tensorrt.engine_file import (
    PARITY_NOT_RUN,
    check_fits,
    check_verified,
    engine_card,
)

GPU = {"name": "RTX 3080", "compute_capability": "8.6"}
BUILD_IT_AGAIN = "rebuild it here with `adu_depth build-engine`"


def facts(flavour="tensorrt", version="10.3.0", name="RTX 3080", capability="8.6", **options) -> dict:
    compatible = {"version_compatible": False, "hardware_compatible": False}
    return {
        "flavour": flavour,
        "version": version,
        "gpu": {"name": name, "compute_capability": capability},
        "options": {**compatible, **options},
        "profiles": [[[1, 3, 64, 192]] * 3],
        "precisions": {"fp16": 60},
        "layers": [["conv", "Convolution", ["fp16"], ["fp16"]]],
    }


@pytest.mark.parametrize(
    ("fitting", "here"),
    [
        (facts(), "10.3.0"),
        (facts("tensorrt_rtx", "1.7.1.116", name=None), "1.7.1.116"),
        (facts(version_compatible=True), "10.7.0"),
        (facts(version_compatible=True), "11.4.1"),
        (facts(name=None, capability="8.0", hardware_compatible=True), "10.3.0"),
    ],
)
def test_an_engine_for_this_machine_is_taken(tmp_path, fitting, here):
    check_fits(tmp_path / "e.engine", fitting, GPU, here)


@pytest.mark.parametrize(
    ("foreign", "here", "message"),
    [
        (facts(), "10.7.0", "tensorrt 10.3.0, here is 10.7.0"),
        (facts(version="10.7.0", version_compatible=True), "10.3.0", "10.7.0, here is 10.3.0"),
        (facts(version="8.6.1", version_compatible=True), "11.0.0", "8.6.1, here is 11.0.0"),
        (facts(capability="8.9"), "10.3.0", "compute capability 8.9, here is RTX 3080 of 8.6"),
        (facts(name="RTX 3090"), "10.3.0", "RTX 3090"),
        (facts(name=None, capability="8.7", hardware_compatible=True), "10.3.0", "8.7 and later"),
    ],
)
def test_a_foreign_engine_is_named_with_the_remedy(tmp_path, foreign, here, message):
    with pytest.raises(UserError, match=message) as error:
        check_fits(tmp_path / "e.engine", foreign, GPU, here)
    assert "e.engine" in str(error.value)
    assert BUILD_IT_AGAIN in str(error.value)


@pytest.fixture
def engine(tmp_path, write_card):
    """Writes an engine file and its card with the given parity."""

    def write(parity, entry=None):
        path = tmp_path / "student.engine"
        path.write_bytes(b"engine")
        extra = {"engine": entry or facts(), "precision": "fp16", "parity": parity, "source_files": {}}
        write_card(path, extra=extra)
        return path

    return write


def test_an_engine_that_nobody_compared_is_refused_unless_allowed(engine, caplog):
    path = engine(PARITY_NOT_RUN)
    with pytest.raises(UserError, match=r"parity: not run.*verify-engine .*allow_unverified_engine"):
        check_verified(path, allow_unverified=False)
    check_verified(path, allow_unverified=True)
    assert "student.engine is used although its outputs were never compared" in caplog.text


def test_an_engine_that_passed_is_taken(engine, caplog):
    ran_on = {"gpu": GPU, "version": "10.3.0"}
    parity = {"passed": True, "reference": "ONNX Runtime", "ran_on": ran_on}
    check_verified(engine(parity), allow_unverified=False)
    assert not caplog.text


@pytest.fixture
def two_gpus(monkeypatch):
    """GPU 0 of compute capability 8.6, GPU 1 of 8.9."""
    pytest.importorskip("cuda.bindings.runtime", reason="needs cuda-python")
    from fake_cuda import FakeCuda

    class TwoGpus(FakeCuda):
        def cudaGetDeviceProperties(self, device):
            status, properties = super().cudaGetDeviceProperties(device)
            properties.minor = (6, 9)[device]
            return status, properties

    fake = TwoGpus(gpus=2)
    monkeypatch.setattr(cuda, "cuda_runtime", lambda: fake)


@pytest.mark.parametrize(("gpu", "verified"), [(0, True), (1, False)])
def test_the_gpu_that_runs_the_engine_is_the_one_that_must_have_been_compared(
    engine, two_gpus, monkeypatch, gpu, verified
):
    monkeypatch.setattr(
        api, "load_flavour", lambda name: api.Flavour(name, types.SimpleNamespace(__version__="10.3.0"))
    )
    parity = {"passed": True, "reference": "ONNX Runtime", "ran_on": {"gpu": GPU, "version": "10.3.0"}}
    path = engine(parity, facts(capability="8.0", name=None, hardware_compatible=True))
    if verified:
        check_verified(path, allow_unverified=False, gpu=gpu)
    else:
        with pytest.raises(UserError, match=r"compared on RTX 3080 .* only.*verify-engine .* --gpu 1`"):
            check_verified(path, allow_unverified=False, gpu=gpu)


def test_an_engine_that_failed_is_refused_whatever_is_allowed(engine):
    path = engine({"passed": False, "reference": "ONNX Runtime"})
    for allowed in (False, True):
        with pytest.raises(UserError, match="must not be used: its outputs differ from ONNX Runtime's"):
            check_verified(path, allowed)


def test_an_engine_that_was_replaced_is_refused(engine):
    path = engine(PARITY_NOT_RUN)
    path.write_bytes(b"another engine")
    with pytest.raises(UserError, match=r"student\.engine is not the file its model card was written for"):
        check_verified(path, allow_unverified=True)


def test_a_model_of_another_kind_is_told_how_to_become_an_engine(tmp_path, write_card):
    model = tmp_path / "student.engine"
    model.write_bytes(b"no engine")
    write_card(model)
    with pytest.raises(UserError, match=r"not a TensorRT engine: make one with `adu_depth build-engine"):
        engine_card(model)
