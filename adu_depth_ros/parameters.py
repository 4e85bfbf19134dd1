"""The node's parameters: declaration, description, validation."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

from adu_depth_core.inference import depth_output
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.postprocess import OUTPUT_SIZES

TRANSPORTS = ("raw", "compressed")


def _parameter(
    default: Any,
    description: str,
    *,
    choices: Iterable[str] = (),
    limits: tuple[Any, Any] | None = None,
    dynamic: bool = False,
    read_only: bool = False,
) -> Any:
    metadata = {
        "description": description,
        "choices": tuple(choices),
        "limits": limits,
        "dynamic": dynamic,
        "read_only": read_only,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Values of all parameters; the fields carry what ``ros2 param describe`` shows."""

    model: str = _parameter(
        "", "ONNX file or TensorRT engine, its model card beside it; empty: the installed student"
    )
    profile: str = _parameter(
        "auto",
        "camera profile by `adu_depth calibrate`: a file; 'auto': the one beside the model that is of the "
        "camera, if there is one; 'none'",
    )
    backend: str = _parameter(
        "auto",
        "inference runtime; auto: the fastest of the CPU, or tensorrt for an engine; tensorrt with an ONNX "
        "file: its engine is built and kept in the engine cache",
        choices=("auto", *BACKENDS),
    )
    network_size: str = _parameter(
        "auto",
        "network input as HEIGHTxWIDTH in pixels, e.g. 192x640; 'auto': as suits the camera's aspect, with "
        "about as many pixels as the model was trained for",
    )
    threads: int = _parameter(0, "CPU threads for inference; 0 leaves it to the runtime", limits=(0, 256))
    engine_cache: str = _parameter(
        "", "folder for the engines of backend tensorrt; empty: adu_depth/engines in the user's cache folder"
    )
    engine_compute_capability: str = _parameter(
        "", "with build_only: GPUs to build for, e.g. sm86 (tensorrt_rtx only); empty: this machine's"
    )
    allow_unverified_engine: bool = _parameter(
        False, "run an engine whose answers were not compared with the FP32 original's (parity: not run)"
    )
    build_only: bool = _parameter(
        False, "build the engine into the engine cache and end; status 0: it is there", read_only=True
    )
    image_transport: str = _parameter(
        "raw", "type of the input: 'raw' on image, 'compressed' on image/compressed", choices=TRANSPORTS
    )
    rectified: bool = _parameter(
        True, "the image is rectified: use camera_info's P (its K where P is not filled in); false: K"
    )
    output_size: str = _parameter(
        "image", "size of the published maps: the image's, or the network's", choices=OUTPUT_SIZES
    )
    depth_encoding: str = _parameter(
        "32FC1",
        "depth/image as 32FC1 metres, or as 16UC1 millimetres (up to 65.535 m, 0 invalid)",
        choices=depth_output.ENCODINGS,
        dynamic=True,
    )
    max_depth: float = _parameter(
        depth_output.MAX_DEPTH,
        "metres; farther is published as +inf (16UC1: 0). The model's own range is the other limit",
        limits=(0.1, 1000.0),
        dynamic=True,
    )
    max_relative_sigma: float = _parameter(
        depth_output.MAX_RELATIVE_SIGMA,
        "largest sigma / depth of a measurement; pixels beyond become NaN (16UC1: 0)",
        limits=(0.0, 100.0),
        dynamic=True,
    )
    points_stride: int = _parameter(
        1, "every n-th row and column becomes a point of depth/points", limits=(1, 32), dynamic=True
    )
    autostart: bool = _parameter(
        True, "configure and activate at the start; false: wait for a lifecycle manager", read_only=True
    )


def declare_parameters(node: Node) -> None:
    """Declare all parameters on a node, with description, range and type.

    :raises rclpy.exceptions.ParameterException: if the node was started with a value of another
        type, or one out of range
    """
    for field in dataclasses.fields(Parameters):
        node.declare_parameter(field.name, field.default, _descriptor(field))


def read_parameters(node: Node) -> Parameters:
    """The present values."""
    names = [field.name for field in dataclasses.fields(Parameters)]
    return Parameters(**{p.name: p.value for p in node.get_parameters(names)})


def check_value(parameter: Parameter) -> None:
    """:raises ValueError: if the value of one of our parameters is not one of its choices"""
    field = {f.name: f for f in dataclasses.fields(Parameters)}.get(parameter.name)
    if field is None:
        return
    choices = field.metadata["choices"]
    if choices and parameter.value not in choices:
        raise ValueError(f"{field.name} is {parameter.value!r}: must be one of {', '.join(choices)}")
    if field.name == "network_size":
        parse_network_size(parameter.value)


def is_dynamic(name: str) -> bool:
    """Whether a parameter takes effect at once; unlike one that is used when the node is configured."""
    return all(f.metadata["dynamic"] for f in dataclasses.fields(Parameters) if f.name == name)


def parse_network_size(text: str) -> tuple[int, int] | None:
    """``(height, width)``, or None for ``auto``.

    :raises ValueError: if the text is neither
    """
    if text == "auto":
        return None
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise ValueError(f"network_size is {text!r}: must be HEIGHTxWIDTH, e.g. 192x640, or 'auto'")
    return int(match[1]), int(match[2])


def _descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    metadata = field.metadata
    descriptor = ParameterDescriptor(description=metadata["description"], read_only=metadata["read_only"])
    constraints = []
    if metadata["choices"]:
        constraints.append(f"one of: {', '.join(metadata['choices'])}")
    if not metadata["dynamic"]:
        constraints.append("fixed at the start" if metadata["read_only"] else "can change while unconfigured")
    descriptor.additional_constraints = "; ".join(constraints)
    if metadata["limits"]:
        low, high = metadata["limits"]
        if isinstance(field.default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        else:
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    return descriptor
