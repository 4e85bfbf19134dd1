"""A small drive, and a view of its scene from both cameras, made once."""

from dataclasses import dataclass

import numpy as np
import pytest

from adu_depth_core.synthetic.frame import DriveFrame, Rig


@dataclass(frozen=True)
class SmallDrive:
    rig: Rig
    frames: list[DriveFrame]


@pytest.fixture(scope="session")
def small_drive() -> SmallDrive:
    """Three frames of 120x400 pixels, 10 Hz."""
    pytest.importorskip("trimesh")
    pytest.importorskip("embreex")
    from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
    from adu_depth_core.synthetic.imaging.lidar import Lidar

    config = DriveConfig(seed=3, frames=3, width=400, height=120, lidar=Lidar(azimuth_steps=600))
    rig, frames = generate_drive(config)
    return SmallDrive(rig, list(frames))


@pytest.fixture
def clear_noon():
    """Lighting of a clear day with the sun overhead."""
    pytest.importorskip("trimesh")
    from adu_depth_core.synthetic.imaging.light import Light

    return Light(
        to_sun=np.array([0.0, 0.0, 1.0]),
        sun=np.ones(3),
        zenith=np.array([0.1, 0.2, 0.4]),
        horizon=np.array([0.6, 0.7, 0.8]),
        cover=0.0,
        clouds=np.zeros((512, 512), np.float32),
        haze=0.0,
    )
