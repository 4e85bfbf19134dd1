"""The transform tree of ``/tf_static``, ``/tf`` and odometry, queried at any time.

Messages are those of rclpy or of the rosbags library, which have the same fields.
"""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np

from adu_depth_core.errors import UserError

TRANSFORMS = "tf2_msgs/msg/TFMessage"
ODOMETRY = "nav_msgs/msg/Odometry"

MAX_GAP_NS = 500_000_000
"""Maximum gap in seconds for interpolation and extrapolation of poses."""

KEPT_NS = 60_000_000_000
"""Older poses are discarded: messages read together were recorded within a second."""


def stamp_of(message: Any) -> int:
    """Header stamp of a message in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


class TransformTree:
    """Transforms between frames, collected from messages (REP 105: each frame has one parent)."""

    def __init__(self) -> None:
        self._static: dict[str, tuple[str, np.ndarray]] = {}
        self._moving: dict[str, Track] = {}

    def add(self, kind: str, message: Any, static: bool) -> None:
        """Take the transforms of a message.

        :param kind: its type, ``tf2_msgs/msg/TFMessage`` or ``nav_msgs/msg/Odometry``
        :param static: it comes from ``/tf_static``: it holds at all times
        """
        if kind == TRANSFORMS:
            for stamped in message.transforms:
                t, q = stamped.transform.translation, stamped.transform.rotation
                self._add(stamped, stamped.child_frame_id, t, q, static)
        elif kind == ODOMETRY and message.child_frame_id not in self._moving:
            pose = message.pose.pose
            self._add(message, message.child_frame_id, pose.position, pose.orientation, False, odometry=True)

    def _add(self, stamped: Any, child: str, t: Any, q: Any, static: bool, odometry: bool = False) -> None:
        parent, child = stamped.header.frame_id.lstrip("/"), child.lstrip("/")
        translation, rotation = np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w])
        if static:
            self._static[child] = (parent, rigid(translation, rotation))
        else:
            self._moving.setdefault(child, Track(parent)).add(stamp_of(stamped), translation, rotation)

    def to_root(self, frame: str, stamp_ns: int, moving: bool = True) -> tuple[str, np.ndarray, bool]:
        """The root above a frame, ``root_from_frame`` 4x4 at a time, and whether a moving edge is between.

        :param moving: False stops below the first moving edge
        :raises LookupError: if a moving transform is not known at that time, or the tree has a loop
        """
        frame, matrix, moved, seen = frame.lstrip("/"), np.eye(4), False, set()
        while frame in self._static or (moving and frame in self._moving):
            if frame in seen:
                raise LookupError(f"the transforms of {frame} form a loop")
            seen.add(frame)
            if frame in self._static:
                parent, edge = self._static[frame]
            else:
                track = self._moving[frame]
                parent, edge, moved = track.parent, track.at(stamp_ns, frame), True
            frame, matrix = parent, edge @ matrix
        return frame, matrix, moved

    def between(self, target: str, target_ns: int, source: str, source_ns: int) -> np.ndarray:
        """``target_from_source`` 4x4: the source frame at its time, seen from the target at its time.

        Motion in between is included if its poses are known.

        :raises UserError: if nothing connects the frames
        """
        try:
            target_root, target_pose, _ = self.to_root(target, target_ns)
            source_root, source_pose, _ = self.to_root(source, source_ns)
        except LookupError:  # as before the first pose: the sensors are still mounted as they are
            target_root, target_pose, _ = self.to_root(target, target_ns, moving=False)
            source_root, source_pose, _ = self.to_root(source, source_ns, moving=False)
        if target_root != source_root:
            raise UserError(
                f"no transform between {target!r} and {source!r}: /tf_static and /tf lead to "
                f"{target_root!r} and {source_root!r}"
            )
        target_from_source: np.ndarray = np.linalg.inv(target_pose) @ source_pose
        return target_from_source


class Track:
    """Poses of one frame in its parent, in order of time.

    :param parent: name of the parent
    :param kept_ns: poses older than the newest by more are discarded; None keeps all
    """

    def __init__(self, parent: str, kept_ns: int | None = KEPT_NS) -> None:
        self.parent = parent
        self._kept_ns = kept_ns
        self._stamps: list[int] = []
        self._poses: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, stamp_ns: int, translation: np.ndarray, rotation: np.ndarray) -> None:
        """Take a pose: translation in metres, rotation as a quaternion ``(x, y, z, w)``."""
        place = bisect.bisect(self._stamps, stamp_ns)
        self._stamps.insert(place, stamp_ns)
        self._poses.insert(place, (translation, rotation))
        while self._kept_ns is not None and self._stamps[0] < self._stamps[-1] - self._kept_ns:
            del self._stamps[0], self._poses[0]

    def at(self, stamp_ns: int, frame: str) -> np.ndarray:
        """``parent_from_frame`` 4x4 at a time, interpolated.

        :param frame: its name, for the error
        :raises LookupError: if it is not known then
        """
        after = bisect.bisect_left(self._stamps, stamp_ns)
        if after < len(self._stamps) and self._stamps[after] == stamp_ns:
            return rigid(*self._poses[after])
        nearest = min(
            abs(self._stamps[i] - stamp_ns) for i in (after - 1, after) if 0 <= i < len(self._stamps)
        )
        if not 0 < after < len(self._stamps) or self._stamps[after] - self._stamps[after - 1] > MAX_GAP_NS:
            raise LookupError(
                f"no pose of {frame!r} at {stamp_ns} ns (the nearest is {nearest / 1e9:.3f} s away)"
            )
        before_ns, after_ns = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        (t0, q0), (t1, q1) = self._poses[after - 1], self._poses[after]
        # Between poses this near, a normalised mean of quaternions is a slerp to within rounding.
        q1 = q1 if q0 @ q1 >= 0 else -q1
        return rigid((1 - share) * t0 + share * t1, (1 - share) * q0 + share * q1)


def rigid(translation: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """4x4 matrix of a translation and a quaternion ``(x, y, z, w)``, which is normalised."""
    x, y, z, w = rotation / np.linalg.norm(rotation)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = translation
    return matrix
