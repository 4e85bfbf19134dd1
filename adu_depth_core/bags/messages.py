"""Conversion between ROS messages and arrays.

The messages are plain dataclasses of the ``rosbags`` library, field for field the ROS ones, so this
needs no ROS. ``TYPES`` is the set of message definitions of ROS 2 Jazzy, to which those of the
messages used here are the same in Humble.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_typestore

from adu_depth_core.camera import Camera
from adu_depth_core.transforms import ODOMETRY as ODOMETRY
from adu_depth_core.transforms import TRANSFORMS as TRANSFORMS
from adu_depth_core.transforms import stamp_of as stamp_of

TYPES = get_typestore(Stores.ROS2_JAZZY)

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
POINT_CLOUD = "sensor_msgs/msg/PointCloud2"

_PIXELS = {
    "rgb8": (np.uint8, 3),
    "bgr8": (np.uint8, 3),
    "mono8": (np.uint8, 1),
    "16UC1": (np.uint16, 1),
    "32FC1": (np.float32, 1),
}
"""Encoding: element type and channels."""

_FLOAT32 = 7
"""``sensor_msgs/PointField.FLOAT32``."""


def _new(name: str, /, **fields: Any) -> Any:
    return TYPES.types[name](**fields)


def _header(stamp_ns: int, frame_id: str) -> Any:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    stamp = _new("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)
    return _new("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def image_message(image: np.ndarray, encoding: str, stamp_ns: int, frame_id: str) -> Any:
    """``sensor_msgs/Image`` of an array ``(H, W)`` or ``(H, W, 3)``.

    :param encoding: rgb8, bgr8, mono8 (uint8), 16UC1 (uint16: millimetres, REP 118) or 32FC1
        (float32: metres, REP 118)
    :raises ValueError: if element type or channels do not fit the encoding
    """
    dtype, channels = _PIXELS[encoding]
    shape = image.shape if image.ndim == 3 else (*image.shape, 1)
    if image.dtype != dtype or len(shape) != 3 or shape[2] != channels:
        raise ValueError(f"an image of shape {image.shape} and type {image.dtype} is not {encoding}")
    height, width = shape[:2]
    return _new(
        IMAGE,
        header=_header(stamp_ns, frame_id),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=width * channels * image.itemsize,
        data=np.ascontiguousarray(image).reshape(-1).view(np.uint8),
    )


def image_array(message: Any) -> np.ndarray:
    """Pixels of a ``sensor_msgs/Image``, ``(H, W)`` or ``(H, W, 3)``; shares the message's memory.

    :raises ValueError: if the encoding is not one that ``image_message`` writes, or data is too short
    """
    if message.encoding not in _PIXELS:
        raise ValueError(f"image encoding {message.encoding!r} is not one of {', '.join(_PIXELS)}")
    dtype, channels = _PIXELS[message.encoding]
    dtype = np.dtype(dtype).newbyteorder(">" if message.is_bigendian else "<")
    row = message.width * channels * dtype.itemsize
    if message.step < row or message.data.size < message.step * message.height:
        raise ValueError(
            f"image of {message.height}x{message.width} {message.encoding} has step {message.step} and "
            f"{message.data.size} bytes of data"
        )
    rows = message.data[: message.step * message.height].reshape(message.height, message.step)[:, :row]
    pixels = np.ascontiguousarray(rows).view(dtype)
    return pixels.reshape(message.height, message.width, channels) if channels > 1 else pixels


def compressed_image_message(data: bytes, format: str, stamp_ns: int, frame_id: str) -> Any:
    """``sensor_msgs/CompressedImage`` of an encoded image; ``format`` is ``png`` or ``jpeg``."""
    return _new(
        COMPRESSED_IMAGE,
        header=_header(stamp_ns, frame_id),
        format=format,
        data=np.frombuffer(data, np.uint8),
    )


def camera_info_message(camera: Camera, stamp_ns: int, frame_id: str, baseline: float = 0.0) -> Any:
    """``sensor_msgs/CameraInfo`` of a rectified, undistorted view.

    :param baseline: metres from the left to this camera along x: ``P[0, 3] = -fx * baseline`` as the
        CameraInfo definition has it for the right camera of a stereo pair; 0 for the left or only one
    """
    projection = np.hstack([camera.matrix, np.zeros((3, 1))])
    projection[0, 3] = -camera.fx * baseline
    everything = _new(
        "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )
    return _new(
        CAMERA_INFO,
        header=_header(stamp_ns, frame_id),
        height=camera.height,
        width=camera.width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=camera.matrix.ravel(),
        r=np.eye(3).ravel(),
        p=projection.ravel(),
        binning_x=0,
        binning_y=0,
        roi=everything,
    )


def point_cloud_message(points: np.ndarray, fields: Iterable[str], stamp_ns: int, frame_id: str) -> Any:
    """Unordered ``sensor_msgs/PointCloud2`` of float32 columns.

    :param points: ``(N, C)`` float32
    :param fields: names of the C columns, such as x, y, z, intensity
    :raises ValueError: if the array does not have one column for each field
    """
    names = list(fields)
    points = np.ascontiguousarray(points, np.float32)
    if points.ndim != 2 or points.shape[1] != len(names):
        raise ValueError(f"points of shape {points.shape} do not have the columns {', '.join(names)}")
    return _new(
        POINT_CLOUD,
        header=_header(stamp_ns, frame_id),
        height=1,
        width=len(points),
        fields=[
            _new("sensor_msgs/msg/PointField", name=name, offset=4 * i, datatype=_FLOAT32, count=1)
            for i, name in enumerate(names)
        ],
        is_bigendian=sys.byteorder == "big",
        point_step=4 * len(names),
        row_step=points.nbytes,
        data=points.reshape(-1).view(np.uint8),
        is_dense=bool(np.isfinite(points).all()),
    )


def point_cloud_array(message: Any, fields: Iterable[str] = ("x", "y", "z")) -> np.ndarray:
    """The float32 columns ``fields`` of a ``sensor_msgs/PointCloud2``, ``(N, len(fields))``.

    :raises ValueError: if the cloud lacks a field, or the field is not float32
    """
    order = ">" if message.is_bigendian else "<"
    offsets = {f.name: f.offset for f in message.fields if f.datatype == _FLOAT32}
    names = list(fields)
    missing = [name for name in names if name not in offsets]
    if missing:
        raise ValueError(f"the point cloud has no float32 field {', '.join(missing)}")
    columns = np.dtype(
        {
            "names": names,
            "formats": [f"{order}f4"] * len(names),
            "offsets": [offsets[name] for name in names],
            "itemsize": message.point_step,
        }
    )
    rows = message.data[: message.height * message.row_step].reshape(message.height, message.row_step)
    packed = np.ascontiguousarray(rows[:, : message.width * message.point_step]).view(columns).ravel()
    points = np.empty((len(packed), len(names)), np.float32)
    for column, name in enumerate(names):
        points[:, column] = packed[name]
    return points


def transforms_message(transforms: Iterable[tuple[str, str, np.ndarray]], stamp_ns: int) -> Any:
    """``tf2_msgs/TFMessage`` of ``(parent, child, parent_from_child)`` with 4x4 matrices."""
    stamped = []
    for parent, child, matrix in transforms:
        x, y, z, w = quaternion(matrix[:3, :3])
        stamped.append(
            _new(
                "geometry_msgs/msg/TransformStamped",
                header=_header(stamp_ns, parent),
                child_frame_id=child,
                transform=_new(
                    "geometry_msgs/msg/Transform",
                    translation=_new(
                        "geometry_msgs/msg/Vector3", **dict(zip("xyz", matrix[:3, 3], strict=True))
                    ),
                    rotation=_new("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w),
                ),
            )
        )
    return _new(TRANSFORMS, transforms=stamped)


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion ``(x, y, z, w)`` with ``w >= 0`` of a 3x3 rotation matrix.

    It is the eigenvector of the largest eigenvalue of a symmetric 4x4 matrix, which is well
    conditioned for every rotation (Bar-Itzhack 2000, "New method for extracting the quaternion from
    a rotation matrix").
    """
    r = np.asarray(rotation, float)
    skew = [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]]
    matrix = np.empty((4, 4))
    matrix[:3, :3] = r + r.T - np.trace(r) * np.eye(3)
    matrix[:3, 3] = matrix[3, :3] = skew
    matrix[3, 3] = np.trace(r)
    vector = np.linalg.eigh(matrix)[1][:, -1]
    return -vector if vector[3] < 0 else vector
