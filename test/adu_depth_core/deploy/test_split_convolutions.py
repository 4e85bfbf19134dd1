"""Sums of convolutions compute what the convolutions of concatenations did."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from adu_depth_core.deploy.split_convolutions import split_convolutions  # noqa: E402

SIDE = 6


def graph_of(parts, outputs, kernel, bias, random):
    """``Conv(Concat(Conv(image), ...))``, one inner convolution for each part."""
    helper, weights, nodes = onnx.helper, [], []

    def convolution(name, given, shape, with_bias=True, **attributes):
        values = random.normal(size=shape).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(values, f"{name}.weight"))
        inputs = [given, f"{name}.weight"]
        if with_bias:
            offsets = random.normal(size=shape[0]).astype(np.float32)
            weights.append(onnx.numpy_helper.from_array(offsets, f"{name}.bias"))
            inputs.append(f"{name}.bias")
        nodes.append(helper.make_node("Conv", inputs, [name], f"/{name}", **attributes))

    for index, channels in enumerate(parts):
        convolution(f"part{index}", "image", (channels, 3, 1, 1))
    names = [f"part{index}" for index in range(len(parts))]
    nodes.append(helper.make_node("Concat", names, ["all"], "/concat", axis=1))
    pads = [kernel // 2] * 4
    convolution("features", "all", (outputs, sum(parts), kernel, kernel), bias, pads=pads)
    tensor = helper.make_tensor_value_info
    image = tensor("image", onnx.TensorProto.FLOAT, (1, 3, SIDE, SIDE))
    out = tensor("features", onnx.TensorProto.FLOAT, (1, outputs, SIDE, SIDE))
    graph = helper.make_graph(nodes, "test", [image], [out], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, image):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": image})[0]


@settings(deadline=None, max_examples=30)
@given(
    parts=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    outputs=st.integers(1, 3),
    kernel=st.sampled_from((1, 3)),
    bias=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_the_sum_of_the_parts_is_the_convolution(parts, outputs, kernel, bias, seed):
    random = np.random.default_rng(seed)
    model = graph_of(parts, outputs, kernel, bias, random)
    image = random.normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
    expected = run(model, image)
    split_convolutions(model)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(run(model, image), expected, rtol=1e-4, atol=1e-4)
    kinds = [node.op_type for node in model.graph.node]
    assert "Concat" not in kinds
    assert kinds.count("Conv") == 2 * len(parts)
    assert "features.weight" not in {tensor.name for tensor in model.graph.initializer}


def test_a_concatenation_with_other_readers_stays():
    model = graph_of((2, 3), 2, 3, True, np.random.default_rng(0))
    model.graph.node.append(onnx.helper.make_node("Relu", ["all"], ["positive"], "/relu"))
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("positive", onnx.TensorProto.FLOAT, (1, 5, SIDE, SIDE))
    )
    split_convolutions(model)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node].count("Concat") == 1


def test_a_tensor_concatenated_with_itself_counts_twice():
    random = np.random.default_rng(0)
    model = graph_of((2, 2), 3, 3, True, random)
    model.graph.node[2].input[1] = model.graph.node[2].input[0]
    image = random.normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
    expected = run(model, image)
    split_convolutions(model)
    np.testing.assert_allclose(run(model, image), expected, rtol=1e-4, atol=1e-4)


def test_a_concatenation_along_another_axis_is_left_alone():
    model = graph_of((2, 2), 3, 3, True, np.random.default_rng(0))
    model.graph.node[2].attribute[0].i = 0
    kernel = next(t for t in model.graph.initializer if t.name == "features.weight")
    half = onnx.numpy_helper.to_array(kernel)[:, :2]
    kernel.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(half), kernel.name))
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 2
    split_convolutions(model)
    assert [node.op_type for node in model.graph.node] == ["Conv", "Conv", "Concat", "Conv"]
