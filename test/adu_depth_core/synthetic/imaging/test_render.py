import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.synthetic.geometry.mesh import boxes, merge, quads
from adu_depth_core.synthetic.imaging.render import render
from adu_depth_core.synthetic.imaging.shading import Shader
from adu_depth_core.synthetic.surfaces.materials import INDEX

CAMERA = Camera(fx=100.0, fy=100.0, cx=39.5, cy=19.5, width=80, height=40)
GROUND = quads((-500, -500, 0), (1000, 0, 0), (0, 1000, 0), INDEX["asphalt"], tile=4.0)


def looking_along_x(x=0.0, y=0.0, z=1.65):
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    pose[:3, 3] = x, y, z
    return pose


def test_depth_of_flat_ground_is_exact(clear_noon):
    _, depth, _ = render(Shader(GROUND, clear_noon), CAMERA, looking_along_x())
    rows = np.arange(20, 40)
    expected = np.broadcast_to((1.65 * CAMERA.fy / (rows - CAMERA.cy))[:, None], (20, 80))
    np.testing.assert_allclose(depth[20:], expected, rtol=1e-4)
    assert np.isinf(depth[:20]).all()


@settings(max_examples=20, deadline=None)
@given(distance=st.floats(2.0, 150.0), y=st.floats(-5.0, 5.0))
def test_a_wall_across_the_view_has_one_depth(distance, y):
    wall = quads((distance, -400, -400), (0, 800, 0), (0, 0, 800), INDEX["brick"])
    _, depth, _ = render(Shader(wall, light_of_an_overcast_day()), CAMERA, looking_along_x(y=y))
    np.testing.assert_allclose(depth, distance, rtol=1e-5)


def light_of_an_overcast_day():
    from adu_depth_core.synthetic.imaging.light import Light

    grey = np.full(3, 0.6)
    return Light(np.array([0, 0, 1.0]), np.zeros(3), grey, grey, 1.0, np.zeros((512, 512), np.float32), 0.0)


def test_what_stands_in_the_sun_throws_a_shadow(clear_noon):
    roof = boxes((10, 0, 4), (6, 4, 0.2), INDEX["concrete"])
    shader = Shader(merge([GROUND, roof]), clear_noon)
    sight = shader.look(
        np.array([0, 0, 2.0], np.float32), np.array([[10, 0, -2], [10, 5, -2]], np.float32), 0.001
    )
    assert list(sight.lit) == [False, True]
    assert sight.radiance[0].mean() < 0.5 * sight.radiance[1].mean()


def test_haze_hides_what_is_far(clear_noon):
    from dataclasses import replace

    foggy = replace(clear_noon, haze=0.05)
    wall = quads((200, -400, -400), (0, 800, 0), (0, 0, 800), INDEX["brick"])
    colour, _, _ = render(Shader(wall, foggy), CAMERA, looking_along_x())
    np.testing.assert_allclose(colour, np.broadcast_to(foggy.horizon, colour.shape), atol=1e-3)


def test_edges_are_blended(clear_noon):
    """A dark post in front of a bright wall: pixels on its border blend both."""
    wall = quads((30, -40, -40), (0, 80, 0), (0, 0, 80), INDEX["car_glass"], (2.0, 2.0, 2.0))
    post = boxes((10, 0.013, 0), (0.1, 1.0, 60), INDEX["rubber"], (0, 0, 0))
    colour, depth, _ = render(Shader(merge([wall, post]), clear_noon), CAMERA, looking_along_x())
    row = colour[30].mean(axis=1)
    inside = depth[30] < 15
    between = (row > 1.2 * row[inside].min()) & (row < 0.8 * row[~inside].max())
    assert between.any()
    assert set(np.unique(depth[30] < 15)) == {False, True}  # depth is never blended
    assert np.all((depth[30] < 11) | (depth[30] > 29))


def test_a_view_of_nothing_but_sky_is_all_infinite(clear_noon):
    behind = boxes((-10, 0, 0), (1, 1, 1), INDEX["concrete"])
    colour, depth, _ = render(Shader(behind, clear_noon), CAMERA, looking_along_x())
    assert np.isinf(depth).all()
    assert (colour > 0).all()
