"""The node's parameters: declaration, description and validation."""

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
from adu_depth_ros.image_region import check_mask, parse_region
from adu_depth_ros.vehicle_motion import SOURCES

TRANSPORTS = ("raw", "compressed")

START, CONFIGURE, RELOAD, FRAME = "start", "configure", "reload", "run time"
"""Times at which a value takes effect: at startup of the process; when the node is configured; then or
with the service ``reload``; with the next frame."""


def _parameter(
    default: Any,
    applies: str,
    description: str,
    *,
    choices: Iterable[str] = (),
    limits: tuple[Any, Any] | None = None,
    per_camera: bool = False,
) -> Any:
    metadata = {
        "per_camera": per_camera,
        "applies": applies,
        "description": description,
        "choices": tuple(choices),
        "limits": limits,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Values of all parameters.

    This is the only place where they are described: ``ros2 param describe``, the launch file's arguments,
    ``config/depth_node.yaml`` and the table in ``docs/node.md`` are generated from it (``parameter_files``).
    """

    model: str = _parameter(
        "",
        RELOAD,
        "name of an installed model (`adu_depth models` lists them), or an ONNX file or TensorRT engine with "
        "its model card (same name, .json) beside it; empty: small",
    )
    profile: str = _parameter(
        "auto",
        RELOAD,
        "camera profile written by `adu_depth calibrate` (docs/own_vehicle.md): a file; auto: the "
        "NAME.profile.json beside the model that matches the camera, if there is one; none. With a file "
        "for another model the node cannot be configured; with one for another camera every frame is "
        "rejected",
    )
    backend: str = _parameter(
        "auto",
        RELOAD,
        "inference runtime; auto: the fastest CPU runtime, or tensorrt for an engine; tensorrt with an ONNX "
        "file: its engine is built once and kept in the engine cache",
        choices=("auto", *BACKENDS),
    )
    network_size: str = _parameter(
        "auto",
        RELOAD,
        "network input as HEIGHTxWIDTH in pixels, multiples of 32, e.g. 192x640; smaller is faster, larger "
        "resolves finer detail. auto: matched to the camera's aspect ratio, with about as many pixels as "
        "the model was trained for; the first frame of a camera with a different aspect ratio waits until "
        "the network is loaded for it. Engines and exports keep their size",
    )
    threads: int = _parameter(
        0,
        RELOAD,
        "CPU threads for inference; 0 leaves it to the runtime. Limit them to keep cores for others",
        limits=(0, 256),
    )
    gpu: int = _parameter(
        0,
        RELOAD,
        "index of the GPU for GPU backends, among those that the process sees (CUDA_VISIBLE_DEVICES)",
        limits=(0, 63),
    )
    engine_cache: str = _parameter(
        "",
        RELOAD,
        "folder for the engines of backend tensorrt; empty: adu_depth/engines in the user's cache folder",
    )
    allow_unverified_engine: bool = _parameter(
        False,
        RELOAD,
        "run an engine whose outputs were not compared with the FP32 original (its card says parity: not "
        "run)",
    )
    engine_compute_capability: str = _parameter(
        "",
        CONFIGURE,
        "with build_only: GPUs to build for, e.g. sm86 for compute capability 8.6 (tensorrt_rtx only); "
        "empty: this machine's",
    )
    cameras: tuple[str, ...] = _parameter(
        ("",),
        CONFIGURE,
        "names of several cameras in one process, e.g. [front, rear]: each has its topics below its name "
        "(front/image, front/depth/image), its own diagnostics, and its own value of the parameters marked "
        "per camera (front.ego_mask; if not given, the value without a name). One empty name: one camera",
    )
    image_transport: str = _parameter(
        "raw",
        CONFIGURE,
        "type of the input: raw, sensor_msgs/Image on image; compressed, sensor_msgs/CompressedImage on "
        "image/compressed",
        choices=TRANSPORTS,
        per_camera=True,
    )
    rectified: bool = _parameter(
        True,
        CONFIGURE,
        "true: the image is rectified (image_proc), camera_info's P applies, or K if P is not filled in; "
        "false: it is raw, K applies, distortion remains. Ignored with rectify, which takes raw images",
        per_camera=True,
    )
    rectify: bool = _parameter(
        False,
        CONFIGURE,
        "the image is raw: undistort it by camera_info (plumb_bob, rational_polynomial, equidistant) to "
        "the view of P, or of K if P is not filled in; outputs are in that view",
        per_camera=True,
    )
    output_size: str = _parameter(
        "image",
        CONFIGURE,
        "size of the published maps: the image's, or the network's at a fraction of the bandwidth",
        choices=OUTPUT_SIZES,
    )
    stabilise_motion: str = _parameter(
        "tf",
        CONFIGURE,
        "source of the vehicle's motion for stabilise: tf, /tf and /tf_static; odometry, nav_msgs/Odometry "
        "on odometry with /tf_static; none, only frames of a static camera are fused",
        choices=SOURCES,
    )
    stabilise_frame: str = _parameter(
        "odom",
        CONFIGURE,
        "with stabilise_motion tf: fixed frame in which the vehicle's pose is continuous (REP 105: odom, not "
        "map)",
    )
    build_only: bool = _parameter(
        False,
        START,
        "build the engine into engine_cache and exit, to provision vehicles; exit status 0: it is available",
    )
    autostart: bool = _parameter(
        True,
        START,
        "configure and activate at startup; false: wait for a lifecycle manager or `ros2 lifecycle set`",
    )
    depth_encoding: str = _parameter(
        "32FC1",
        FRAME,
        "depth/image as 32FC1, metres, or as 16UC1, millimetres up to 65.535 m with 0 for invalid or "
        "farther pixels",
        choices=depth_output.ENCODINGS,
    )
    max_depth: float = _parameter(
        depth_output.MAX_DEPTH,
        FRAME,
        "metres; farther depth is published as +inf (16UC1: 0). The model's own range also applies",
        limits=(0.1, 1000.0),
    )
    max_relative_sigma: float = _parameter(
        depth_output.MAX_RELATIVE_SIGMA,
        FRAME,
        "largest sigma / depth of a valid pixel; pixels above are NaN (16UC1: 0). Smaller values keep only "
        "pixels that the network is sure of",
        limits=(0.0, 100.0),
    )
    png_level: int = _parameter(
        1,
        FRAME,
        "compression level of depth/image/compressedDepth; higher is smaller and slower",
        limits=(0, 9),
    )
    confidence_tolerance: float = _parameter(
        0.1,
        FRAME,
        "confidence/image is the probability that depth is right within this relative tolerance",
        limits=(0.001, 1.0),
    )
    region_of_interest: str = _parameter(
        "",
        FRAME,
        "part of the image to process and publish, as LEFT,TOP,WIDTH,HEIGHT in its pixels; empty: all",
        per_camera=True,
    )
    ego_mask: str = _parameter(
        "",
        FRAME,
        "part of the image that shows the vehicle itself, NaN in all outputs and excluded from statistics: "
        "a .png of the image's size, black there; or polygons in pixels, x,y x,y x,y; x,y ...",
        per_camera=True,
    )
    max_rate: float = _parameter(
        0.0,
        FRAME,
        "maximum frames per second to process, evenly spaced; the others count as limited; 0: all",
        limits=(0.0, 1000.0),
        per_camera=True,
    )
    stabilise: bool = _parameter(
        False,
        FRAME,
        "fuse depth and sigma with those of the frames before, moved by the vehicle's motion: steadier depth "
        "for some milliseconds per frame (docs/node.md)",
        per_camera=True,
    )
    lazy_subscription: bool = _parameter(
        True,
        FRAME,
        "subscribe to the image only while an output has subscribers; false: always, so that the first "
        "frame arrives immediately and diagnostics monitor the camera",
    )
    points_stride: int = _parameter(
        1, FRAME, "every n-th row and column becomes a point of depth/points", limits=(1, 32)
    )
    points_rate: float = _parameter(
        0.0, FRAME, "maximum clouds per second, evenly spaced; 0: one per frame", limits=(0.0, 1000.0)
    )
    points_near: float = _parameter(0.0, FRAME, "metres; no points nearer than this", limits=(0.0, 1000.0))
    points_far: float = _parameter(1000.0, FRAME, "metres; no points farther than this", limits=(0.0, 1000.0))
    points_left: float = _parameter(
        1000.0, FRAME, "metres; no points farther left of the camera's axis", limits=(0.0, 1000.0)
    )
    points_right: float = _parameter(
        1000.0, FRAME, "metres; no points farther right of the camera's axis", limits=(0.0, 1000.0)
    )
    points_above: float = _parameter(
        1000.0, FRAME, "metres; no points farther above the camera's axis", limits=(0.0, 1000.0)
    )
    points_below: float = _parameter(
        1000.0, FRAME, "metres; no points farther below the camera's axis", limits=(0.0, 1000.0)
    )
    points_max_sigma: float = _parameter(
        1000.0, FRAME, "metres; no points with a larger sigma", limits=(0.0, 1000.0)
    )
    points_voxel: float = _parameter(
        0.0,
        FRAME,
        "metres; edge of the voxels, each reduced to one point, where sigma is small; 0: every pixel is a "
        "point of an organised cloud",
        limits=(0.0, 10.0),
    )
    points_voxel_sigmas: float = _parameter(
        1.0,
        FRAME,
        "minimum edge of a voxel in sigmas of its points: uncertain points are downsampled more",
        limits=(0.0, 10.0),
    )
    stale_after: float = _parameter(
        2.0, FRAME, "seconds without an image after which diagnostics say STALE", limits=(0.1, 3600.0)
    )
    latency_budget: float = _parameter(
        0.0,
        FRAME,
        "seconds from an image's stamp to its depth; diagnostics warn when 1 % of the frames take longer, "
        "and report ERROR when half of them do; 0: no limit",
        limits=(0.0, 60.0),
    )
    max_drop_share: float = _parameter(
        0.0, FRAME, "fraction of dropped frames above which diagnostics warn", limits=(0.0, 1.0)
    )
    max_withheld_share: float = _parameter(
        0.9,
        FRAME,
        "fraction of pixels without depth (sigma / depth above max_relative_sigma) above which diagnostics "
        "warn",
        limits=(0.0, 1.0),
    )
    drift_tolerance: float = _parameter(
        1.5,
        FRAME,
        "factor by which the last minute's median depth or sigma / depth may lie outside the model card's "
        "typical range before diagnostics warn",
        limits=(1.0, 100.0),
    )
    worker_timeout: float = _parameter(
        30.0,
        FRAME,
        "seconds on one frame after which the worker counts as hung and is replaced, once; must be longer "
        "than loading the network takes. Time in which the whole process is suspended or swapped out does "
        "not count",
        limits=(1.0, 3600.0),
    )
    save_folder: str = _parameter(
        "",
        FRAME,
        "parent folder for the folders written by the service save_frame; empty: adu_depth in "
        "ROS_HOME (~/.ros)",
    )


def declare_parameters(node: Node) -> None:
    """Declare all parameters on a node, with description, range and type.

    :raises rclpy.exceptions.ParameterException: if the node was started with a value of another
        type, or one out of range
    """
    for field in dataclasses.fields(Parameters):
        node.declare_parameter(field.name, _plain(field.default), _descriptor(field))
    declare_camera_parameters(node)


def declare_camera_parameters(node: Node) -> None:
    """Declare those of each camera by name; they default to the common values.

    :raises rclpy.exceptions.ParameterException: see ``declare_parameters``
    """
    common = read_parameters(node)
    for camera in filter(None, common.cameras):
        for field in dataclasses.fields(Parameters):
            name = f"{camera}.{field.name}"
            if field.metadata["per_camera"] and not node.has_parameter(name):
                node.declare_parameter(name, getattr(common, field.name), _descriptor(field))


def read_parameters(node: Node, camera: str = "") -> Parameters:
    """The current values.

    :param camera: name of the camera; empty for the common values
    """
    fields = dataclasses.fields(Parameters)
    names = [f"{camera}.{f.name}" if camera and f.metadata["per_camera"] else f.name for f in fields]
    values = (parameter.value for parameter in node.get_parameters(names))
    by_name: dict[str, Any] = {
        f.name: tuple(v) if isinstance(v, list) else v for f, v in zip(fields, values, strict=True)
    }
    return Parameters(**by_name)


def _plain(value: Any) -> Any:
    """A default in the type that rclpy expects."""
    return list(value) if isinstance(value, tuple) else value


def check_value(parameter: Parameter) -> None:
    """:raises ValueError: if the value of one of our parameters is not one of its choices"""
    field = _field(parameter.name)
    if field is None:
        return
    choices = field.metadata["choices"]
    if choices and parameter.value not in choices:
        raise ValueError(f"{field.name} is {parameter.value!r}: must be one of {', '.join(choices)}")
    if field.name in CHECKS:
        CHECKS[field.name](parameter.value)


def applies(name: str) -> str:
    """Time at which a value takes effect: ``START``, ``CONFIGURE``, ``RELOAD`` or ``FRAME``, also for
    parameters not declared here, such as ``use_sim_time``.
    """
    field = _field(name)
    return FRAME if field is None else field.metadata["applies"]


def _field(name: str) -> dataclasses.Field[Any] | None:
    """The declaration of a parameter, per camera or not; None for those not declared here."""
    camera, _, own = name.rpartition(".")
    field = {f.name: f for f in dataclasses.fields(Parameters)}.get(own)
    return None if field is None or (camera and not field.metadata["per_camera"]) else field


def is_overruled(name: str, cameras: Iterable[str]) -> bool:
    """True if each camera has its own value of this parameter, so that the common one is unused."""
    field = _field(name)
    return field is not None and field.name == name and field.metadata["per_camera"] and any(cameras)


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


def check_cameras(names: Iterable[str]) -> None:
    """:raises ValueError: if the names cannot be those of topics, or one comes twice"""
    names = list(names)
    if names == [""]:
        return
    if not names or not all(re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) for name in names):
        raise ValueError(f"cameras is {names}: must be names of letters, digits and _, e.g. [front, rear]")
    if len(set(names)) < len(names):
        raise ValueError(f"cameras is {names}: each name once")


CHECKS = {
    "cameras": check_cameras,
    "network_size": parse_network_size,
    "region_of_interest": parse_region,
    "ego_mask": check_mask,
}
"""Each raises ValueError for an invalid value."""

HINTS = {
    START: "fixed at startup",
    CONFIGURE: "can change while unconfigured",
    RELOAD: "takes effect with the service reload, or when the node is configured",
    FRAME: "takes effect with the next frame",
}


def _descriptor(field: dataclasses.Field[Any]) -> ParameterDescriptor:
    metadata = field.metadata
    descriptor = ParameterDescriptor(
        description=metadata["description"], read_only=metadata["applies"] == START
    )
    constraints = [HINTS[metadata["applies"]]]
    if metadata["choices"]:
        constraints.insert(0, f"one of: {', '.join(metadata['choices'])}")
    descriptor.additional_constraints = "; ".join(constraints)
    if metadata["limits"]:
        low, high = metadata["limits"]
        if isinstance(field.default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        else:
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    return descriptor
