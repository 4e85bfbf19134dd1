"""Convolutions of concatenations as sums of convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from adu_depth_core.deploy.graph import nodes_after
from adu_depth_core.inference.backends.base import IMAGE


def split_convolutions(model: Any) -> None:
    """Replace each convolution of concatenated features by one per part, and their sum, in place.

    ``W * [a, b] = Wa * a + Wb * b``, where ``*`` is convolution and the weights are cut where the channels
    are. Each part then has a range of its own to be quantised by, and no INT8 convolution reads a
    concatenation, which OpenVINO 2026.4 computes wrongly.

    :param model: ``onnx.ModelProto`` of a fixed size, with FP32 weights in initializers; concatenations that
        do not depend on the image are left alone
    """
    graph = model.graph
    seeing = nodes_after(model, (IMAGE,))
    concatenations = {
        node.output[0]: node
        for node in graph.node
        if node.op_type == "Concat" and node.name in seeing and _attribute(node, "axis", None) == 1
    }
    channels = _channels(model)
    nodes = []
    for node in graph.node:
        concatenation = concatenations.get(node.input[0]) if node.op_type == "Conv" else None
        if concatenation is None or _attribute(node, "group", 1) > 1:
            nodes.append(node)
        else:
            parts = [(part, channels[part]) for part in concatenation.input]
            nodes += _sum_of_parts(graph, node, parts)
    _replace_nodes(graph, nodes)


def _attribute(node: Any, name: str, default: Any) -> Any:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)


def _sum_of_parts(graph: Any, node: Any, parts: list[tuple[str, int]]) -> list[Any]:
    """Nodes that replace a convolution; their weights are added to the graph.

    :param parts: each concatenated tensor and its channels
    """
    import onnx

    kernel = next(tensor for tensor in graph.initializer if tensor.name == node.input[1])
    blocks = np.split(
        onnx.numpy_helper.to_array(kernel), np.cumsum([channels for _, channels in parts])[:-1], axis=1
    )
    nodes: list[Any] = []
    total = ""
    for index, ((part, _), block) in enumerate(zip(parts, blocks, strict=True)):
        name, last = f"{node.name}/part{index}", index == len(parts) - 1
        weight = onnx.numpy_helper.from_array(np.ascontiguousarray(block), f"{name}/weight")
        graph.initializer.append(weight)
        bias = [] if index else node.input[2:]
        convolution = onnx.helper.make_node("Conv", [part, weight.name, *bias], [f"{name}/output"], name)
        convolution.attribute.extend(node.attribute)
        nodes.append(convolution)
        if not index:
            total = convolution.output[0]
            continue
        output = node.output[0] if last else f"{name}/sum"
        nodes.append(onnx.helper.make_node("Add", [total, convolution.output[0]], [output], f"{name}/Add"))
        total = output
    return nodes


def _channels(model: Any) -> dict[str, int]:
    """Size of the second axis of each tensor that has one."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    shapes = {
        value.name: value.type.tensor_type.shape.dim for value in (*inferred.input, *inferred.value_info)
    }
    return {name: shape[1].dim_value for name, shape in shapes.items() if len(shape) > 1}


def _replace_nodes(graph: Any, nodes: list[Any]) -> None:
    """Leave out the concatenations and weights that nothing reads any more."""
    read = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
    nodes = [node for node in nodes if node.op_type != "Concat" or node.output[0] in read]
    read = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)
