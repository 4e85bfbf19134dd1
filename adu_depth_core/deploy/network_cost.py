"""Minimum cost of a network: operations and bytes of its convolutions and matrix products."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

MATRIX_OPERATORS = ("Conv", "MatMul", "Gemm")
"""Operators that do nearly all arithmetic; all others are taken as fused into them, as runtimes do."""

TYPES = {"float32": ("fp32", 4), "float16": ("fp16", 2)}


@dataclass(frozen=True)
class Cost:
    """Cost of one image; a batch costs that often, but its weights are read once.

    :param operations: multiplications and additions by the type of their inputs: ``fp32``, ``fp16``, ``int8``
    :param activation_bytes: inputs read and outputs written, in those types
    :param weight_bytes: weights read
    """

    operations: dict[str, int]
    activation_bytes: int
    weight_bytes: int

    def moved(self, batch: int) -> int:
        """Bytes of a batch."""
        return batch * self.activation_bytes + self.weight_bytes

    def in_type(self, name: str) -> Cost:
        """Cost of an FP32 network if all of it were in a type of half the size, ``fp16`` or ``bf16``."""
        return Cost({name: sum(self.operations.values())}, self.activation_bytes // 2, self.weight_bytes // 2)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def network_cost(model: Any) -> Cost:
    """Cost of one image in a graph of fixed input size.

    :param model: ``onnx.ModelProto`` by ``graph.fix_size`` or made from such; an open batch counts as one
    :raises ValueError: if the shape of a convolution or product is not known
    """
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    graph = inferred.graph
    tensors = {t.name: t for t in graph.initializer}
    values = {v.name: v.type.tensor_type for v in (*graph.input, *graph.value_info, *graph.output)}
    producers = {output: node for node in graph.node for output in node.output}
    batch = values["image"].shape.dim[0].dim_value or 1

    def shape(name: str) -> list[int]:
        if name in tensors:
            return list(tensors[name].dims)
        if name not in values:
            raise ValueError(f"the shape of {name} is not known")
        return [d.dim_value or 1 for d in values[name].shape.dim]  # only the batch may be dynamic

    def is_weight(name: str) -> bool:
        node = producers.get(name)
        return name in tensors or (node is not None and all(map(is_weight, node.input)))

    def kind(name: str) -> tuple[str, int]:
        if name in producers and producers[name].op_type == "DequantizeLinear":
            return "int8", 1
        number = tensors[name].data_type if name in tensors else values[name].elem_type
        return TYPES[onnx.helper.tensor_dtype_to_np_dtype(number).name]

    operations: Counter[str] = Counter()
    activation_bytes = weight_bytes = 0
    for node in graph.node:
        if node.op_type not in MATRIX_OPERATORS:
            continue
        data, weights, output = node.input[0], node.input[1], node.output[0]
        name, size = kind(data)
        results = int(np.prod(shape(output)))
        # What is summed for one result: a convolution's kernel, or a product's inner dimension.
        summed = int(np.prod(shape(weights)[1:])) if node.op_type == "Conv" else shape(data)[-1]
        operations[name] += 2 * results * summed // batch
        moved = [(data, shape(data)), (weights, shape(weights)), (output, shape(output))]
        for tensor, dimensions in moved:
            count = int(np.prod(dimensions)) * size
            if is_weight(tensor):
                weight_bytes += count
            else:
                activation_bytes += count // batch
    return Cost(dict(operations), activation_bytes, weight_bytes)
