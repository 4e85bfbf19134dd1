"""ONNX graphs of one input size: fixed, simplified, checked, described. Runs without torch."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.backends.base import (
    CAMERA,
    FINGERPRINT,
    IMAGE,
    LOG_B,
    MU,
    check_interface,
    input_shapes,
)

logger = logging.getLogger(__name__)

PURPOSE = "for exporting"


def load_graph(path: Path) -> Any:
    """An ONNX student as ``onnx.ModelProto``, its weights in FP32 even where the file stores FP16.

    :raises UserError: if the file is damaged or not a student network
    """
    onnx = require("onnx", "deploy", PURPOSE)
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's, the checker's and the reader's classes share no base
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} is damaged or not an ONNX file ({reason}): export or copy it again"
        ) from error
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = (i.name for i in model.graph.input if i.name not in weights)
    check_interface(path, inputs, (o.name for o in model.graph.output))
    _restore_weights(model, onnx)
    return model


def _restore_weights(model: Any, onnx: Any) -> None:
    """Turn weights by ``half_storage.store_half`` into FP32 initializers, in place.

    Quantisation and the conversion to FP16 expect weights in initializers.
    """
    graph, numpy_helper = model.graph, onnx.numpy_helper
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    readers = {node.input[0]: node for node in graph.node if node.op_type in ("Cast", "Mul")}
    folded: set[str] = set()
    scales: set[str] = set()
    for name, tensor in tensors.items():
        cast = readers.get(name)
        if tensor.data_type != onnx.TensorProto.FLOAT16 or cast is None:
            continue
        values, output = numpy_helper.to_array(tensor).astype(np.float32), cast.output[0]
        scaling = readers.get(output)
        if scaling is not None and scaling.input[1] in tensors:
            values = values * numpy_helper.to_array(tensors[scaling.input[1]])
            folded.add(output)
            scales.add(scaling.input[1])
            output = scaling.output[0]
        folded.add(output)
        tensor.CopyFrom(numpy_helper.from_array(values, output))
    nodes = [node for node in graph.node if node.output[0] not in folded]
    weights = [tensor for tensor in graph.initializer if tensor.name not in scales]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def fix_size(model: Any, size: tuple[int, int], batch: int | None) -> Any:
    """The graph for one input size, simplified: shape arithmetic becomes constants.

    :param size: ``(height, width)``
    :param batch: images at once; None leaves it open
    """
    onnxslim = require("onnxslim", "deploy", PURPOSE)
    shapes = input_shapes(batch or 1, size)
    for value in model.graph.input:
        if value.name not in shapes:
            continue  # older files list their weights here too
        first, *others = value.type.tensor_type.shape.dim
        if batch is None:
            first.dim_param = "batch"
        else:
            first.dim_value = batch
        for dimension, side in zip(others, shapes[value.name][1:], strict=True):
            dimension.dim_value = side
    return onnxslim.slim(model)


def input_shape(model: Any) -> list[int | str]:
    """Shape of ``image``: numbers, and names for dynamic dimensions."""
    image = next(i for i in model.graph.input if i.name == IMAGE)
    return [d.dim_value or d.dim_param for d in image.type.tensor_type.shape.dim]


def opset(model: Any) -> int:
    """Version of the standard operators that the graph uses."""
    return next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def weight_types(model: Any) -> dict[str, int]:
    """Number of weights of each type, such as ``{"float16": 3700000}``: what an ONNX file really holds."""
    import onnx

    counts: dict[str, int] = {}
    for tensor in model.graph.initializer:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name
        counts[kind] = counts.get(kind, 0) + int(np.prod(tensor.dims))
    return counts


def head_nodes(model: Any) -> set[str]:
    """Names of the nodes from the last convolution to ``mu`` and ``log_b``.

    These are logarithms: what is lost there is a relative error of depth or its uncertainty.
    """
    return _nodes_before(model, (MU, LOG_B), stop_at=("Conv",))


def fingerprint_nodes(model: Any) -> set[str]:
    """Names of the nodes that serve the fingerprint alone: from the encoder's features on.

    Its whitening multiplies small differences of statistics.
    """
    return _nodes_before(model, (FINGERPRINT,)) - _nodes_before(model, (MU, LOG_B))


def ray_nodes(model: Any) -> set[str]:
    """Names of the nodes that depend on the camera alone, the rays of pixels and what is made of them."""
    return nodes_after(model, (CAMERA,)) - nodes_after(model, (IMAGE,))


def nodes_after(model: Any, tensors: Iterable[str]) -> set[str]:
    """Names of the nodes that depend on any of some tensors."""
    reached, names = set(tensors), set()
    for node in model.graph.node:  # in topological order
        if reached.intersection(node.input):
            reached.update(node.output)
            names.add(node.name)
    return names


def _nodes_before(model: Any, tensors: Iterable[str], stop_at: Collection[str] = ()) -> set[str]:
    """Names of the nodes that some tensors depend on.

    :param stop_at: operators that are included, but not what they depend on
    """
    producers = {output: node for node in model.graph.node for output in node.output}
    names, waiting = set(), list(tensors)
    while waiting:
        node = producers.get(waiting.pop())
        if node is None or node.name in names:
            continue
        names.add(node.name)
        if node.op_type not in stop_at:
            waiting += node.input
    return names


def nodes_of(model: Any, kinds: Iterable[str]) -> set[str]:
    """Names of the nodes of some operator types."""
    kinds = set(kinds)
    return {node.name for node in model.graph.node if node.op_type in kinds}


def save_graph(model: Any, path: Path) -> None:
    """Write and read back through ``onnx.checker`` with full shape inference.

    :raises onnx.checker.ValidationError: if the graph is not valid ONNX
    """
    import onnx

    onnx.save(model, str(path))
    onnx.checker.check_model(str(path), full_check=True)
