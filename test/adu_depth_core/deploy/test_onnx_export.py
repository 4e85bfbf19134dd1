"""Weights and graphs of a fresh student: rounding, and outputs of a graph with dynamic size."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("onnx")

from adu_depth_core.deploy.onnx_export import export_student, save_weights  # noqa: E402
from adu_depth_core.inference.backends.choice import BACKENDS  # noqa: E402
from adu_depth_core.model_card import ModelCard, file_sha256  # noqa: E402
from adu_depth_core.networks.fingerprint import FAULT_DIRECTIONS  # noqa: E402
from adu_depth_core.networks.student import Student, load_student  # noqa: E402

CARD = ModelCard(
    "s", "student", "tf_efficientnet_lite0", 64, 96, f_ref=100.0, depth_min=1, depth_max=80, sigma_scale=1
)


@pytest.fixture(scope="module")
def student():
    """Untrained, but with rays that affect the output and a fitted fingerprint."""
    torch.manual_seed(0)
    network = Student().eval()
    torch.nn.init.normal_(network.head.predict.weight, std=0.1)
    for level in network.rays.levels:
        torch.nn.init.normal_(level[-1].weight, std=0.3)
    statistics = 1e-4 * torch.randn(200, len(network.fingerprint.centre)) + 0.3
    moved = [statistics + 1e-4 * torch.randn(len(statistics[0])) for _ in range(FAULT_DIRECTIONS)]
    network.fingerprint.fit(statistics, statistics, moved)
    return network


def test_a_fingerprint_beyond_half_precision_is_kept(student, tmp_path):
    path = tmp_path / "s.safetensors"
    save_weights(student, path)
    loaded = load_student(path, CARD)
    assert student.fingerprint.scale.abs().max() > 1000
    for name, values in student.fingerprint.state_dict().items():
        assert torch.equal(loaded.fingerprint.state_dict()[name], values), name
    assert torch.equal(loaded.head.predict.weight, student.head.predict.weight.half().float())


@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
def test_a_graph_of_any_size_answers_as_the_network_for_each_camera(student, tmp_path, size):
    pytest.importorskip("onnxruntime")
    save_weights(student, tmp_path / "s.safetensors")
    card = dataclasses.replace(CARD, files={"s.safetensors": file_sha256(tmp_path / "s.safetensors")})
    export_student(tmp_path / "s.safetensors", card, tmp_path / "s.onnx")
    images = np.random.default_rng(0).normal(size=(1, 3, *size)).astype(np.float32).repeat(2, axis=0)
    cameras = np.array([[50, 50, 48, 32], [90, 80, 30, 40]], np.float32)
    ours, theirs = (
        BACKENDS[name](tmp_path / "s.onnx", size, None, 2).run(images, cameras)
        for name in ("onnxruntime", "pytorch")
    )
    np.testing.assert_allclose(ours.mu, theirs.mu, atol=1e-3)
    np.testing.assert_allclose(ours.log_b, theirs.log_b, atol=1e-3)
    np.testing.assert_allclose(ours.fingerprint, theirs.fingerprint, rtol=1e-3, atol=1e-3)
    assert np.abs(ours.mu[0] - ours.mu[1]).max() > 0.01  # the same image with another camera
