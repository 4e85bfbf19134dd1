"""Motion of the vehicle along its lane."""

from __future__ import annotations

import numpy as np

from adu_depth_core.synthetic.geometry.centreline import Centreline


class Trajectory:
    """Smooth motion along a lane: speed between 5 and 14 m/s, a slight weave, pitch and roll."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._speed = rng.uniform(6.5, 12.5)
        self._swing = rng.uniform(0.0, 1.5)
        self._period = rng.uniform(8.0, 20.0)
        self._weave = rng.uniform(0.02, 0.18), rng.uniform(45.0, 120.0), rng.uniform(0, 2 * np.pi)
        self._offset = rng.normal(0.0, 0.15)
        self._pitch = rng.uniform(0.001, 0.006, 2), rng.uniform(0.5, 2.5, 2), rng.uniform(0, 2 * np.pi, 2)
        self._roll = rng.uniform(0.0, 0.006, 2), rng.uniform(0.4, 1.5, 2), rng.uniform(0, 2 * np.pi, 2)

    def travelled(self, time: float) -> float:
        """Metres along the centreline after ``time`` seconds."""
        rate = 2 * np.pi / self._period
        return self._speed * time + self._swing / rate * (1 - np.cos(rate * time))

    def world_from_base(self, line: Centreline, lane: float, time: float) -> np.ndarray:
        """Pose of ``base_link``, 4x4 float64, ``time`` seconds after the start.

        :param lane: lateral position of the lane's middle, metres left of the centreline
        """
        s = self.travelled(time)
        amplitude, wavelength, phase = self._weave
        angle = 2 * np.pi * s / wavelength + phase
        lateral = lane + self._offset + amplitude * np.sin(angle)
        yaw = line.heading(s) + np.arctan(amplitude * 2 * np.pi / wavelength * np.cos(angle))
        # Nose down is a positive turn about y (left), REP 103.
        pitch = -np.arctan(line.slope(s)) + _sway(self._pitch, time)
        pose = np.eye(4)
        pose[:3, :3] = turn(yaw, pitch, _sway(self._roll, time))
        pose[:3, 3] = line.point(s, lateral)
        return pose


def _sway(waves: tuple[np.ndarray, np.ndarray, np.ndarray], time: float) -> float:
    amplitude, frequency, phase = waves
    return float(np.sum(amplitude * np.sin(2 * np.pi * frequency * time / 2 + phase)))


def turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation of REP 103 angles: about x by roll, then y by pitch, then z by yaw."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return about_z @ about_y @ about_x
