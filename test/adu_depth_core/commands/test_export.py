import logging

import numpy as np
import pytest

from adu_depth_core.cli import main
from adu_depth_core.images import read_rgb
from adu_depth_core.model_card import read_card

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxslim")
pytest.importorskip("onnxruntime")

SIZE = (64, 96)  # of the fixture `exported`


def export(model, out, *options: str) -> int:
    return main(["export", "--model", str(model), "--size", "64x96", "--out", str(out), *options])


def run(path, images: np.ndarray) -> list[np.ndarray]:
    import onnxruntime

    cameras = np.tile(np.array([55, 55, 48, 32], np.float32), (len(images), 1))
    return onnxruntime.InferenceSession(path).run(None, {"image": images, "camera": cameras})


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_card_says_what_the_file_is(exported, shipped_model, precision):
    path = exported / f"{precision}.onnx"
    card = read_card(path)
    assert (card.input_height, card.input_width) == SIZE
    assert card.extra["precision"] == precision
    assert card.extra["opset"] >= 17
    assert card.extra["input_shape"] == [1, 3, *SIZE]
    parity = card.extra["parity"]
    assert parity["frames"] > 0
    assert parity["cameras"] == "assumed, 82 degrees across"
    assert card.f_ref == read_card(shipped_model).f_ref
    onnx.checker.check_model(str(path), full_check=True)


def test_shape_arithmetic_is_folded(exported, shipped_model):
    nodes = [len(onnx.load(str(path)).graph.node) for path in (exported / "fp32.onnx", shipped_model)]
    assert nodes[0] < nodes[1] / 2


def test_half_precision_is_in_the_file_and_spares_the_delicate_layers(exported):
    path = exported / "fp16.onnx"
    card, model = read_card(path), onnx.load(str(path))
    assert card.extra["weights"]["float16"] > 20 * card.extra["weights"]["float32"]
    kept = set(card.extra["kept_fp32"])
    types = {node.op_type for node in model.graph.node if node.name in kept}
    assert {"Softmax", "InstanceNormalization", "Conv"} <= types
    interface = [*model.graph.input, *model.graph.output]
    assert {value.type.tensor_type.elem_type for value in interface} == {onnx.TensorProto.FLOAT}


def test_nothing_is_rounded_to_half_between_layers_kept_in_fp32(exported):
    path = exported / "fp16.onnx"
    kept = set(read_card(path).extra["kept_fp32"])
    nodes = onnx.load(str(path)).graph.node
    producers = {output: node for node in nodes for output in node.output}
    head = [node for node in nodes if node.name in kept and node.name.startswith("/head")]
    assert {producers[name].op_type for name in ("mu", "log_b")} == {"Slice", "Add"}  # log_b is bounded
    assert all(producers[node.input[0]] in head for node in head if node.op_type != "Conv")


def test_rays_and_fingerprint_stay_in_fp32(exported):
    """FP16 resolves neither a principal point offset of one pixel nor the whitening."""
    model = onnx.load(str(exported / "fp16.onnx"))
    kept = set(read_card(exported / "fp16.onnx").extra["kept_fp32"])
    for part in ("/rays/", "/fingerprint/"):
        nodes = [n for n in model.graph.node if n.name.startswith(part)]
        # In FP16, features plus rays round to the features.
        assert {n.name for n in nodes if n.op_type not in ("Cast", "Add")} <= kept, part
        assert {n.name for n in nodes} & kept
    convolutions = {n.name for n in onnx.load(str(exported / "int8.onnx")).graph.node if n.op_type == "Conv"}
    rays = {name for name in convolutions if name.startswith("/rays/")}
    assert rays
    assert rays <= set(read_card(exported / "int8.onnx").extra["kept_fp32"])


@pytest.mark.parametrize(("precision", "limit"), [("fp16", 0.02), ("int8", 0.2)])
def test_novelty_survives_other_precisions(exported, precision, limit):
    from adu_depth_core.inference.novelty import novelty

    image = np.random.default_rng(1).normal(size=(1, 3, *SIZE)).astype(np.float32)
    reference, ours = (novelty(run(exported / f"{p}.onnx", image)[2][0]) for p in ("fp32", precision))
    assert reference > 1
    assert abs(ours / reference - 1) < limit


def test_half_precision_is_half_the_size(exported):
    sizes = [(exported / f"{precision}.onnx").stat().st_size for precision in ("fp16", "fp32")]
    assert sizes[0] < 0.6 * sizes[1]


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_both_runtimes_run_half_precision(exported, backend):
    pytest.importorskip(backend)
    from adu_depth_core.camera import Camera
    from adu_depth_core.inference.predictor import Predictor

    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    camera = Camera(300.0, 300.0, 48.0, 32.0, 96, 64)
    depths = [
        Predictor(exported / f"{p}.onnx", backend).predict(image, camera).depth for p in ("fp32", "fp16")
    ]
    assert np.median(np.abs(depths[1] / depths[0] - 1)) < 0.005


def test_runtimes_agree_on_int8(exported):
    """OpenVINO 2026.4 computes INT8 convolutions that read a concatenation wrongly: none may."""
    pytest.importorskip("openvino")
    from adu_depth_core.camera import Camera
    from adu_depth_core.inference.predictor import Predictor

    path = exported / "int8.onnx"
    nodes = onnx.load(str(path)).graph.node
    concatenations = {output for node in nodes if node.op_type == "Concat" for output in node.output}
    decoder = [node for node in nodes if node.op_type == "Conv" and node.name.startswith("/decoder/")]
    assert decoder
    assert not concatenations.intersection(node.input[0] for node in decoder)
    assert not {node.name for node in decoder} & set(read_card(path).extra["kept_fp32"])
    # On noise, far from the calibration frames, rounding alone makes them differ by up to 10 %.
    images = [read_rgb(file) for file in sorted((exported / "frames").iterdir())]
    height, width = images[0].shape[:2]
    camera = Camera(110.0, 110.0, width / 2, height / 2, width, height)
    openvino, onnxruntime = (
        np.array([predictor.predict(image, camera).depth for image in images])
        for predictor in (Predictor(path, name) for name in ("openvino", "onnxruntime"))
    )
    assert np.median(np.abs(onnxruntime / openvino - 1)) < 0.04


def test_int8_keeps_the_mean_log_depth_of_its_calibration_frames(exported):
    import onnxruntime

    from adu_depth_core.deploy.input_frames import network_inputs, read_frames
    from adu_depth_core.deploy.student_export import HELD_OUT

    frames = network_inputs(read_frames(exported / "frames", 100), read_card(exported / "int8.onnx"), SIZE)
    calibration = [seen for index, seen in enumerate(frames) if index % HELD_OUT]
    sessions = [onnxruntime.InferenceSession(exported / f"{p}.onnx") for p in ("fp32", "int8")]
    means = [np.mean([s.run(["mu"], seen._asdict())[0] for seen in calibration]) for s in sessions]
    assert abs(means[1] - means[0]) < 1e-4


@pytest.mark.parametrize(("batch", "images"), [("dynamic", 3), ("2", 2)])
def test_batches(shipped_model, tmp_path, batch, images):
    out = tmp_path / "batch.onnx"
    assert export(shipped_model, out, "--batch", batch) == 0
    frames = np.random.default_rng(0).normal(size=(images, 3, *SIZE)).astype(np.float32)
    together = run(out, frames)
    assert together[0].shape == (images, 1, *SIZE)
    for one, expected in zip(run(shipped_model, frames[-1:]), together, strict=True):
        np.testing.assert_allclose(expected[-1:], one, atol=1e-3)


def test_the_frames_camera_can_be_told(exported, shipped_model, tmp_path, capsys):
    frames = ["--frames", str(exported / "frames")]
    assert export(shipped_model, tmp_path / "told.onnx", *frames, "--focal", "55") == 0
    assert read_card(tmp_path / "told.onnx").extra["parity"]["cameras"] == "as calibrated"
    assert export(shipped_model, tmp_path / "half.onnx", *frames, "--cx", "55") == 2
    assert "--cx can only be used with --fx" in capsys.readouterr().err


def test_weights_alone_are_enough(shipped_model, tmp_path):
    pytest.importorskip("torch")
    out = tmp_path / "from_weights.onnx"
    assert export(shipped_model.with_suffix(".safetensors"), out) == 0
    assert "PyTorch" in read_card(out).extra["parity"]["reference"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "65x96"], "multiples of 32"),
        (["--frames", "missing"], "does not exist"),
    ],
)
def test_bad_options_are_named_and_write_nothing(shipped_model, tmp_path, capsys, options, message):
    out = tmp_path / "out.onnx"
    assert export(shipped_model, out, *options) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_export_never_replaces_its_source(color_student, capsys):
    content = color_student.read_bytes()
    assert export(color_student, color_student) == 1
    assert "other than the model" in capsys.readouterr().err
    assert color_student.read_bytes() == content


def test_a_reduced_precision_is_no_source(exported, tmp_path, capsys):
    assert export(exported / "fp16.onnx", tmp_path / "out.onnx") == 1
    assert "starts from an FP32 student" in capsys.readouterr().err


def test_quantising_leaves_the_level_of_other_handlers_alone(exported, shipped_model, tmp_path):
    pytest.importorskip("nncf")
    handler = logging.NullHandler()  # pytest and applications put their own on loggers that do not propagate
    logging.getLogger("nncf").addHandler(handler)
    try:
        options = ["--precision", "int8", "--frames", str(exported / "frames")]
        assert export(shipped_model, tmp_path / "int8.onnx", *options) == 0
    finally:
        logging.getLogger("nncf").removeHandler(handler)
    assert handler.level == logging.NOTSET
