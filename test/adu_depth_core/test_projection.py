"""Projection of points: hand-computed pixels, and points outside the view."""

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.projection import project

CAMERA = Camera(100.0, 100.0, 79.5, 59.5, 160, 120)


def projected(points, camera_from_points=None):
    matrix = np.eye(4) if camera_from_points is None else camera_from_points
    return project(np.array(points, np.float32).reshape(-1, 3), matrix, CAMERA)


def test_points_fall_on_the_pixel_whose_area_holds_them():
    rows, columns, z = projected([[0.049 * 2, -0.049 * 2, 2], [-0.051 * 2, 0.051 * 2, 2]])
    assert (rows.tolist(), columns.tolist(), z.tolist()) == ([55, 65], [84, 74], [2, 2])


def test_points_of_another_frame_are_moved_into_the_camera_first():
    # From x forward, y left, z up; the camera is 0.5 m to the right, 0.5 m above and 1 m ahead.
    mounted = np.array([[0, -1, 0, -0.5], [0, 0, -1, 0.5], [1, 0, 0, -1], [0, 0, 0, 1]])
    rows, columns, z = projected([[11, -0.54, 0.46]], mounted)
    assert (rows.tolist(), columns.tolist(), z.tolist()) == ([60], [80], [10])


def test_what_is_behind_or_beside_the_image_or_not_a_number_is_left_out():
    elsewhere = [[0, 0, -1], [0, 0, 0], [-0.9, 0, 1], [0, 0.7, 1], [np.nan, 0, 1], [np.inf, 0, np.inf]]
    rows, columns, z = projected([*elsewhere, [0.1, 0.1, 1]])
    assert (rows.size, columns.size, z.tolist()) == (1, 1, [1])


def test_a_cloud_without_points_shows_none():
    assert projected([]).z.size == 0
