"""Weights stored in FP16 and computed with in FP32: half the file size, the same outputs at the same speed.

A student's weights are FP16 numbers (its ``.safetensors``); in its ONNX each channel of a convolution is
multiplied by the scale of the batch normalisation that was folded into it. Such a tensor is stored as the
FP16 numbers, and nodes restore it: a ``Cast`` and, with a scale, a ``Mul``, as in OpenVINO's compressed IR.
OpenVINO, ONNX Runtime and TensorRT fold these nodes when they load the file; ``graph.load_graph`` folds them
for further exports.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adu_depth_core.deploy.graph import fingerprint_nodes, ray_nodes
from adu_depth_core.errors import UserError

RULE = (
    "weights of convolutions are stored in FP16, with an FP32 scale for each output channel, and restored on "
    "loading; biases, the fingerprint and what is made of rays are stored in FP32"
)

STORED, SCALE, UNSCALED = "/fp16", "/scale", "/unscaled"
"""Suffixes: the FP16 numbers, the scale, and the cast numbers; the restored tensor has the name itself."""

EXACT = 2.0**-21
"""Relative difference of a restored weight that is put down to FP32's rounding (2**-24 for each step)."""

SIGNIFICANDS = np.arange(1024, 2048) * 2.0**4
"""FP16's significands from 2**14 on: the candidates for a channel's largest weight. That far up even the
smallest of its weights is a normal number."""

PROBES = 4
"""Number of a channel's largest weights that candidates are first tried on; most fail on the second."""


def store_half(model: Any) -> Any:
    """Store the weights of a student's convolutions in FP16.

    :param model: FP32 ``onnx.ModelProto`` made from FP16 weights, of any input size
    :return: the new graph, with FP32 inputs, outputs and activations; the model is unchanged
    :raises UserError: if no tensor consists of FP16 numbers times a scale for each channel; those that do not
        stay in FP32
    """
    import onnx

    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    graph = stored.graph
    delicate = fingerprint_nodes(model) | ray_nodes(model)
    kernels = {n.input[1] for n in graph.node if n.op_type == "Conv" and n.name not in delicate}
    nodes, scales = [], []
    for tensor in graph.initializer:
        name = tensor.name
        if name not in kernels or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        factors = factorise(onnx.numpy_helper.to_array(tensor))
        if factors is None:
            continue
        numbers, scale = factors
        tensor.CopyFrom(onnx.numpy_helper.from_array(numbers, name + STORED))
        cast = name if scale is None else name + UNSCALED
        to_float = {"to": onnx.TensorProto.FLOAT}
        nodes.append(onnx.helper.make_node("Cast", [name + STORED], [cast], f"Cast:{name}", **to_float))
        if scale is not None:
            scales.append(onnx.numpy_helper.from_array(scale, name + SCALE))
            nodes.append(onnx.helper.make_node("Mul", [cast, name + SCALE], [name], f"Mul:{name}"))
    if not nodes:
        raise UserError(
            "the weights are not FP16 numbers, so FP16 cannot store them exactly: export from .safetensors"
        )
    graph.initializer.extend(scales)
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)
    return stored


def factorise(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray | None] | None:
    """FP16 numbers and scales whose product a tensor is, within ``EXACT``.

    The scale of a channel divides its largest weight to one of FP16's 1,024 significands: all are tried.

    :param weights: float32 ``(channels, ...)``
    :return: numbers, float16 of the same shape, and scales, float32 ``(channels, 1, ...)``, or None where all
        are 1; None in place of both if there are none
    """
    rows = weights.reshape(len(weights), -1).astype(np.float64)
    if not _rounding(rows).any():
        return weights.astype(np.float16), None
    scales = np.array([_scale(row) for row in rows], np.float32)
    numbers = rows / scales[:, None]
    if _rounding(numbers).max() > EXACT:
        return None
    shape = (-1, *(1,) * (weights.ndim - 1))
    return numbers.astype(np.float16).reshape(weights.shape), scales.reshape(shape)


def _scale(row: np.ndarray) -> float:
    """The scale of a channel that leaves the least rounding."""
    sizes = np.sort(np.abs(row))[::-1]
    if sizes[0] == 0:
        return 1.0
    # In FP32, as it is stored: its own rounding must not add to that of the weights.
    candidates = (sizes[0] / SIGNIFICANDS).astype(np.float32).astype(np.float64)
    fits = _rounding(sizes[None, :PROBES] / candidates[:, None]).max(axis=1) <= EXACT
    candidates = candidates[fits] if fits.any() else candidates[:1]
    roundings = _rounding(sizes[None] / candidates[:, None]).max(axis=1)
    return float(candidates[roundings.argmin()])


def _rounding(values: np.ndarray) -> np.ndarray:
    """Relative differences between float64 values and the nearest FP16 numbers; 0 for 0."""
    with np.errstate(over="ignore"):
        nearest = values.astype(np.float16).astype(np.float64)
    return np.abs(nearest - values) / np.where(values == 0, 1.0, np.abs(values))
