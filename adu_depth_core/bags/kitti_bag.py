"""A KITTI-style folder as a bag of camera topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from adu_depth_core.bags import topics
from adu_depth_core.bags.drive_bag import left_from_right
from adu_depth_core.bags.messages import (
    camera_info_message,
    compressed_image_message,
    image_message,
    point_cloud_message,
    transforms_message,
)
from adu_depth_core.bags.writer import DEFAULT_START_NS, BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.kitti_calibration import read_cameras
from adu_depth_core.datasets.kitti_lidar import FIELDS, left_from_lidar, read_scan
from adu_depth_core.datasets.kitti_sequence import KittiFrame
from adu_depth_core.encoded_image import decode
from adu_depth_core.errors import UserError
from adu_depth_core.images import read_png16

DEFAULT_RATE = 10.0
"""Frames per second of KITTI's cameras."""


LATEST_NS = 2**31 * 10**9
"""Stamps from here on do not fit into ROS's ``builtin_interfaces/Time``: 2038."""


def write_kitti_bag(
    frames: Iterable[KittiFrame],
    path: Path,
    *,
    rate: float | None = None,
    start_ns: int = DEFAULT_START_NS,
    compressed: bool = False,
    overwrite: bool = False,
    note: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Write a bag with image and camera_info of the left and, where there are any, right images; with LiDAR
    points and depth of the frames that have them.

    :param frames: from ``kitti_sequence.find_frames``
    :param rate: frames per second instead of the folder's times; None for those, or 10 where there are none
    :param start_ns: stamp of the first frame in nanoseconds
    :param compressed: write the image files as they are, as ``.../compressed`` topics
    :param overwrite: replace a bag that is there already
    :param note: of the folder, by ``provenance.source_note``
    :return: number of messages of each topic
    :raises UserError: if an image is not readable or of another size than the first, a right image has no
        calibration, a scan cannot be read or its place is not in the calibration, depth is not readable or of
        another size than its image, or a stamp is too late for ROS; and see ``BagWriter``
    """
    size: tuple[int, int] | None = None
    known: dict[str, np.ndarray] = {}
    with BagWriter(path, overwrite, note) as bag:
        for index, frame in enumerate(frames):
            if rate is None and frame.time_ns is not None:
                stamp = start_ns + frame.time_ns
            else:
                stamp = start_ns + round(index * 1e9 / (rate or DEFAULT_RATE))
            if stamp >= LATEST_NS:
                raise UserError(
                    f"{frame.left} would be stamped {stamp / 1e9:.3g} s, and ROS's stamps end at "
                    f"{LATEST_NS / 1e9:.10g} s: choose another rate or an earlier start"
                )
            left = _Picture(frame.left)
            size = size or left.size
            camera, baseline = read_cameras(frame.calibration, left.size[1], left.size[0])
            left.check_size(size)
            _write_view(bag, left, stamp, camera, compressed)
            if frame.depth is not None:
                _write_depth(bag, frame.depth, left, stamp)
            places: dict[str, np.ndarray] = {}
            if frame.scan is not None:
                places[topics.LIDAR_FRAME] = left_from_lidar(frame.calibration)
                scan = point_cloud_message(read_scan(frame.scan), FIELDS, stamp, topics.LIDAR_FRAME)
                bag.write(topics.LIDAR, scan, stamp)
            if frame.right is not None:
                if baseline is None:
                    raise UserError(
                        f"{frame.calibration}: no P3 or P_rect_03 line for the right image {frame.right}"
                    )
                places[topics.RIGHT_FRAME] = left_from_right(baseline)
                right = _Picture(frame.right)
                right.check_size(size)
                _write_view(bag, right, stamp, camera, compressed, baseline)
            changed = [
                (topics.LEFT_FRAME, name, place)
                for name, place in places.items()
                if not np.array_equal(known.get(name), place)
            ]
            if changed:  # in folders of single scenes each has its own calibration
                bag.write(topics.TF_STATIC, transforms_message(changed, stamp), stamp)
                known |= places
        return bag.message_counts


def _write_depth(bag: BagWriter, path: Path, image: _Picture, stamp: int) -> None:
    depth = read_png16(path)
    if depth.shape != image.size:
        rows, columns = depth.shape
        raise UserError(f"{path} is {rows}x{columns}, its image {image.path} {image.size[0]}x{image.size[1]}")
    metres = np.where(depth > 0, depth, np.float32(np.nan))
    bag.write(topics.LEFT_DEPTH, image_message(metres, "32FC1", stamp, topics.LEFT_FRAME), stamp)


class _Picture:
    """An image file, kept as it is and decoded."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.read_bytes()
        try:
            self.pixels = decode(self.file, cv2.IMREAD_COLOR)
        except ValueError as error:
            raise UserError(f"{path}: not a readable image: {error}") from error
        self.size = self.pixels.shape[:2]

    def check_size(self, expected: tuple[int, int]) -> None:
        """A camera topic is one camera, and a camera does not change its size."""
        if self.size != expected:
            (height, width), (rows, columns) = self.size, expected
            raise UserError(
                f"{self.path} is {height}x{width}, the images before it are {rows}x{columns}: put "
                "images of each size in a folder of their own and make a bag of each"
            )


def _write_view(
    bag: BagWriter,
    picture: _Picture,
    stamp: int,
    camera: Camera,
    compressed: bool,
    baseline: float | None = None,
) -> None:
    """``baseline`` is None for the left view."""
    if baseline is None:
        image_topic, info_topic, frame_id = topics.LEFT_IMAGE, topics.LEFT_INFO, topics.LEFT_FRAME
    else:
        image_topic, info_topic, frame_id = topics.RIGHT_IMAGE, topics.RIGHT_INFO, topics.RIGHT_FRAME
    bag.write(info_topic, camera_info_message(camera, stamp, frame_id, baseline or 0.0), stamp)
    message: Any
    if compressed:
        image_topic += "/compressed"
        image_format = "png" if picture.path.suffix.lower() == ".png" else "jpeg"
        message = compressed_image_message(picture.file, image_format, stamp, frame_id)
    else:
        message = image_message(picture.pixels, "bgr8", stamp, frame_id)
    bag.write(image_topic, message, stamp)
