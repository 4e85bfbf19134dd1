from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("trimesh")

from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.synthetic.drive import DriveConfig
from adu_depth_core.synthetic.drive.random_rig import KITTI_CAMERA, VEHICLE_CAMERAS, Choice


def draw(rig, seed=0, **options):
    return rig.draw(np.random.default_rng(seed), DriveConfig(**options))


def test_kittis_camera_is_that_of_a_drive_by_default():
    assert draw(KITTI_CAMERA, seed=1) == DriveConfig()


@given(st.integers(0, 2**32))
def test_vehicles_cameras_stay_in_their_ranges(seed):
    config = draw(VEHICLE_CAMERAS, seed)
    camera, mounting = config.camera, config.mounting
    assert 40 <= np.degrees(2 * np.arctan(camera.width / 2 / camera.fx)) <= 110
    assert 1.2 <= mounting.height <= 2.6
    assert -8 <= mounting.pitch <= 4
    assert -3 <= mounting.roll <= 3
    assert 0.2 <= config.baseline <= 0.6
    assert 0.19e6 < camera.width * camera.height < 0.21e6
    assert abs(camera.cx / camera.width - 0.5) < 0.03


def test_all_directions_come_up_and_ahead_most_often():
    yaws = np.array([draw(VEHICLE_CAMERAS, seed).mounting.yaw for seed in range(300)])
    assert np.mean(np.abs(yaws) <= 10) == pytest.approx(0.5, abs=0.1)
    for low, high in ((45, 70), (-70, -45), (105, 135), (-135, -105), (170, 190)):
        assert ((low <= yaws) & (yaws <= high)).any()


def test_a_field_of_view_that_no_pinhole_camera_has_is_named():
    with pytest.raises(ValueError, match="field of view is 170"):
        draw(replace(KITTI_CAMERA, fov=Choice.of(170.0)))


def test_without_field_of_view_the_focal_length_stays():
    assert draw(KITTI_CAMERA, focal=500.0).focal == 500.0
