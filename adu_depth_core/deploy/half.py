"""FP16 weights and activations, with delicate layers kept in FP32."""

from __future__ import annotations

from typing import Any

from adu_depth_core.deploy.graph import head_nodes, nodes_of
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

RULE = f"inputs, outputs, everything from the last convolution to the outputs, and {', '.join(DELICATE)}"


def to_half(model: Any) -> tuple[Any, list[str]]:
    """Convert a graph to FP16; strongly typed, with explicit casts at the borders.

    :param model: FP32 ``onnx.ModelProto``
    :return: the new graph, and the names of the nodes kept in FP32
    """
    # ONNX Runtime maintains the converter that began in onnxconverter-common.
    float16 = require("onnxruntime.transformers.float16", "deploy", "for FP16")
    kept = sorted(head_nodes(model) | nodes_of(model, DELICATE))
    half = float16.convert_float_to_float16(model, keep_io_types=True, op_block_list=[], node_block_list=kept)
    onnx_model = require("onnxruntime.transformers.onnx_model", "deploy", "for FP16")
    onnx_model.OnnxModel(half).topological_sort()  # the converter appends the casts of the inputs
    return half, kept
