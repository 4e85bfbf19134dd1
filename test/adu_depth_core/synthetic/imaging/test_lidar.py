import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.synthetic.geometry.mesh import merge, quads
from adu_depth_core.synthetic.imaging.lidar import Lidar
from adu_depth_core.synthetic.imaging.shading import Shader
from adu_depth_core.synthetic.surfaces.materials import INDEX

GROUND = quads((-500, -500, 0), (1000, 0, 0), (0, 1000, 0), INDEX["asphalt"], tile=4.0)
RNG = np.random.default_rng(0)


def pose(height):
    matrix = np.eye(4)
    matrix[2, 3] = height
    return matrix


def test_points_lie_on_the_surfaces_that_the_camera_sees(small_drive):
    rig = small_drive.rig
    left_from_lidar = np.linalg.inv(rig.base_from_left) @ rig.base_from_lidar
    for frame in small_drive.frames:
        points = frame.points[:, :3] @ left_from_lidar[:3, :3].T + left_from_lidar[:3, 3]
        pixels, z = rig.camera.project(points)
        inside = (z > 1) & np.all((pixels >= 0) & (pixels <= (399, 119)), axis=1)
        u, v = np.round(pixels[inside]).astype(int).T
        assert inside.sum() > 1000
        assert np.median(np.abs(frame.depth[v, u] - z[inside]) / z[inside]) < 0.005


def test_flat_ground_is_flat(clear_noon):
    points = Lidar(azimuth_steps=90).scan(Shader(GROUND, clear_noon), pose(1.73), RNG)
    np.testing.assert_allclose(points[:, 2], -1.73, atol=1e-3)
    assert np.linalg.norm(points[:, :3], axis=1).max() <= 120


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 64), st.integers(4, 500), st.floats(-5, 20), st.floats(1, 30))
def test_beams_cover_the_field_of_view(beams, steps, top, height):
    directions = Lidar(beams, steps, top=top, bottom=top - height).directions()
    assert directions.shape == (beams * steps, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-5)
    elevation = np.degrees(np.arcsin(directions[:, 2]))
    assert elevation.max() == pytest.approx(top, abs=0.01)
    assert elevation.min() == pytest.approx(top - height, abs=0.01)


def test_noise_moves_points_along_their_beam(clear_noon):
    shader, noisy = Shader(GROUND, clear_noon), Lidar(azimuth_steps=360, range_noise=0.02)
    exact = Lidar(azimuth_steps=360).scan(shader, pose(1.73), RNG)[:, :3]
    moved = noisy.scan(shader, pose(1.73), RNG)[:, :3]
    error = np.linalg.norm(moved, axis=1) - np.linalg.norm(exact, axis=1)
    assert error.std() == pytest.approx(0.02, rel=0.1)
    np.testing.assert_allclose(np.cross(exact, moved), 0, atol=1e-2)


def test_signs_shine_and_tyres_do_not(clear_noon):
    sign = quads((10, 1, 0), (0, -2, 0), (0, 0, 3), INDEX["speed_limit"], tile=None)
    tyre = quads((-10, -1, 0), (0, 2, 0), (0, 0, 3), INDEX["rubber"], (0.02, 0.02, 0.02))
    points = Lidar(azimuth_steps=720).scan(Shader(merge([sign, tyre]), clear_noon), pose(1.0), RNG)
    assert np.all((points[:, 3] >= 0) & (points[:, 3] <= 1))
    assert points[points[:, 0] > 0, 3].mean() > 3 * points[points[:, 0] < 0, 3].mean()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"beams": 0}, "beams"),
        ({"azimuth_steps": -1}, "azimuth_steps"),
        ({"max_range": 0}, "max_range"),
        ({"range_noise": -0.1}, "range_noise"),
        ({"top": -30.0}, "field of view"),
    ],
)
def test_a_value_out_of_range_is_named(option, text):
    with pytest.raises(ValueError, match=text):
        Lidar(**option)
