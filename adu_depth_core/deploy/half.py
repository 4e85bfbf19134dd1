"""FP16 weights and activations, with delicate layers kept in FP32."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from adu_depth_core.deploy.graph import fingerprint_nodes, head_nodes, nodes_of, ray_nodes

DELICATE = (
    "InstanceNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "ReduceMean",
    "Softmax",
    "Exp",
    "Log",
    "Pow",
    "Sqrt",
    "Reciprocal",
)
"""Operators that sum many values or leave FP16's range (6e-8 to 65504)."""

RULE = (
    "inputs, outputs, everything from the last convolution to the maps, the fingerprint from the encoder's "
    f"features on, the rays of pixels and what is made of them, and {', '.join(DELICATE)}"
)

FP32_INPUTS = {"Resize": (1, 2)}
"""Inputs that ONNX defines as FP32 whatever the type of the others: region of interest and scales."""


def to_half(model: Any) -> tuple[Any, list[str]]:
    """Convert a student to FP16, with its delicate layers in FP32.

    :param model: FP32 ``onnx.ModelProto``
    :return: the new graph, and the names of the nodes kept in FP32
    """
    kept = sorted(head_nodes(model) | fingerprint_nodes(model) | ray_nodes(model) | nodes_of(model, DELICATE))
    return convert(model, kept), kept


def convert(model: Any, keep: Collection[str]) -> Any:
    """Convert a graph to FP16: strongly typed, with a cast wherever a tensor changes its type.

    A tensor keeps its name in the type of the node that makes it. Inputs and outputs of the graph stay FP32,
    and so do nodes that make FP32 of no FP32, such as ``ConstantOfShape``. Weights beyond the range of FP16
    are brought to its ends.

    :param model: FP32 ``onnx.ModelProto`` without subgraphs, its weights in initializers
    :param keep: names of the nodes that stay FP32
    :return: the new graph; the model stays as it was
    """
    import onnx

    conversion = _Conversion(model, onnx)
    for node in model.graph.node:
        conversion.add(node, node.name not in keep)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:], result.graph.initializer[:], result.graph.value_info[:]  # of the former types
    result.graph.node.extend(conversion.nodes)
    read = {name for node in conversion.nodes for name in node.input}
    weights = (*model.graph.initializer, *conversion.weights)
    result.graph.initializer.extend(tensor for tensor in weights if tensor.name in read)
    return result


class _Conversion:
    """The nodes and weights of the new graph, while they are made.

    :ivar nodes: the nodes so far, casts among them
    :ivar weights: those in FP16
    """

    def __init__(self, model: Any, onnx: Any) -> None:
        self._onnx = onnx
        self._float, self._half = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
        graph = onnx.shape_inference.infer_shapes(model).graph
        self._constants = {t.name: t for t in graph.initializer if t.data_type == self._float}
        values = (*graph.input, *graph.value_info, *graph.output)
        floats = (v.name for v in values if v.type.tensor_type.elem_type == self._float)
        self._types = dict.fromkeys((*floats, *self._constants), self._float)
        self._outputs = {output.name for output in graph.output}
        self._others: dict[str, str] = {}  # name in the type other than the one in which a tensor is made
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, node: Any, may_be_half: bool) -> None:
        """Take over the next node, in FP16 if it may be and reads any floating-point number."""
        is_half = may_be_half and any(name in self._types for name in node.input)
        fixed = FP32_INPUTS.get(node.op_type, ())
        typed = self._onnx.NodeProto()
        typed.CopyFrom(node)
        for i, name in enumerate(node.input):
            typed.input[i] = self._read(name, self._half if is_half and i not in fixed else self._float)
        self.nodes.append(typed)
        for i, name in enumerate(node.output):
            if is_half and name in self._outputs:
                typed.output[i] = self._others[name] = f"{name}/fp16"
                self._cast(typed.output[i], name, self._float)
            elif is_half and name in self._types:
                self._types[name] = self._half

    def _read(self, name: str, wanted: int) -> str:
        """Name of a float tensor in the wanted type, cast if necessary; other tensors stay as they are."""
        if self._types.get(name, wanted) == wanted:
            return name
        if name not in self._others:
            other = self._others[name] = f"{name}/{'fp16' if wanted == self._half else 'fp32'}"
            if name in self._constants:
                values = _narrow(self._onnx.numpy_helper.to_array(self._constants[name]))
                self.weights.append(self._onnx.numpy_helper.from_array(values, other))
            else:
                self._cast(name, other, wanted)
        return self._others[name]

    def _cast(self, source: str, target: str, kind: int) -> None:
        self.nodes.append(self._onnx.helper.make_node("Cast", [source], [target], f"Cast:{target}", to=kind))


def _narrow(values: np.ndarray) -> np.ndarray:
    """FP16 values, saturated at both ends: none overflows to infinity, and none but 0 underflows to 0."""
    limits = np.finfo(np.float16)
    sizes = np.clip(np.abs(values), limits.smallest_subnormal, limits.max)
    return np.asarray(np.where(values == 0, 0, np.copysign(sizes, values)), np.float16)
