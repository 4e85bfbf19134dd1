"""Sensor rig and recorded frames of a synthetic drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera


@dataclass(frozen=True)
class Rig:
    """Sensors on the vehicle. All transforms are 4x4 float64, ``a_from_b`` maps points of b into a.

    Frames: ``base_link`` (REP 105: on the ground under the vehicle, x forward, y left, z up),
    ``camera_left_optical_frame`` and ``camera_right_optical_frame`` (REP 103 optical: x right,
    y down, z forward), ``lidar`` (x forward, y left, z up).

    :param camera: intrinsics of both views
    :param baseline: metres from the left to the right camera along the left camera's x axis
    :param base_from_left: pose of the left optical frame in ``base_link``
    :param base_from_lidar: pose of the LiDAR in ``base_link``
    """

    camera: Camera
    baseline: float
    base_from_left: np.ndarray
    base_from_lidar: np.ndarray


@dataclass(frozen=True)
class DriveFrame:
    """One instant of a drive.

    :param index: frame number from 0
    :param stamp_ns: time in nanoseconds
    :param left: RGB uint8 ``(H, W, 3)``
    :param right: RGB uint8 ``(H, W, 3)``; None where the left view is all that was asked for
    :param depth: float32 ``(H, W)`` metres along z of the left view; +inf where there is only sky (REP 117)
    :param points: LiDAR returns float32 ``(N, 4)``: x, y, z metres in the ``lidar`` frame, intensity 0..1
    :param world_from_base: pose of the vehicle, 4x4 float64
    :param classes: uint8 ``(H, W)``, the ``PixelClass`` that the left view shows; None where it is not known
    """

    index: int
    stamp_ns: int
    left: np.ndarray
    right: np.ndarray | None
    depth: np.ndarray
    points: np.ndarray
    world_from_base: np.ndarray
    classes: np.ndarray | None = None
