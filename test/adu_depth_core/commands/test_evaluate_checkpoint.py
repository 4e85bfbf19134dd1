"""Monocular and stereo checkpoints are evaluated by the same command as exported models."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("safetensors")

from adu_depth_core.camera import Camera  # noqa: E402
from adu_depth_core.cli import main  # noqa: E402
from adu_depth_core.datasets.sample import Sample  # noqa: E402
from adu_depth_core.datasets.stereo_folder import write_calibration, write_sample  # noqa: E402
from adu_depth_core.deploy.onnx_export import save_weights  # noqa: E402
from adu_depth_core.networks.student import Student  # noqa: E402
from adu_depth_core.networks.teacher import Teacher  # noqa: E402

CAMERA = Camera(150.0, 150.0, 79.5, 31.5, 160, 64)


@pytest.fixture(scope="module")
def rig(tmp_path_factory, textured_pair):
    root = tmp_path_factory.mktemp("rig")
    write_calibration(root / "calibration.json", CAMERA, 0.5)
    depth = np.full((64, 160), 75.0 / 12, np.float32)
    write_sample(root, Sample("a", *textured_pair(0, 12), depth, CAMERA, 0.5))
    return root


@pytest.fixture(scope="module", params=["student", "teacher"])
def checkpoint(request, tmp_path_factory, write_card):
    """Random weights with a card."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("run") / f"{request.param}.safetensors"
    network = Student() if request.param == "student" else Teacher(f_ref=150.0)
    save_weights(network, path)
    encoder = {"encoder": "tf_efficientnet_lite0", "f_ref": 150.0, "input_width": 160}
    write_card(path, role=request.param, name=request.param, **encoder)
    return request.param, path


def evaluate(root, *options: str, dataset="stereo_folder") -> int:
    return main(["evaluate", "--dataset", dataset, "--root", str(root), "--split", "all", *options])


def test_disparity_is_measured_of_stereo_networks_only(rig, checkpoint, tmp_path, capsys):
    role, path = checkpoint
    result = tmp_path / "result.json"
    assert evaluate(rig, "--checkpoint", str(path), "--json", str(result)) == 0
    record = json.loads(result.read_text(encoding="utf-8"))
    assert ("d1_all" in record["metrics"]) == ("epe" in record["metrics"]) == (role == "teacher")
    assert (record["model"]["file"], record["model"]["stereo"]) == (path.name, role == "teacher")
    assert record["model"]["network_sizes"] == [[64, 160]]
    assert record["versions"]["runtime"].startswith("PyTorch")
    assert "coverage_1sigma" in capsys.readouterr().out


def test_flip_is_for_one_image(rig, checkpoint, capsys):
    role, path = checkpoint
    assert evaluate(rig, "--checkpoint", str(path), "--flip") == (role == "teacher")
    if role == "teacher":
        assert "teacher is a stereo network: --flip is for networks of one image" in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there_is_named(rig, tmp_path, capsys):
    assert evaluate(rig, "--checkpoint", str(tmp_path / "none.safetensors")) == 1
    assert "none.safetensors" in capsys.readouterr().err
