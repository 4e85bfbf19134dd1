"""Random cameras: the prior distribution of vehicle cameras."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from adu_depth_core.synthetic.drive import KITTI_PRINCIPAL, DriveConfig
from adu_depth_core.synthetic.drive.mounting import Mounting


@dataclass(frozen=True)
class Choice:
    """Values to draw from.

    :param ranges: lowest and highest value of each range; each range is as likely as the others
    """

    ranges: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, *values: float | tuple[float, float]) -> Choice:
        """Choice between values and ranges."""
        return cls(tuple(v if isinstance(v, tuple) else (v, v) for v in values))

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        low, high = self.ranges[rng.integers(len(self.ranges))]
        return float(rng.uniform(low, high))


@dataclass(frozen=True)
class RandomRig:
    """Distribution of random rigs.

    :param sizes: heights and widths of images in pixels
    :param fov: horizontal field of view, degrees; None keeps the drive's focal length
    :param baseline: metres between the cameras
    :param height: metres above the road
    :param pitch: degrees, see ``Mounting``
    :param roll: degrees
    :param yaw: degrees
    :param decentring: largest distance of the principal point from the image's centre, as a share of width
        and height; 0 for KITTI's principal point
    """

    sizes: tuple[tuple[int, int], ...]
    fov: Choice | None
    baseline: Choice
    height: Choice
    pitch: Choice
    roll: Choice
    yaw: Choice
    decentring: float = 0.0

    def draw(self, rng: np.random.Generator, config: DriveConfig) -> DriveConfig:
        """The drive with another rig.

        :raises ValueError: if a value is out of range; the text names it
        """
        height, width = self.sizes[rng.integers(len(self.sizes))]
        focal = config.focal
        if self.fov is not None:
            fov = self.fov.draw(rng)
            if not 10 <= fov <= 150:
                raise ValueError(f"field of view is {fov:g} degrees: must be from 10 to 150")
            focal = width / 2 / math.tan(math.radians(fov) / 2)
        principal = KITTI_PRINCIPAL
        if self.decentring:
            across, down = rng.uniform(-self.decentring, self.decentring, 2)
            principal = (0.5 + across, 0.5 + down)
        return replace(
            config,
            width=width,
            height=height,
            focal=focal,
            principal=principal,
            baseline=self.baseline.draw(rng),
            mounting=Mounting(
                height=self.height.draw(rng),
                pitch=self.pitch.draw(rng),
                roll=self.roll.draw(rng),
                yaw=self.yaw.draw(rng),
            ),
        )


KITTI_CAMERA = RandomRig(
    sizes=((375, 1242),),
    fov=None,
    baseline=Choice.of(0.532),
    height=Choice.of(1.65),
    pitch=Choice.of(0.0),
    roll=Choice.of(0.0),
    yaw=Choice.of(0.0),
)
"""KITTI's colour pair: nothing is left to chance."""

VEHICLE_CAMERAS = RandomRig(
    # 4:3, 16:9, 16:10 and KITTI's 3.3:1, of 0.2 megapixels each.
    sizes=((384, 512), (336, 600), (352, 560), (248, 816)),
    fov=Choice.of((40.0, 110.0)),
    baseline=Choice.of((0.2, 0.6)),
    height=Choice.of((1.2, 2.6)),
    pitch=Choice.of((-8.0, 4.0)),
    roll=Choice.of((-3.0, 3.0)),
    # Six directions as in DDAD and PandaSet, ahead most often.
    yaw=Choice.of(*[(-10.0, 10.0)] * 5, (45, 70), (-70, -45), (105, 135), (-135, -105), (170, 190)),
    decentring=0.02,
)
"""Cameras that vehicles have."""
