import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.temporal import instability

CAMERA = Camera(100.0, 100.0, 79.5, 59.5, 160, 120)


def moved(z):
    motion = np.eye(4)
    motion[2, 3] = z
    return motion


def plane(distance):
    return np.full(CAMERA.size, distance, np.float32)


def test_depth_that_follows_the_motion_is_stable():
    assert instability(plane(10.0), plane(8.0), CAMERA, moved(-2.0)) == pytest.approx(0, abs=1e-6)


def test_depth_that_ignores_the_motion_is_unstable_by_the_log_of_the_ratio():
    assert instability(plane(10.0), plane(10.0), CAMERA, moved(-2.0)) == pytest.approx(
        np.log(10 / 8), rel=1e-5
    )


def test_a_small_moving_object_does_not_count():
    now = plane(10.0)
    now[:40] = 3.0
    assert instability(plane(10.0), now, CAMERA, np.eye(4)) == 0


def test_frames_without_a_common_pixel_have_none():
    assert instability(plane(10.0), plane(10.0), CAMERA, moved(-20.0)) is None
