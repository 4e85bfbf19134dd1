"""Mounting of a camera on the vehicle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.drive.trajectory import turn

_AHEAD, _ASIDE = 1.0, 0.6  # metres from the middle of the vehicle: the rig is near the edge it looks over
_BASE_FROM_OPTICAL = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


@dataclass(frozen=True)
class Mounting:
    """Place and direction of a camera, or of a pair that is turned as a whole and so stays rectified.

    Angles are degrees, applied about the vehicle's axes in the order roll, pitch, yaw.

    :param height: metres from the road to the camera
    :param pitch: 0 is level, negative looks down
    :param roll: positive is clockwise, seen from behind the camera: the image's right side sinks
    :param yaw: 0 looks ahead, 90 to the left, 180 back
    :raises ValueError: if a value is out of range; the text names it
    """

    height: float = 1.65
    pitch: float = 0.0
    roll: float = 0.0
    yaw: float = 0.0

    def __post_init__(self) -> None:
        if not 0.2 <= self.height <= 10:
            raise ValueError(f"camera height is {self.height}: must be from 0.2 to 10 metres")
        for name, most in (("pitch", 60), ("roll", 60), ("yaw", 360)):
            value = getattr(self, name)
            if not abs(value) <= most:
                raise ValueError(f"{name} is {value}: must be from -{most} to {most} degrees")

    def base_from_left(self, baseline: float) -> np.ndarray:
        """Pose of the left optical frame in ``base_link``, 4x4. What ``height`` is of is the pair's middle.

        :param baseline: metres between the cameras
        """
        yaw, pitch, roll = np.radians([self.yaw, self.pitch, self.roll])
        pose = np.eye(4)
        # REP 103 turns the nose down with a positive pitch.
        pose[:3, :3] = turn(yaw, -pitch, roll) @ _BASE_FROM_OPTICAL
        middle = [_AHEAD * np.cos(yaw), _ASIDE * np.sin(yaw), self.height]
        pose[:3, 3] = middle - pose[:3, 0] * baseline / 2
        return pose
