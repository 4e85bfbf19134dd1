"""The TensorRT backend as far as it can be tested without a GPU; benchmarks/gpu.py covers the rest."""

import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend, profile_index
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.tensorrt.cuda import check, current_gpu

SMALL, LARGE = [1, 3, 192, 640], [1, 3, 352, 1216]
UP_TO_FOUR = [SMALL, SMALL, [4, 3, 192, 640]]


@pytest.fixture
def without_gpu():
    """Skips on a machine with a GPU."""
    pytest.importorskip("cuda.bindings.runtime")
    try:
        gpu = current_gpu()
    except UserError:
        return
    pytest.skip(f"this machine has a GPU: {gpu['name']}")


@pytest.fixture
def engine(tmp_path, write_card):
    path = tmp_path / "student.engine"
    path.write_bytes(b"engine")
    facts = {
        "flavour": "tensorrt",
        "version": "10.3.0",
        "gpu": {"name": "RTX 3080", "compute_capability": "8.6"},
        "options": {"version_compatible": False, "hardware_compatible": False},
        "profiles": [[SMALL] * 3],
        "precisions": {"fp32": 60},
        "layers": [],
    }
    extra = {"engine": facts, "precision": "fp32", "parity": "not run", "source_files": {}}
    write_card(path, extra=extra)
    return path


def test_without_a_driver_the_reason_is_told(engine, without_gpu):
    with pytest.raises(UserError, match=r"CUDA could not find a GPU: cuda\w+ \(.*nvidia-smi"):
        TensorRTBackend(engine, (64, 192), None)


def test_an_engine_chooses_tensorrt_by_itself(engine, without_gpu):
    with pytest.raises(UserError, match="CUDA could not find a GPU"):
        Predictor(engine)
    with pytest.raises(UserError, match="backend openvino does not run it"):
        Predictor(engine, "openvino")


def test_an_onnx_is_no_engine(color_student):
    pytest.importorskip("cuda.bindings.runtime")
    with pytest.raises(UserError, match=r"color\.onnx is not a TensorRT engine: make one"):
        Predictor(color_student, "tensorrt")


def test_full_gpu_memory_is_told_as_such():
    errors = pytest.importorskip("cuda.bindings.runtime").cudaError_t
    with pytest.raises(UserError, match=r"could not allocate image on the GPU: .*GPU memory is full"):
        check((errors.cudaErrorMemoryAllocation, None), "allocate image on the GPU")


def test_the_tightest_profile_that_takes_the_input_is_chosen(tmp_path):
    profiles = [UP_TO_FOUR, [SMALL] * 3, [LARGE] * 3]
    assert profile_index(tmp_path, profiles, (1, 3, 192, 640)) == 1
    assert profile_index(tmp_path, profiles, (3, 3, 192, 640)) == 0
    assert profile_index(tmp_path, profiles, (1, 3, 352, 1216)) == 2


def test_a_size_without_a_profile_is_told_those_there_are(tmp_path):
    with pytest.raises(UserError, match=r"not take a 1x3x64x192 input, but 1\.\.4x3x192x640, 1x3x352x1216"):
        profile_index(tmp_path / "e.engine", [UP_TO_FOUR, [LARGE] * 3], (1, 3, 64, 192))
