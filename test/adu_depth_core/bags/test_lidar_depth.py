import numpy as np
import pytest

pytest.importorskip("rosbags")
from adu_depth_core.bags.lidar_depth import lidar_depth
from adu_depth_core.camera import Camera

CAMERA = Camera(100.0, 100.0, 49.5, 39.5, 100, 80)


def points_at(columns, rows, z):
    """Points in the optical frame that project to the centres of these pixels."""
    columns, rows, z = np.broadcast_arrays(columns, rows, z)
    points = np.stack([(columns - CAMERA.cx) * z / CAMERA.fx, (rows - CAMERA.cy) * z / CAMERA.fy, z], -1)
    return points.reshape(-1, 3).astype(np.float32)


def depth_of(points, beam_gap=1.0):
    """Depth of points given in the camera frame."""
    return lidar_depth(points, np.eye(4), CAMERA, beam_gap)


def test_points_land_on_their_pixel_with_their_z():
    depth = depth_of(points_at([10, 90], [20, 70], [5.0, 7.0]))
    assert np.count_nonzero(depth) == 2
    assert (depth[20, 10], depth[70, 90]) == (5.0, 7.0)


def test_the_nearest_of_several_points_of_a_pixel_stays():
    assert depth_of(points_at([10, 10, 10], 20, [9.0, 5.0, 7.0]))[20, 10] == 5.0


def test_what_is_behind_beside_or_not_a_number_does_not_count():
    elsewhere = points_at([10, -3, 200], [20, 5, 5], [-5.0, 5, 5])
    assert not depth_of(np.concatenate([elsewhere, np.float32([[np.nan, 0, 1], [0, 0, 0]])])).any()


def test_background_seen_between_the_returns_of_a_surface_is_dropped():
    columns, rows = np.meshgrid(np.arange(30, 70, 2), np.arange(20, 60, 3))
    wall = points_at(columns, rows, 5.0)
    behind = points_at(columns[:-1], rows[:-1] + 1, 20.0)
    depth = depth_of(np.concatenate([wall, behind]), beam_gap=2.5)
    assert set(np.unique(depth)) == {0.0, 5.0}
    assert np.count_nonzero(depth) == len(wall)


def test_background_beside_and_above_a_surface_stays():
    wall = points_at(*np.meshgrid(np.arange(30, 70, 2), np.arange(20, 60, 3)), 5.0)
    above = points_at(np.arange(30, 70, 2), 18, 20.0)
    beside = points_at(72, np.arange(20, 60, 3), 20.0)
    depth = depth_of(np.concatenate([wall, above, beside]), beam_gap=2.5)
    assert np.count_nonzero(depth == 20.0) == len(above) + len(beside)


def test_the_road_stays_although_it_is_nearer_below_every_point():
    columns, rows = np.meshgrid(np.arange(0, 100, 2), np.arange(45, 80))
    z = 150.0 / (rows - CAMERA.cy)  # 1.5 m below the camera
    depth = depth_of(points_at(columns, rows, z), beam_gap=2.5)
    assert np.count_nonzero(depth) == columns.size
