import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend, check_fits
from adu_depth_core.inference.cuda import current_gpu

GPU = {"name": "RTX 3080", "compute_capability": "8.6"}


def facts(version="1.7.1", name="RTX 3080", capability="8.6", **options) -> dict:
    compatible = {"version_compatible": False, "hardware_compatible": False}
    return {
        "flavour": "tensorrt_rtx",
        "version": version,
        "gpu": {"name": name, "compute_capability": capability},
        "options": {**compatible, **options},
    }


@pytest.mark.parametrize(
    "fitting",
    [
        facts(),
        facts(name=None),
        facts(version="1.6.0", version_compatible=True),
        facts(name="RTX 4090", capability="8.9", hardware_compatible=True),
    ],
)
def test_an_engine_for_this_machine_is_taken(tmp_path, fitting):
    check_fits(tmp_path / "e.engine", fitting, GPU, "1.7.1")


@pytest.mark.parametrize(
    ("foreign", "message"),
    [
        (facts(version="1.6.0"), "tensorrt_rtx 1.6.0, here is 1.7.1"),
        (facts(version="2.0.0", version_compatible=True), "2.0.0, here is 1.7.1"),
        (facts(capability="8.9"), "compute capability 8.9, here is RTX 3080 of 8.6"),
        (facts(name="RTX 3090"), "RTX 3090"),
    ],
)
def test_a_foreign_engine_is_named_with_the_remedy(tmp_path, foreign, message):
    with pytest.raises(UserError, match=message) as error:
        check_fits(tmp_path / "e.engine", foreign, GPU, "1.7.1")
    assert "build-engine" in str(error.value)


def test_without_a_driver_the_reason_is_told(tmp_path, write_card):
    pytest.importorskip("cuda.bindings.runtime")
    try:
        gpu = current_gpu()
    except UserError:
        pass
    else:
        pytest.skip(f"this machine has a GPU: {gpu['name']}")
    engine = tmp_path / "student.engine"
    engine.write_bytes(b"engine")
    write_card(engine, extra={"engine": facts(), "precision": "fp32"})
    with pytest.raises(UserError, match="CUDA could not find a GPU"):
        TensorRTBackend(engine, (64, 192), None)


def test_a_file_that_is_no_engine_is_refused(tmp_path, write_card):
    model = tmp_path / "student.engine"
    model.write_bytes(b"engine")
    write_card(model)
    with pytest.raises(UserError, match="no engine by"):
        TensorRTBackend(model, (64, 192), None)
