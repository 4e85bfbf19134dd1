"""A drive as a bag: stereo images, exact depth, LiDAR, the rig's geometry and the vehicle's pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import (
    camera_info_message,
    image_message,
    point_cloud_message,
    transforms_message,
)
from adu_depth_core.bags.writer import DEFAULT_START_NS, BagWriter
from adu_depth_core.synthetic.frame import DriveFrame, Rig


class DriveBagWriter:
    """Context manager that writes the frames of a drive; see ``topics`` for topics and frames.

    ``/tf_static`` is written with the first frame, ``/tf`` (``odom`` to ``base_link``) with each. Depth is
    32FC1 metres with +inf where there is only sky (REP 117, REP 118).

    :param path: folder of the bag
    :param rig: the sensors
    :param overwrite: replace a bag that is there already
    :raises UserError: see ``BagWriter``
    """

    def __init__(self, path: Path | str, rig: Rig, overwrite: bool = False) -> None:
        self.rig = rig
        self._bag = BagWriter(path, overwrite)

    def __enter__(self) -> DriveBagWriter:
        self._bag.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bag.__exit__(*error)

    def write(self, frame: DriveFrame) -> None:
        """Append a frame; bag time is its stamp.

        A frame without LiDAR points has no point cloud, one without right view no right topics.
        """
        stamp, camera = DEFAULT_START_NS + frame.stamp_ns, self.rig.camera
        left, right = topics.LEFT_FRAME, topics.RIGHT_FRAME
        messages = {
            topics.TF: transforms_message([(topics.ODOM, topics.BASE, frame.world_from_base)], stamp),
            topics.LEFT_INFO: camera_info_message(camera, stamp, left),
            topics.LEFT_IMAGE: image_message(frame.left, "rgb8", stamp, left),
            topics.LEFT_DEPTH: image_message(frame.depth, "32FC1", stamp, left),
        }
        if frame.right is not None:
            messages[topics.RIGHT_INFO] = camera_info_message(camera, stamp, right, self.rig.baseline)
            messages[topics.RIGHT_IMAGE] = image_message(frame.right, "rgb8", stamp, right)
        if len(frame.points):
            fields = ("x", "y", "z", "intensity")
            messages[topics.LIDAR] = point_cloud_message(frame.points, fields, stamp, topics.LIDAR_FRAME)
        if not self._bag.message_counts:
            self._bag.write(topics.TF_STATIC, self._static_transforms(stamp), stamp)
        for topic, message in messages.items():
            self._bag.write(topic, message, stamp)

    def _static_transforms(self, stamp_ns: int) -> Any:
        return transforms_message(
            [
                (topics.BASE, topics.LEFT_FRAME, self.rig.base_from_left),
                (topics.LEFT_FRAME, topics.RIGHT_FRAME, left_from_right(self.rig.baseline)),
                (topics.BASE, topics.LIDAR_FRAME, self.rig.base_from_lidar),
            ],
            stamp_ns,
        )


def left_from_right(baseline: float) -> np.ndarray:
    """Pose of the right in the left optical frame of a rectified pair, 4x4; baseline in metres."""
    matrix = np.eye(4)
    matrix[0, 3] = baseline
    return matrix
