"""GPU backends other than TensorRT report why they are unavailable, and never fall back to the CPU."""

import sys

import numpy as np
import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.backends.onnxruntime import session_options


def test_onnxruntime_without_cuda_names_the_package_that_has_it(shipped_model):
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(UserError, match=r"built for the CPU.*pip install 'adu_depth\[onnxruntime-cuda\]'"):
        BACKENDS["onnxruntime-cuda"](shipped_model, (64, 96), None)


class WithCuda:
    """ONNX Runtime built with CUDA, on a machine where CUDA fails to initialise.

    :param fails: True if that raises, as it does for some causes since 1.20; False to fall back to the CPU
    """

    def __init__(self, onnxruntime, fails: bool) -> None:
        self._real, self._fails = onnxruntime, fails

    def __getattr__(self, name):
        return getattr(self._real, name)

    def get_available_providers(self):
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def preload_dlls(self):
        pass

    def InferenceSession(self, model, options, providers):
        if self._fails and providers != ["CPUExecutionProvider"]:
            raise RuntimeError("CUDA failure 35: CUDA driver version is insufficient\nmore of it")
        return self._real.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    ("fails", "reason"),
    [(True, r"CUDA failure 35: \S+ driver version is insufficient"), (False, "it fell back to the CPU")],
)
def test_cuda_that_does_not_start_is_no_damaged_file(shipped_model, tmp_path, monkeypatch, fails, reason):
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setitem(sys.modules, "onnxruntime", WithCuda(onnxruntime, fails))
    with pytest.raises(UserError, match=rf"cannot use GPU 0 \({reason}.*nvidia-smi") as caught:
        BACKENDS["onnxruntime-cuda"](shipped_model, (64, 96), None)
    assert "damaged" not in str(caught.value)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(shipped_model.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"damaged.onnx could not be loaded .*damaged or not a model"):
        BACKENDS["onnxruntime-cuda"](damaged, (64, 96), None)


def test_pytorch_without_a_gpu_says_what_it_was_built_for(shipped_model):
    torch = pytest.importorskip("torch")
    pytest.importorskip("timm")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UserError, match=r"built for .* finds no GPU that it can use"):
        BACKENDS["pytorch-cuda"](shipped_model, (64, 96), None)


def test_fixed_dimensions_fold_the_shape_arithmetic_away(shipped_model, tmp_path):
    """A CUDA graph cannot be captured with operators that ONNX Runtime places on the CPU, such as these."""
    onnxruntime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    kinds = []
    for size in ((64, 96), None):
        options = session_options(onnxruntime, size, 1, 1) if size else onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        onnxruntime.InferenceSession(shipped_model, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(str(tmp_path / "optimised.onnx")).graph.node
        kinds.append({node.op_type for node in nodes} & {"Shape", "Gather", "ConstantOfShape"})
    assert kinds[0] == set()
    assert kinds[1]


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["onnxruntime-cuda", "pytorch-cuda"])
@pytest.mark.parametrize("batch", [1, 4])
def test_they_agree_with_the_cpu(shipped_model, backend, batch):
    images = np.random.default_rng(0).normal(size=(batch, 3, 64, 96)).astype(np.float32)
    cameras = np.tile(np.array([55, 60, 48, 32], np.float32), (batch, 1))
    try:
        network = BACKENDS[backend](shipped_model, (64, 96), None, batch)
    except UserError as error:
        pytest.skip(str(error))
    expected = BACKENDS["onnxruntime"](shipped_model, (64, 96), None, batch).run(images, cameras)
    for _ in range(2):  # the second is a replay
        for ours, theirs in zip(network.run(images, cameras), expected, strict=True):
            assert np.median(np.abs(ours - theirs)) < 1e-3
