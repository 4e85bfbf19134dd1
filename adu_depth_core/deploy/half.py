"""FP16 weights and activations, with delicate layers kept in FP32."""

from __future__ import annotations

from typing import Any

from adu_depth_core.deploy.graph import fingerprint_nodes, head_nodes, nodes_of, ray_nodes
from adu_depth_core.errors import require

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


def to_half(model: Any) -> tuple[Any, list[str]]:
    """Convert a graph to FP16; strongly typed, with explicit casts at the borders.

    :param model: FP32 ``onnx.ModelProto``
    :return: the new graph, and the names of the nodes kept in FP32
    """
    # ONNX Runtime maintains the converter that began in onnxconverter-common.
    float16 = require("onnxruntime.transformers.float16", "deploy", "for FP16")
    kept = sorted(head_nodes(model) | fingerprint_nodes(model) | ray_nodes(model) | nodes_of(model, DELICATE))
    half = float16.convert_float_to_float16(model, keep_io_types=True, op_block_list=[], node_block_list=kept)
    _keep_between(half)
    onnx_model = require("onnxruntime.transformers.onnx_model", "deploy", "for FP16")
    onnx_model.OnnxModel(half).topological_sort()  # the converter appends the casts of the inputs
    return half, kept


def _keep_between(model: Any) -> None:
    """Remove casts from FP32 to FP16 and back.

    The converter puts them between neighbours that both stay in FP32, and before the outputs, where they
    round what is to be spared.
    """
    import onnx

    nodes, outputs = model.graph.node, {output.name for output in model.graph.output}
    casts = {node.output[0]: node for node in nodes if node.op_type == "Cast"}

    def is_cast_to(node: Any, kind: int) -> bool:
        return node is not None and any(a.name == "to" and a.i == kind for a in node.attribute)

    same: dict[str, str] = {}
    for name, back in casts.items():
        there = casts.get(back.input[0])
        if is_cast_to(back, onnx.TensorProto.FLOAT) and is_cast_to(there, onnx.TensorProto.FLOAT16):
            # An output keeps its name, so there it is the original that is renamed.
            source = there.input[0]
            same |= {source: name} if name in outputs else {name: source}
            nodes.remove(back)
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [same.get(name, name) for name in names]
    used = outputs.union(*(node.input for node in nodes))
    for node in [n for n in nodes if n.op_type == "Cast" and n.output[0] not in used]:
        nodes.remove(node)
    del model.graph.value_info[:]  # of tensors that are gone
