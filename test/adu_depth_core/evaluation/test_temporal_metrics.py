import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.temporal_metrics import flicker, follow, instability

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


def flicker_of(before, now, truths=None):
    truths = truths or (plane(10.0), plane(8.0))
    points = follow(*truths, CAMERA, moved(2.0))
    return flicker(before, now, truths, points)


def test_an_error_that_stays_does_not_flicker():
    assert flicker_of(plane(12.0), plane(9.6)) == pytest.approx(0, abs=1e-6)


def test_flicker_is_the_mean_change_of_the_error_in_log_depth():
    now = plane(8.0)
    now[:, : CAMERA.width // 2] *= np.float32(np.exp(0.2))
    assert flicker_of(plane(10.0), now) == pytest.approx(0.1, rel=0.02)


def test_flicker_is_that_of_static_points_only():
    """A car at constant distance and the area it occludes are excluded."""
    before, now = plane(10.0), plane(8.0)
    before[40:80, 60:100] = now[40:80, 60:100] = 5.0
    wrong = now.copy()
    wrong[40:80, 60:100] = 2.0
    assert flicker_of(before, wrong, (before, now)) == pytest.approx(0, abs=1e-6)
    assert flicker_of(before, wrong[:, ::-1] * 1.1, (before, now)) > 0.05


def test_frames_without_a_common_static_point_have_no_flicker():
    assert flicker_of(plane(10.0), plane(8.0), (plane(np.nan), plane(8.0))) is None
    assert flicker_of(plane(10.0), plane(8.0), (plane(10.0), plane(0.0))) is None
