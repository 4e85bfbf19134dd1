import pytest

from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.tensorrt_build import build_engine
from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.api import load_flavour
from adu_depth_core.inference.tensorrt.cuda import current_gpu
from adu_depth_core.inference.tensorrt.deserialize import INVALIDITY, MEMORY_HINT, invalidity, load, reasons

trt = pytest.importorskip("tensorrt_rtx")


@pytest.fixture(scope="module")
def engine(color_student, tmp_path_factory):
    pytest.importorskip("onnx")
    out = tmp_path_factory.mktemp("engine") / "color.engine"
    build_engine(color_student, out, BuildOptions(flavour="tensorrt_rtx", compute_capability="8.6"))
    return out


@pytest.fixture
def flavour():
    return load_flavour("tensorrt_rtx")


def test_every_reason_that_the_runtime_can_give_has_words():
    kinds = {name for name in dir(trt.EngineInvalidityDiagnostics) if name.isupper()}
    assert kinds <= set(INVALIDITY)


@pytest.mark.parametrize("content", [b"", b"not an engine", b"\0" * 100_000], ids=len)
def test_a_damaged_engine_is_told_by_its_header(flavour, content):
    assert invalidity(flavour, content) == [INVALIDITY["MALFORMED_ENGINE"]]


def test_a_whole_engine_is_not_called_damaged(flavour, engine):
    assert INVALIDITY["MALFORMED_ENGINE"] not in invalidity(flavour, engine.read_bytes())


def test_an_engine_that_cannot_be_loaded_says_why(flavour, engine):
    pytest.importorskip("cuda.bindings.runtime")
    try:
        current_gpu()
    except UserError:
        facts = {"options": {"version_compatible": False}}
        with pytest.raises(UserError, match=r"color\.engine could not be loaded by .*CUDA driver"):
            load(flavour, engine, facts)
    else:
        pytest.skip("this machine has a GPU")


def test_full_memory_is_told_as_such():
    assert MEMORY_HINT in reasons(["Error Code 2: OutOfMemory (Requested size was 4294967296 bytes.)"])
    assert MEMORY_HINT not in reasons(["Error Code 1: Myelin", "Error Code 1: Myelin"])
    assert reasons(["a", "a", "b"]) == "a; b"
    assert reasons([]) == "TensorRT gives no reason"
