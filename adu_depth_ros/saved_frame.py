"""A frame and everything that produced its depth, in one folder for a bug report."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rclpy.node import Node

from adu_depth_core.files import write_atomically
from adu_depth_core.machine import cpu_model
from adu_depth_ros.depth_publishers import below, rgb_of
from adu_depth_ros.stream_frames import PredictedFrame

PACKAGES = re.compile(
    r"adu_depth|numpy|opencv|openvino$|onnxruntime|torch$|tensorrt|ros-jazzy-rclpy|rclpy", re.I
)


def save_frame(node: Node, camera: str, frame: PredictedFrame, folder: Path) -> Path:
    """Write a frame to a new folder named after the node and the image's stamp.

    ``image.png``, as the network saw it before scaling; ``depth.npy`` and ``sigma.npy``, float32 ``(H, W)``
    metres, before masking; ``card.json``, the model card; ``frame.json``: stamp, frame,
    calibration, camera, parameters, times, novelty, backend, machine and versions.

    :param camera: its name, empty for the only one
    :param folder: parent of the new folder
    :raises UserError: if it cannot be written, or exists already
    """
    stamp = frame.header.stamp
    name = below(node.get_fully_qualified_name().strip("/"), camera).rstrip("/").replace("/", "_")
    target = folder / f"{name}_{stamp.sec}_{stamp.nanosec:09d}"
    with write_atomically(target, replace=False) as temporary:
        temporary.mkdir()
        cv2.imwrite(str(temporary / "image.png"), rgb_of(frame.image, frame.channels)[..., ::-1])
        np.save(temporary / "depth.npy", frame.prediction.depth, allow_pickle=False)
        np.save(temporary / "sigma.npy", frame.prediction.sigma, allow_pickle=False)
        (temporary / "card.json").write_text(frame.predictor.card.to_json(), encoding="utf-8")
        facts = json.dumps(_facts(node, frame), indent=2)
        (temporary / "frame.json").write_text(facts + "\n", encoding="utf-8")
    return target


def _facts(node: Node, frame: PredictedFrame) -> dict[str, Any]:
    predictor = frame.predictor
    return {
        "node": node.get_fully_qualified_name(),
        "camera_info": _fields(frame.info) | {"header": _fields(frame.header)},
        "camera": asdict(frame.camera),
        "output_camera": asdict(frame.prediction.camera),
        "inference_s": frame.inference,
        "unfused": frame.unfused,
        "novelty": frame.prediction.novelty,
        "unfamiliar": frame.prediction.unfamiliar,
        "parameters": asdict(frame.parameters),
        "model": str(predictor.model_path),
        "backend": f"{predictor.backend_name} ({predictor.backend_reason})",
        "network_size": list(predictor.network_size),
        "machine": cpu_model(),
        "python": platform.python_version(),
        "ros_distro": os.environ.get("ROS_DISTRO", ""),
        "versions": {
            distribution.name: distribution.version
            for distribution in importlib.metadata.distributions()
            if PACKAGES.match(distribution.name or "")
        },
    }


def _fields(value: Any) -> Any:
    """A message as plain JSON values."""
    if hasattr(value, "get_fields_and_field_types"):
        return {name: _fields(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, (str, bool, int, float)):
        return value
    return [_fields(item) for item in value]
