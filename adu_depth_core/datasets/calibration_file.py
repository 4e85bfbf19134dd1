"""The camera that a calibration file describes: KITTI's text files and ROS camera_info YAML."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from adu_depth_core.camera import Camera, check_field_of_view
from adu_depth_core.datasets.kitti_calibration import read_camera
from adu_depth_core.errors import UserError

logger = logging.getLogger(__name__)


def read_calibration(path: Path, width: int, height: int) -> Camera:
    """Camera of a rectified image of ``width x height`` pixels.

    ``.txt`` is KITTI's: its left colour camera (``P2``, ``P_rect_02``). ``.yaml`` and ``.yml`` are what
    ROS camera calibration writes and what ``ros2 topic echo --once .../camera_info`` prints: the
    rectified image's ``P`` if it is filled in, else ``K``.

    :raises UserError: if the file cannot be read, has no usable matrix, its field of view is absurd, or it is
        for another image size
    """
    is_ros = path.suffix.lower() in (".yaml", ".yml")
    camera = _read_camera_info(path, width, height) if is_ros else read_camera(path, width, height)
    try:
        check_field_of_view(camera)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    return camera


def _read_camera_info(path: Path, width: int, height: int) -> Camera:
    content = _read_yaml(path)
    described = tuple(content.get(key, content.get(f"image_{key}")) for key in ("width", "height"))
    if described != (width, height):
        raise UserError(
            f"{path} calibrates images of {described[1]}x{described[0]} pixels, this one has "
            f"{height}x{width}: give the calibration of this camera at this resolution"
        )
    distortion = _numbers(path, content, ("d", "D", "distortion_coefficients"))
    if np.any(distortion):
        logger.warning(
            "%s describes a lens with distortion: the images must be rectified (undistorted)", path
        )
    matrices = {
        size: _numbers(path, content, names)
        for size, names in ((12, ("p", "P", "projection_matrix")), (9, ("k", "K", "camera_matrix")))
    }
    for size, values in matrices.items():
        if values.size == size and values[0] != 0:
            try:
                return Camera.from_matrix(values.reshape(3, -1), width, height)
            except ValueError as error:
                raise UserError(f"{path}: {error}") from error
    raise UserError(
        f"{path} has no calibrated matrix: neither P (projection_matrix, 12 numbers) "
        "nor K (camera_matrix, 9 numbers) with a focal length"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        # `ros2 topic echo` ends each message with "---": the first document is the first message.
        content = next(iter(yaml.safe_load_all(path.read_text(encoding="utf-8"))), None)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: calibration cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a camera_info: expected entries such as width, height, k and p")
    return content


def _numbers(path: Path, content: dict[str, Any], names: tuple[str, ...]) -> np.ndarray:
    """The numbers of the first entry of these names, flat; empty where there is none."""
    entry = next((content[name] for name in names if name in content), None)
    if isinstance(entry, dict):  # OpenCV's style: rows, cols, data
        entry = entry.get("data")
    try:
        return np.asarray(entry if entry is not None else [], np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: {names[-1]} must be numbers ({error})") from error
