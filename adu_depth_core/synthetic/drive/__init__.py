"""A synthetic drive: a vehicle with a stereo camera and a LiDAR goes down a random street."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.synthetic.drive.mounting import Mounting
from adu_depth_core.synthetic.drive.trajectory import Trajectory
from adu_depth_core.synthetic.frame import DriveFrame, Rig
from adu_depth_core.synthetic.imaging.lidar import Lidar
from adu_depth_core.synthetic.imaging.light import random_light
from adu_depth_core.synthetic.imaging.render import render
from adu_depth_core.synthetic.imaging.sensor import Sensor, random_sensor
from adu_depth_core.synthetic.imaging.shading import Shader
from adu_depth_core.synthetic.street import Street

KITTI_PRINCIPAL = (0.4908, 0.461)
"""KITTI's principal point as shares of width and height."""

_LIDAR_AHEAD, _LIDAR_HEIGHT = 0.73, 1.73  # KITTI's

LARGEST_IMAGE = 2**24
"""Pixels; rendering takes some 220 bytes for each."""

LONGEST_DRIVE_S = 1800.0
"""A street takes about 1 MiB for each second of the drive, and is made as a whole."""


@dataclass(frozen=True)
class DriveConfig:
    """Configuration of a drive. Defaults are KITTI's colour stereo pair.

    :param seed: everything random follows from it: same configuration and seed, same bytes
    :param frames: number of frames
    :param width: image width in pixels
    :param height: image height in pixels
    :param focal: focal length in pixels; None keeps KITTI's field of view at this width
    :param baseline: metres between the cameras
    :param rate_hz: frames per second
    :param principal: principal point as shares of width and height
    :param mounting: pose of the camera, or the pair, on the vehicle
    :param mono: leave the right view out
    :param lidar: the LiDAR, or None for no scans (``DriveFrame.points`` is then empty)
    :raises ValueError: if a value is out of range; the text names it
    """

    seed: int = 0
    frames: int = 20
    width: int = 1242
    height: int = 375
    focal: float | None = None
    baseline: float = 0.532
    rate_hz: float = 10.0
    principal: tuple[float, float] = KITTI_PRINCIPAL
    mounting: Mounting = field(default_factory=Mounting)
    mono: bool = False
    lidar: Lidar | None = field(default_factory=Lidar)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: must not be negative")
        for name, least in (("frames", 1), ("width", 16), ("height", 16)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: must be at least {least}")
        for name in ("baseline", "rate_hz"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}: must be positive")
        if self.width * self.height > LARGEST_IMAGE:
            raise ValueError(
                f"size is {self.height}x{self.width}: images of more than {LARGEST_IMAGE} pixels would take "
                "more than 4 GiB to render"
            )
        seconds = (self.frames - 1) / self.rate_hz
        if seconds > LONGEST_DRIVE_S:
            raise ValueError(
                f"{self.frames} frames at a rate of {self.rate_hz:g} Hz last {seconds:.3g} s, a drive "
                f"{LONGEST_DRIVE_S:g} s at most: choose fewer frames or a higher rate"
            )
        if self.focal is not None and not (np.isfinite(self.focal) and self.focal > 0):
            raise ValueError(f"focal is {self.focal}: must be positive")

    @property
    def camera(self) -> Camera:
        """Intrinsics of both cameras."""
        focal = 721.5 * self.width / 1242 if self.focal is None else self.focal
        return Camera(
            fx=focal,
            fy=focal,
            cx=self.principal[0] * self.width,
            cy=self.principal[1] * self.height,
            width=self.width,
            height=self.height,
        )

    @property
    def rig(self) -> Rig:
        """The sensors' mounting."""
        base_from_lidar = np.eye(4)
        base_from_lidar[:3, 3] = [_LIDAR_AHEAD, 0.0, _LIDAR_HEIGHT]
        return Rig(self.camera, self.baseline, self.mounting.base_from_left(self.baseline), base_from_lidar)


def generate_drive(config: DriveConfig) -> tuple[Rig, Iterator[DriveFrame]]:
    """A rig, and the frames it records, rendered on demand."""
    return config.rig, _frames(config)


def _frames(config: DriveConfig) -> Iterator[DriveFrame]:
    rng = np.random.default_rng(config.seed)
    trajectory = Trajectory(rng)
    street = Street(rng, trajectory.travelled, (config.frames - 1) / config.rate_hz)
    light = random_light(rng)
    sensor = random_sensor(rng, light.ground_level)
    for index in range(config.frames):
        time = index / config.rate_hz
        shader = Shader(street.mesh_at(time), light)
        world_from_base = trajectory.world_from_base(street.line, street.ego_lane, time)
        yield record(config, index, shader, sensor, world_from_base)


def record(
    config: DriveConfig, index: int, shader: Shader, sensor: Sensor, world_from_base: np.ndarray
) -> DriveFrame:
    """One frame of the rig at a place.

    :param index: its number in the drive
    :param world_from_base: pose of the vehicle, 4x4
    """
    rig = config.rig
    # Frame by frame seeds, so that a frame's noise does not depend on what was drawn before it.
    noise = [np.random.default_rng([config.seed, index, stream]) for stream in range(3)]
    world_from_left = world_from_base @ rig.base_from_left
    left, depth, classes = render(shader, rig.camera, world_from_left)
    right, points = None, np.empty((0, 4), np.float32)
    if not config.mono:
        left_from_right = np.eye(4)
        left_from_right[0, 3] = rig.baseline
        radiance, _, _ = render(shader, rig.camera, world_from_left @ left_from_right)
        right = sensor.develop(radiance, noise[1])
    if config.lidar is not None:
        points = config.lidar.scan(shader, world_from_base @ rig.base_from_lidar, noise[2])
    return DriveFrame(
        index=index,
        stamp_ns=round(index / config.rate_hz * 1e9),
        left=sensor.develop(left, noise[0]),
        right=right,
        depth=depth,
        classes=classes,
        points=points,
        world_from_base=world_from_base,
    )
