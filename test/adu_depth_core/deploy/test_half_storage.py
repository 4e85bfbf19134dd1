"""Weights stored in FP16: half the file size, FP32 computation, restored for further exports."""

import dataclasses
import shutil

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxslim")
pytest.importorskip("onnxruntime")

from adu_depth_core.cli import main  # noqa: E402
from adu_depth_core.deploy.graph import fingerprint_nodes, load_graph, ray_nodes, weight_types  # noqa: E402
from adu_depth_core.deploy.half_storage import factorise, store_half  # noqa: E402
from adu_depth_core.errors import UserError  # noqa: E402
from adu_depth_core.inference.backends.choice import BACKENDS  # noqa: E402
from adu_depth_core.model_card import card_path, file_sha256, read_card  # noqa: E402

SIZE = (64, 96)


@pytest.fixture(scope="module")
def original(shipped_model, tmp_path_factory):
    """The shipped student without its PyTorch weights, so that torch need not be imported."""
    path = tmp_path_factory.mktemp("original") / "student.onnx"
    shutil.copy(shipped_model, path)
    card = dataclasses.replace(read_card(shipped_model), files={path.name: file_sha256(path)})
    card.write(card_path(path))
    return path


@pytest.fixture(scope="module")
def stored(original):
    path = original.with_name("stored.onnx")
    options = ["--model", str(original), "--size", "any", "--store-fp16", "--out", str(path)]
    assert main(["export", *options]) == 0
    return path


def inputs(size, batch=1):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(batch, 3, *size)).astype(np.float32)
    return image, np.tile(np.array([[55, 55, size[1] / 2, size[0] / 2]], np.float32), (batch, 1))


def test_the_file_is_half_the_size_and_takes_any_input(original, stored):
    full = onnx.load(str(original))
    assert stored.stat().st_size < 0.5 * 4 * weight_types(full)["float32"] + 2**20
    for batch, size in ((1, SIZE), (2, (96, 64))):
        (mu, *_) = BACKENDS["onnxruntime"](stored, size, None, batch).run(*inputs(size, batch))
        assert mu.shape == (batch, *size)


def test_the_card_says_how_weights_are_stored_and_that_depth_is_the_same(stored):
    card = read_card(stored)
    assert card.extra["precision"] == "fp32"
    assert "stored in FP16" in card.extra["storage"]
    assert card.extra["weights"]["float16"] > 15 * card.extra["weights"]["float32"]
    assert card.extra["input_shape"] == ["batch", 3, "height", "width"]
    assert card.extra["parity"]["depth_p99"] < 1e-4  # the FP32 gate lets 1e-2 pass
    assert "cost" not in card.extra  # it depends on the size


def test_fingerprint_rays_and_biases_keep_every_bit(original, stored):
    model = onnx.load(str(stored))
    before = {t.name: t for t in onnx.load(str(original)).graph.initializer}
    after = {t.name: t for t in model.graph.initializer}
    delicate = fingerprint_nodes(model) | ray_nodes(model)
    names = {name for node in model.graph.node if node.name in delicate for name in node.input}
    biases = {n.input[2] for n in model.graph.node if n.op_type == "Conv" and len(n.input) > 2}
    kept = (names | biases) & before.keys()
    assert len(kept) > 50
    assert all(after[name] == before[name] for name in kept)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_runtimes_give_the_answers_of_the_original(original, stored, backend):
    pytest.importorskip(backend)
    ours, theirs = (BACKENDS[backend](p, SIZE, 1).infer(*inputs(SIZE)) for p in (stored, original))
    for value, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-4)


def test_loading_for_another_export_restores_the_graph(original, stored):
    full, restored = load_graph(original), load_graph(stored)
    assert [n.name for n in restored.graph.node] == [n.name for n in full.graph.node]
    assert weight_types(restored) == weight_types(full)
    for ours, theirs in zip(restored.graph.initializer, full.graph.initializer, strict=True):
        assert ours.name == theirs.name
        values = (onnx.numpy_helper.to_array(tensor) for tensor in (ours, theirs))
        np.testing.assert_allclose(*values, rtol=2**-20, atol=0)


RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(40, 6, 3, 3)).astype(np.float16)
SCALES = RNG.lognormal(sigma=3, size=(40, 1, 1, 1)).astype(np.float32)
SUBNORMAL = (RNG.integers(-9, 9, NUMBERS.shape) * 2.0**-24).astype(np.float16)
LARGE = np.where(RNG.random(NUMBERS.shape) < 0.1, 60000, NUMBERS).astype(np.float16)
EMPTY = NUMBERS * (np.arange(40) % 3 > 0).astype(np.float16)[:, None, None, None]


@pytest.mark.parametrize("numbers", [NUMBERS, SUBNORMAL, LARGE, EMPTY, NUMBERS[:, :1, :1, :1]])
def test_numbers_and_scales_are_found_in_their_product(numbers):
    product = numbers.astype(np.float32) * SCALES
    stored, scales = factorise(product)
    assert (stored.dtype, scales.dtype, scales.shape) == (np.float16, np.float32, (40, 1, 1, 1))
    np.testing.assert_allclose(stored.astype(np.float32) * scales, product, rtol=2**-20, atol=0)


def test_numbers_without_scales_need_none():
    stored, scales = factorise(NUMBERS.astype(np.float32))
    assert scales is None
    assert (stored == NUMBERS).all()


def test_weights_that_would_be_rounded_are_left_in_fp32():
    assert factorise(RNG.normal(size=(40, 6, 3, 3)).astype(np.float32)) is None


def test_a_network_of_fp32_weights_is_refused(original):
    model = load_graph(original)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim == 4:
            noise = np.float32(1) + RNG.normal(scale=1e-3, size=values.shape).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values * noise, tensor.name))
    with pytest.raises(UserError, match=r"export from \.safetensors"):
        store_half(model)


def test_storing_leaves_the_model_as_it_was(original):
    model = load_graph(original)
    content = model.SerializeToString()
    store_half(model)
    assert model.SerializeToString() == content


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_every_precision_is_exported_from_it(stored, exported, tmp_path, precision):
    out = tmp_path / "out.onnx"
    options = ["--model", str(stored), "--size", "64x96", "--precision", precision, "--out", str(out)]
    assert main(["export", *options, "--frames", str(exported / "frames")]) == 0
    card = read_card(out)
    assert card.extra["weights"] == read_card(exported / f"{precision}.onnx").extra["weights"]
    assert "storage" not in card.extra
    assert card.extra["cost"] == read_card(exported / f"{precision}.onnx").extra["cost"]


def test_an_engine_has_the_layers_of_the_original(original, stored, tmp_path):
    """TensorRT parses the casts itself; a vehicle has no onnx package."""
    pytest.importorskip("tensorrt_rtx")
    engines = []
    for model in (original, stored):
        out = tmp_path / f"{model.stem}.engine"
        options = ["--onnx", str(model), "--size", "64x96", "--compute-capability", "8.6", "--out", str(out)]
        assert main(["build-engine", *options]) == 0
        engine = read_card(out).extra["engine"]
        engines.append((engine["precisions"], sorted(kind for _, kind, *_ in engine["layers"])))
    assert engines[0] == engines[1]


def test_an_engine_is_compared_with_it(stored, tmp_path):
    from adu_depth_core.deploy.engine_parity import find_reference
    from adu_depth_core.inference.network_size import fixed_network_size

    card = read_card(stored)
    assert find_reference(dataclasses.replace(card, extra={"source_files": card.files}), stored) == stored
    assert fixed_network_size(card) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--precision", "fp16", "--store-fp16"], "computed with in FP32: precision is fp16"),
        (["--precision", "fp16", "--size", "any"], "size any is for FP32 and an open batch"),
        (["--size", "any", "--batch", "2"], "size any is for FP32 and an open batch"),
    ],
)
def test_options_that_do_not_go_together_are_refused(original, tmp_path, capsys, options, message):
    out = tmp_path / "out.onnx"
    assert main(["export", "--model", str(original), "--out", str(out), *options]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_one_size_does_not_become_one_of_any(exported, tmp_path, capsys):
    options = ["--model", str(exported / "fp32.onnx"), "--size", "any", "--out", str(tmp_path / "out.onnx")]
    assert main(["export", *options]) == 1
    assert "fp32.onnx takes 64x96 images: name a student of any size" in capsys.readouterr().err


def test_an_export_does_not_take_the_card_of_its_weights(shipped_model, tmp_path, capsys):
    weights = tmp_path / "student.safetensors"
    weights.write_bytes(b"weights")
    card = dataclasses.replace(read_card(shipped_model), files={weights.name: file_sha256(weights)})
    card.write(card_path(weights))
    before = card_path(weights).read_bytes()
    assert main(["export", "--model", str(weights), "--out", str(tmp_path / "student.onnx")]) == 1
    assert "would replace the card of" in capsys.readouterr().err
    assert card_path(weights).read_bytes() == before
