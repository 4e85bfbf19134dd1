"""Conversion to FP16 on small graphs with known types."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from adu_depth_core.deploy.half import convert  # noqa: E402

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16


def graph(nodes, weights, outputs, shape=(1, 2, 4, 4)):
    helper = onnx.helper
    made = helper.make_graph(
        [helper.make_node(kind, inputs, out, name=out[0], **extra) for kind, inputs, out, extra in nodes],
        "graph",
        [helper.make_tensor_value_info("image", FLOAT, list(shape))],
        [helper.make_tensor_value_info(name, FLOAT, list("abcd")) for name in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, image):
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": image})


def types_of_nodes(model) -> dict[str, set[int]]:
    """Types of the floating-point inputs of each node other than casts."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    kinds = {v.name: v.type.tensor_type.elem_type for v in (*inferred.input, *inferred.value_info)}
    kinds |= {v.name: v.type.tensor_type.elem_type for v in inferred.output}
    kinds |= {t.name: t.data_type for t in inferred.initializer}
    return {
        node.name: {kinds[name] for name in node.input if kinds.get(name) in (FLOAT, HALF)}
        for node in inferred.node
        if node.op_type != "Cast"
    }


IMAGE = np.random.default_rng(0).normal(size=(1, 2, 4, 4)).astype(np.float32)
KERNEL = np.random.default_rng(1).normal(size=(2, 2, 1, 1)).astype(np.float32)


def test_scales_of_resize_stay_in_fp32():
    """ONNX allows no other type there; the network around them is in FP16."""
    nodes = [
        ("Conv", ["image", "kernel"], ["a"], {}),
        ("Resize", ["a", "", "scales"], ["b"], {"mode": "nearest"}),
        ("Exp", ["b"], ["mu"], {}),
    ]
    weights = {"kernel": KERNEL, "scales": np.array([1, 1, 2, 2], np.float32)}
    model = graph(nodes, weights, ["mu"])
    half = convert(model, keep={"mu"})
    assert types_of_nodes(half) == {"a": {HALF}, "b": {HALF, FLOAT}, "mu": {FLOAT}}
    np.testing.assert_allclose(run(half, IMAGE)[0], run(model, IMAGE)[0], rtol=5e-3)


def test_a_weight_that_both_types_read_is_there_in_both():
    nodes = [("Mul", ["image", "weight"], ["a"], {}), ("Add", ["a", "weight"], ["mu"], {})]
    weight = np.float32([1 / 3])
    half = convert(graph(nodes, {"weight": weight}, ["mu"]), keep={"mu"})
    assert types_of_nodes(half) == {"a": {HALF}, "mu": {FLOAT}}
    assert weight in [onnx.numpy_helper.to_array(t) for t in half.graph.initializer if t.data_type == FLOAT]
    assert run(half, np.zeros_like(IMAGE))[0].max() == weight[0]


def test_each_tensor_is_cast_once_however_often_it_is_read():
    nodes = [
        ("Relu", ["image"], ["a"], {}),
        *((("Exp", ["a"], [name], {})) for name in ("b", "c")),
        ("Sum", ["a", "b", "c"], ["mu"], {}),
    ]
    half = convert(graph(nodes, {}, ["mu"]), keep={"b", "c", "mu"})
    casts = [node for node in half.graph.node if node.op_type == "Cast"]
    assert [node.input[0] for node in casts] == ["image", "a"]
    names = [output for node in half.graph.node for output in node.output]
    assert len(names) == len(set(names))  # static single assignment, which ONNX Runtime's converter violated


def test_an_output_keeps_its_name_and_type():
    half = convert(graph([("Relu", ["image"], ["mu"], {})], {}, ["mu"]), keep=())
    assert types_of_nodes(half) == {"mu": {HALF}}
    assert half.graph.output[0].type.tensor_type.elem_type == FLOAT
    np.testing.assert_allclose(run(half, IMAGE)[0], np.maximum(IMAGE, 0), rtol=1e-3)


@pytest.mark.parametrize(
    ("weight", "narrow"),
    [(3e38, 65504.0), (-1e9, -65504.0), (1e-12, 2.0**-24), (-1e-12, -(2.0**-24)), (0, 0)],
)
def test_weights_beyond_half_are_brought_to_its_ends(weight, narrow):
    """Infinity times 0 is NaN, and so is 0 divided by an epsilon that was rounded to 0."""
    nodes = [("Mul", ["image", "weight"], ["mu"], {})]
    half = convert(graph(nodes, {"weight": np.float32([weight])}, ["mu"]), keep=())
    (value,) = [onnx.numpy_helper.to_array(t) for t in half.graph.initializer]
    assert value.tolist() == [narrow]


def test_an_output_that_others_read_is_not_rounded_for_them_again():
    nodes = [("Relu", ["image"], ["mu"], {}), ("Neg", ["mu"], ["log_b"], {})]
    half = convert(graph(nodes, {}, ["mu", "log_b"]), keep=())
    producers = {output: node for node in half.graph.node for output in node.output}
    (negated,) = [node for node in half.graph.node if node.op_type == "Neg"]
    assert producers[negated.input[0]].op_type == "Relu"
    np.testing.assert_array_equal(*(np.abs(values) for values in run(half, IMAGE)))


def test_what_makes_floats_of_shapes_stays_as_it_is():
    value = onnx.numpy_helper.from_array(np.float32([2.0]), "value")
    nodes = [
        ("Shape", ["image"], ["shape"], {}),
        ("ConstantOfShape", ["shape"], ["twos"], {"value": value}),
        ("Mul", ["image", "twos"], ["mu"], {}),
    ]
    half = convert(graph(nodes, {}, ["mu"]), keep=())
    assert types_of_nodes(half)["mu"] == {HALF}
    np.testing.assert_allclose(run(half, IMAGE)[0], 2 * IMAGE, rtol=1e-3)
