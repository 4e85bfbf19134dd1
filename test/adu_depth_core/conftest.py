"""Students for tests: one with a known output, and the shipped one exported in every precision."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from adu_depth_core.model_card import ModelCard, card_path, file_sha256, read_card


def _write_card(model: Path, **changes) -> ModelCard:
    entries = {
        "name": "red is far",
        "role": "student",
        "encoder": "none",
        "input_height": 64,
        "input_width": 192,
        "f_ref": 350.0,
        "depth_min": 0.5,
        "depth_max": 60.0,
        "sigma_scale": 1.25,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "files": {model.name: file_sha256(model)},
    }
    card = ModelCard(**{**entries, **changes})
    card.write(card_path(model))
    return card


@pytest.fixture(scope="session")
def write_card() -> Callable[..., ModelCard]:
    """Writes the model card of a file: normalisation x / 255, f_ref 350 px, 64x192, 0.5 to 60 m, k 1.25."""
    return _write_card


@pytest.fixture(scope="session")
def write_color_student() -> Callable[..., Path]:
    """Writes an ONNX student with ``mu = 4 * red`` and ``log_b = -4 * blue`` (colours 0..1), and its card.

    Its fingerprint is ``(fx + 10 * fy + 100 * cx + 1000 * cy) / 1000``, then the mean red, green and blue.
    """
    onnx = pytest.importorskip("onnx")
    helper, tensor = onnx.helper, onnx.TensorProto

    def write(path: Path, outputs: tuple[str, str] = ("mu", "log_b"), **card) -> Path:
        weights = {"mu": [4, 0, 0], "log_b": [0, 0, -4]}
        nodes, constants = [], []
        for output, weight in zip(outputs, weights.values(), strict=True):
            kernel = np.asarray(weight, np.float32).reshape(1, 3, 1, 1)
            constants.append(onnx.numpy_helper.from_array(kernel, f"{output}_kernel"))
            nodes.append(helper.make_node("Conv", ["image", f"{output}_kernel"], [output]))
        sum_of_camera = np.array([[0.001], [0.01], [0.1], [1.0]], np.float32)
        constants.append(onnx.numpy_helper.from_array(sum_of_camera, "weights"))
        nodes += [
            helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("MatMul", ["camera", "weights"], ["sum"]),
            helper.make_node("Concat", ["sum", "means"], ["fingerprint"], axis=1),
        ]
        size = ["batch", None, "rows", "columns"]
        graph = helper.make_graph(
            nodes,
            "student",
            [
                helper.make_tensor_value_info("image", tensor.FLOAT, ["batch", 3, "rows", "columns"]),
                helper.make_tensor_value_info("camera", tensor.FLOAT, ["batch", 4]),
            ],
            [
                *(helper.make_tensor_value_info(name, tensor.FLOAT, size) for name in outputs),
                helper.make_tensor_value_info("fingerprint", tensor.FLOAT, ["batch", 4]),
            ],
            constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.checker.check_model(model)
        onnx.save(model, path)
        _write_card(path, **card)
        return path

    return write


@pytest.fixture(scope="session")
def color_student(write_color_student, tmp_path_factory) -> Path:
    """Such a student, with the card's default entries."""
    return write_color_student(tmp_path_factory.mktemp("model") / "color.onnx")


@pytest.fixture(scope="session")
def exported(shipped_model, tmp_path_factory) -> Path:
    """Folder with the shipped student as ``fp32.onnx``, ``fp16.onnx`` and ``int8.onnx`` for 64x96 images."""
    for module in ("onnx", "onnxslim", "onnxruntime", "nncf", "trimesh", "embreex"):
        pytest.importorskip(module)
    from adu_depth_core.cli import main
    from adu_depth_core.synthetic.drive import DriveConfig, generate_drive

    folder = tmp_path_factory.mktemp("exported")
    source = folder / "student.onnx"  # without its weights, so that torch need not be imported
    shutil.copy(shipped_model, source)
    card = dataclasses.replace(read_card(shipped_model), files={source.name: file_sha256(source)})
    card.write(card_path(source))
    frames = folder / "frames"
    frames.mkdir()
    # Of a street: on images with high uncertainty, INT8 deviates by more than the gate allows.
    _, street = generate_drive(DriveConfig(seed=3, frames=8, width=192, height=128))
    for number, frame in enumerate(street):
        cv2.imwrite(str(frames / f"{number}.png"), frame.left[..., ::-1])
    for precision in ("fp32", "fp16", "int8"):
        options = ["--model", str(source), "--size", "64x96", "--precision", precision]
        out = ["--frames", str(frames), "--out", str(folder / f"{precision}.onnx")]
        assert main(["export", *options, *out]) == 0
    return folder


@pytest.fixture
def few_views_to_describe(monkeypatch):
    """Each training ends with fitting the fingerprint: here on the minimum of views, not on 800."""
    pytest.importorskip("torch")
    pytest.importorskip("timm")
    from adu_depth_core.training import familiarity

    monkeypatch.setattr(familiarity, "VIEWS", 140)
