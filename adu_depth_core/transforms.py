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

EXTRAPOLATED_NS = 100_000_000
"""Time after the newest pose for which a vehicle's motion is extrapolated: an image may arrive before it."""

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
        self._from_odometry: set[str] = set()
        """Frames whose track is that of odometry: a transform of the same frame takes its place."""

    def add(self, kind: str, message: Any, static: bool) -> None:
        """Take the transforms of a message.

        :param kind: its type, ``tf2_msgs/msg/TFMessage`` or ``nav_msgs/msg/Odometry``
        :param static: it comes from ``/tf_static``: it holds at all times
        """
        if kind == TRANSFORMS:
            for stamped in message.transforms:
                t, q = stamped.transform.translation, stamped.transform.rotation
                self._add(stamped, stamped.child_frame_id, t, q, static)
        elif kind == ODOMETRY:
            pose = message.pose.pose
            self._add(message, message.child_frame_id, pose.position, pose.orientation, False, odometry=True)

    def _add(self, stamped: Any, child: str, t: Any, q: Any, static: bool, odometry: bool = False) -> None:
        parent, child = stamped.header.frame_id.lstrip("/"), child.lstrip("/")
        if odometry:
            if child in self._moving and child not in self._from_odometry:
                return
            self._from_odometry.add(child)
        elif not static and child in self._from_odometry:
            self._from_odometry.remove(child)
            del self._moving[child]
        translation, rotation = np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w])
        if static:
            self._static[child] = (parent, rigid(translation, rotation))
        else:
            self._moving.setdefault(child, Track(parent)).add(stamp_of(stamped), translation, rotation)

    def to_root(
        self, frame: str, stamp_ns: int, moving: bool = True, until: str = "", extrapolate_ns: int = 0
    ) -> tuple[str, np.ndarray, bool]:
        """The root above a frame, ``root_from_frame`` 4x4 at a time, and whether a moving edge is between.

        :param moving: False stops below the first moving edge
        :param until: frame to stop at, if it is on the way
        :param extrapolate_ns: see ``Track.at``
        :raises LookupError: if a moving transform is not known at that time, or the tree has a loop
        """
        frame, matrix, moved, seen = frame.lstrip("/"), np.eye(4), False, set()
        while frame != until and (frame in self._static or (moving and frame in self._moving)):
            if frame in seen:
                raise LookupError(f"the transforms of {frame} form a loop")
            seen.add(frame)
            if frame in self._static:
                parent, edge = self._static[frame]
            else:
                track = self._moving[frame]
                parent, edge, moved = track.parent, track.at(stamp_ns, frame, extrapolate_ns), True
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
        except LookupError:  # as before the first pose: the mounting does not change
            target_root, target_pose, _ = self.to_root(target, target_ns, moving=False)
            source_root, source_pose, _ = self.to_root(source, source_ns, moving=False)
        if target_root != source_root:
            raise UserError(
                f"no transform between {target!r} and {source!r}: /tf_static and /tf lead to "
                f"{target_root!r} and {source_root!r}"
            )
        target_from_source: np.ndarray = np.linalg.inv(target_pose) @ source_pose
        return target_from_source

    def motion(self, frame: str, before_ns: int, now_ns: int, fixed: str) -> np.ndarray:
        """``before_from_now`` 4x4: a frame at one time, seen from itself at another, in a fixed frame.

        A pose that has not arrived yet is extrapolated for up to ``EXTRAPOLATED_NS``.

        :param fixed: such as ``odom``, in which poses are continuous (REP 105)
        :raises LookupError: if the frame does not move in the fixed frame by any known transform, or not at
            these times
        """
        fixed = fixed.lstrip("/")
        poses = []
        for stamp in (before_ns, now_ns):
            root, pose, moved = self.to_root(frame, stamp, until=fixed, extrapolate_ns=EXTRAPOLATED_NS)
            if root != fixed or not moved:
                raise LookupError(
                    f"no moving transforms from {frame!r} to {fixed!r}: they lead to {root!r}"
                    + ("" if moved else ", by static ones")
                )
            poses.append(pose)
        before_from_now: np.ndarray = np.linalg.inv(poses[0]) @ poses[1]
        return before_from_now


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

    def at(self, stamp_ns: int, frame: str, extrapolate_ns: int = 0) -> np.ndarray:
        """``parent_from_frame`` 4x4 at a time, interpolated.

        :param frame: its name, for the error
        :param extrapolate_ns: time after the last pose for which the motion is taken to go on
        :raises LookupError: if it is not known then
        """
        after = bisect.bisect_left(self._stamps, stamp_ns)
        if after < len(self._stamps) and self._stamps[after] == stamp_ns:
            return rigid(*self._poses[after])
        last = len(self._stamps) - 1
        if after > last > 0 and stamp_ns - self._stamps[last] <= extrapolate_ns:
            # From poses that are far enough apart: over a shorter time their noise would be multiplied.
            first = bisect.bisect_right(self._stamps, self._stamps[last] - extrapolate_ns) - 1
            return self._between(min(max(first, 0), last - 1), last, stamp_ns, frame)
        return self._between(after - 1, after, stamp_ns, frame)

    def _between(self, before: int, after: int, stamp_ns: int, frame: str) -> np.ndarray:
        """Pose on the line through two poses."""
        stamps = self._stamps
        if not 0 <= before < after < len(stamps) or stamps[after] - stamps[before] > MAX_GAP_NS:
            nearest = min(abs(stamps[i] - stamp_ns) for i in (before, after) if 0 <= i < len(stamps))
            raise LookupError(
                f"no pose of {frame!r} at {stamp_ns} ns (the nearest is {nearest / 1e9:.3f} s away)"
            )
        before_ns, after_ns = stamps[before], stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        (t0, q0), (t1, q1) = self._poses[before], self._poses[after]
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
