import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.inference.temporal.warp import backward_warp
from adu_depth_core.transforms import rigid

CAMERA = Camera(50.0, 55.0, 30.0, 20.0, 64, 40)
DISTANCES = st.floats(2.0, 80.0)


def forward(metres):
    """``before_from_now`` of a camera that moved forward: points were farther away by that distance."""
    motion = np.eye(4)
    motion[2, 3] = metres
    return motion


def slanted(near, far):
    return np.linspace(near, far, CAMERA.width * CAMERA.height, dtype=np.float32).reshape(CAMERA.size)


@given(near=DISTANCES, far=DISTANCES)
def test_without_motion_each_pixel_stays_and_keeps_its_depth(near, far):
    depth = slanted(near, far)
    warp = backward_warp(depth, CAMERA, np.eye(4))
    inner = warp.seen[1:-1, 1:-1]
    assert inner.all()
    u, v = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    np.testing.assert_allclose(warp.columns, u, atol=1e-3)
    np.testing.assert_allclose(warp.rows, v, atol=1e-3)
    np.testing.assert_allclose(warp.fetch(depth)[1:-1, 1:-1], depth[1:-1, 1:-1], rtol=1e-3)
    np.testing.assert_allclose(warp.advance, 0, atol=1e-4)


@given(distance=DISTANCES, step=st.floats(0.1, 1.5))
def test_driving_ahead_shortens_the_depth_by_the_step(distance, step):
    warp = backward_warp(np.full(CAMERA.size, distance, np.float32), CAMERA, forward(step))
    np.testing.assert_allclose(warp.advance, -step, atol=1e-4)
    assert warp.seen[1:-1, 1:-1].all()  # moving forward, the previous frame saw more


@settings(max_examples=50)
@given(
    q=st.tuples(*[st.floats(-0.2, 0.2)] * 3),
    t=st.tuples(*[st.floats(-1, 1)] * 3),
    u=st.integers(0, CAMERA.width - 1),
    v=st.integers(0, CAMERA.height - 1),
    z=DISTANCES,
)
def test_any_motion_takes_a_pixel_where_its_point_projects(q, t, u, v, z):
    motion = rigid(np.array(t), np.array([*q, 1.0]))
    depth = np.full(CAMERA.size, z, np.float32)
    warp = backward_warp(depth, CAMERA, motion)
    point = motion[:3, :3] @ CAMERA.unproject(depth)[v, u] + motion[:3, 3]
    [(column, row)], [before] = CAMERA.project(point[None])
    inside = before > 0 and 0 <= column <= CAMERA.width - 1 and 0 <= row <= CAMERA.height - 1
    assert warp.advance[v, u] == pytest.approx(z - before, abs=1e-3)
    if inside and warp.seen[v, u]:
        assert (warp.columns[v, u], warp.rows[v, u]) == pytest.approx((column, row), abs=0.02)
    else:  # except for rounding at the border
        margin = min(column, CAMERA.width - 1 - column, row, CAMERA.height - 1 - row)
        assert inside == warp.seen[v, u] or abs(margin) < 0.02


def test_points_behind_the_camera_before_were_not_seen():
    assert not backward_warp(np.full(CAMERA.size, 2.0, np.float32), CAMERA, forward(-3.0)).seen.any()
