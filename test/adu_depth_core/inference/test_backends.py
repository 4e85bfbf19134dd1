"""All runtimes compute the same depth, and report damaged files and missing packages clearly."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.images import read_rgb
from adu_depth_core.inference.backends.choice import BACKENDS, choose_backend
from adu_depth_core.inference.predictor import Predictor

ONNX_BACKENDS = ("openvino", "onnxruntime")


def need(backend: str) -> None:
    for module in [BACKENDS[backend].module] + (["timm", "safetensors"] if backend == "pytorch" else []):
        pytest.importorskip(module)


def street_like_image() -> np.ndarray:
    """An image, bright above, dark and textured below, with a few boxes: 375x1242."""
    random = np.random.default_rng(0)
    image = np.full((375, 1242, 3), (150, 180, 220), np.uint8)
    image[180:] = random.integers(60, 110, (195, 1242, 1), np.uint8)
    for left, top, width, height in ((100, 120, 200, 130), (600, 160, 80, 60), (900, 60, 300, 200)):
        image[top : top + height, left : left + width] = random.integers(0, 256, 3, np.uint8)
    return image


def median_difference(model: Path, backends: tuple[str, str], image: np.ndarray, camera: Camera) -> float:
    one, other = (Predictor(model, backend).predict(image, camera) for backend in backends)
    differences = [
        np.median(np.abs(a - b) / b) for a, b in ((one.depth, other.depth), (one.sigma, other.sigma))
    ]
    return float(max(differences))


def test_a_cpu_backend_takes_no_gpu(color_student):
    pytest.importorskip("onnxruntime")
    with pytest.raises(
        UserError, match="onnxruntime runs on the CPU, GPU 1 is for: tensorrt, onnxruntime-cuda, pytorch-cuda"
    ):
        Predictor(color_student, "onnxruntime", gpu=1)


@pytest.mark.parametrize("backend", ["onnxruntime", "pytorch"])
def test_backends_agree_with_openvino_in_fp32(shipped_model, backend):
    need("openvino")
    need(backend)
    image = street_like_image()
    camera = Camera(721.5, 721.5, 609.6, 172.9, 1242, 375)
    assert median_difference(shipped_model, ("openvino", backend), image, camera) < 1e-4


@pytest.mark.parametrize("backend", ["onnxruntime", "pytorch"])
def test_backends_agree_on_a_real_frame(shipped_model, real_data, backend):
    need("openvino")
    need(backend)
    image = read_rgb(real_data / "kitti_odometry_02" / "image_2" / "000000.png")
    camera = Camera(718.9, 718.9, 607.2, 185.2, image.shape[1], image.shape[0])
    assert median_difference(shipped_model, ("openvino", backend), image, camera) < 1e-4


@pytest.mark.parametrize("backend", ONNX_BACKENDS)
@pytest.mark.parametrize("threads", [None, 1])
def test_backend_runs_the_network(color_student, backend, threads):
    need(backend)
    network = BACKENDS[backend](color_student, (64, 96), threads)
    image = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    mu, log_b, fingerprint = network.infer(image, np.array([[100, 200, 48, 32]], np.float32))
    assert mu.dtype == log_b.dtype == fingerprint.dtype == np.float32
    np.testing.assert_allclose(mu, 4 * image[0, 0], rtol=1e-5)
    np.testing.assert_allclose(log_b, -4 * image[0, 2], rtol=1e-5)
    np.testing.assert_allclose(fingerprint, [0.1 + 2.0 + 4.8 + 32.0, *image[0].mean((1, 2))], rtol=1e-5)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime", "pytorch"])
def test_images_of_a_batch_are_computed_alike(shipped_model, backend):
    need(backend)
    images = np.random.default_rng(0).normal(size=(3, 3, 64, 96)).astype(np.float32)
    cameras = np.array([[50, 50, 48, 32], [60, 60, 48, 32], [90, 95, 20, 40]], np.float32)
    together = BACKENDS[backend](shipped_model, (64, 96), None, 3).run(images, cameras)
    alone = BACKENDS[backend](shipped_model, (64, 96), None).infer(images[2:], cameras[2:])
    assert together.mu.shape == together.log_b.shape == (3, 64, 96)
    assert together.fingerprint.shape == (3, 9)
    for outputs, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(outputs[2], expected, atol=1e-3)


@pytest.mark.parametrize("backend", ONNX_BACKENDS)
@pytest.mark.parametrize("content", [b"this is no network", b""])
def test_a_damaged_model_is_named_once(tmp_path, write_card, backend, content):
    need(backend)
    model = tmp_path / "damaged.onnx"
    model.write_bytes(content)
    write_card(model)
    with pytest.raises(UserError, match=r"damaged\.onnx could not be loaded by .*the file is damaged"):
        Predictor(model, backend)


def test_damaged_weights_are_named(tmp_path, write_card, color_student):
    need("pytorch")
    model, weights = tmp_path / "m.onnx", tmp_path / "m.safetensors"
    model.write_bytes(color_student.read_bytes())
    weights.write_bytes(b"no tensors")
    write_card(weights, encoder="tf_efficientnet_lite0")
    with pytest.raises(UserError, match=r"m\.safetensors could not be loaded by PyTorch"):
        BACKENDS["pytorch"](model, (64, 96), None)


@pytest.mark.parametrize("backend", ONNX_BACKENDS)
def test_a_network_of_another_kind_is_refused(tmp_path, write_color_student, backend):
    need(backend)
    model = write_color_student(tmp_path / "other.onnx", outputs=("disparity", "mask"))
    with pytest.raises(
        UserError,
        match=r"other\.onnx is not a student network of this release: it maps camera, image to disparity",
    ):
        Predictor(model, backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_runtime_names_the_command_that_installs_it(color_student, monkeypatch, backend):
    monkeypatch.setitem(sys.modules, BACKENDS[backend].module, None)  # Python then treats it as not installed
    extra = BACKENDS[backend].extra
    with pytest.raises(UserError, match=rf"pip install 'adu_depth\[{extra}\]'"):
        Predictor(color_student, backend)


def test_auto_takes_the_first_that_is_installed_and_says_why(monkeypatch, caplog):
    need("onnxruntime")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with caplog.at_level("INFO"):
        name, reason = choose_backend("auto")
    assert name == "onnxruntime"
    assert "openvino cannot be imported" in reason
    assert reason in caplog.text


def test_auto_with_nothing_installed_says_what_to_install(monkeypatch):
    for backend in BACKENDS.values():
        monkeypatch.setitem(sys.modules, backend.module, None)
    with pytest.raises(UserError, match=r"pip install 'adu_depth\[openvino\]'"):
        choose_backend("auto")


def test_an_unknown_backend_is_refused_with_the_known_ones():
    with pytest.raises(
        UserError, match="there is no backend 'tpu': choose auto, openvino, onnxruntime, pytorch, tensorrt"
    ):
        choose_backend("tpu")


def test_where_a_runtime_gains_nothing_by_it_the_model_is_not_loaded_again(shipped_model):
    need("pytorch")
    predictor = Predictor(shipped_model, "pytorch")
    assert predictor.for_throughput() is predictor


def test_an_interrupt_still_works_after_openvino_predictors_came_and_went(color_student):
    need("openvino")
    program = f"""
import signal
from pathlib import Path
from adu_depth_core.inference.predictor import Predictor
first, second = (Predictor(Path({str(color_student)!r}), "openvino") for _ in range(2))
del first
del second
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
