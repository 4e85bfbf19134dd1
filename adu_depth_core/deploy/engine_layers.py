"""Layers of a built engine and the types they compute with: proof of the precision."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from adu_depth_core.errors import UserError

TYPES = {
    **{"float": "fp32", "fp32": "fp32", "half": "fp16", "fp16": "fp16", "int8": "int8"},
    **{"bfloat16": "bf16", "bf16": "bf16", "fp8": "fp8", "int32": "int32", "int64": "int64", "bool": "bool"},
}
MATRIX_KINDS = ("correlation", "conv", "gemm", "matrixmultiply")
"""Parts of the names of layer types that do nearly all arithmetic, lower case."""

_TYPE = re.compile(r'Data[tT]ype"?: "?([^",}\]]+)')
"""A tensor's type: ``Datatype: Half`` in the log of ``tensorrt_rtx``, ``"Format/Datatype": "Row major linear
FP32 format"`` in the inspector's JSON of TensorRT 10, ``"DataType": "Float"`` in that of 11."""


@dataclass(frozen=True)
class Layer:
    """One layer of an engine.

    :param name: TensorRT's name, made of the ONNX nodes fused into it
    :param kind: TensorRT's type, such as ``correlation`` (convolution) or ``kgen`` (generated kernel)
    :param inputs: types of its input tensors, ``fp32``, ``fp16``, ``int8``, ...
    :param outputs: types of its output tensors
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def is_matrix(self) -> bool:
        return any(part in self.kind.lower().replace(" ", "") for part in MATRIX_KINDS)

    @property
    def precision(self) -> str:
        """Type it computes with: that of its floating-point inputs; the lowest where they differ."""
        return next((t for t in ("int8", "fp8", "fp16", "bf16", "fp32") if t in self.inputs), "none")


def layers_of_log(lines: Iterable[str]) -> list[Layer]:
    """Layers from the builder's verbose log ("Engine Layer Information", the detailed one-line format).

    It is the only source on a machine without a GPU, where an engine cannot be deserialised.
    """
    layers = []
    for line in "\n".join(lines).splitlines():
        match = re.match(r"\s*Name: (.*?), LayerType: (.*?), Inputs: ", line)
        if match is None:
            continue
        # Dimensions and strides are in brackets too, so the lists are cut at their keywords.
        inputs, _, outputs = line[match.end() :].partition("Outputs: ")
        inputs = inputs.partition("Constants: ")[0]
        outputs = outputs.partition("TacticName")[0]
        layers.append(Layer(match[1], match[2], _types(inputs), _types(outputs)))
    return layers


def layers_of_inspector(text: str) -> list[Layer]:
    """Layers from ``IEngineInspector.get_engine_information(JSON)`` of an engine with detailed profiling.

    :raises UserError: if the engine was built without layer details
    """
    layers = json.loads(text).get("Layers", [])
    if not all(isinstance(layer, dict) for layer in layers):
        raise UserError("the engine holds only layer names: it was not built by `adu_depth build-engine`")
    return [
        Layer(
            layer["Name"],
            layer.get("LayerType", ""),
            _types(json.dumps(layer.get("Inputs", []))),
            _types(json.dumps(layer.get("Outputs", []))),
        )
        for layer in layers
    ]


def count_precisions(layers: Iterable[Layer]) -> dict[str, int]:
    """Number of convolutions and matrix products of each precision."""
    return dict(Counter(layer.precision for layer in layers if layer.is_matrix))


def check_precision(layers: list[Layer], precision: str, least: float = 0.5) -> None:
    """Verify that an engine computes in the requested precision.

    :param least: least share of the convolutions and matrix products that must be of the precision
    :raises UserError: if fewer are: the builder fell back, or the ONNX is of another precision
    """
    counts = count_precisions(layers)
    total = sum(counts.values())
    if total == 0:
        raise UserError("the engine lists no convolution: its precision cannot be verified")
    if counts.get(precision, 0) < least * total:
        found = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        raise UserError(
            f"the engine is not {precision}: of its {total} convolutions and matrix products {found}. "
            f"Export the ONNX with `adu_depth export --precision {precision}` first"
        )


def _types(text: str) -> tuple[str, ...]:
    found = []
    for description in _TYPE.findall(text):
        words = re.findall(r"\w+", description.lower())
        found.append(next((TYPES[word] for word in words if word in TYPES), description.strip().lower()))
    return tuple(found)
