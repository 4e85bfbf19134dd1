import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.synthetic.imaging.light import random_light
from adu_depth_core.synthetic.imaging.sensor import random_sensor


def directions(count=500):
    vectors = np.random.default_rng(0).standard_normal((count, 3)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_any_weather_is_physical(seed):
    light = random_light(np.random.default_rng(seed))
    assert np.linalg.norm(light.to_sun) == 1 or abs(np.linalg.norm(light.to_sun) - 1) < 1e-9
    assert light.to_sun[2] > 0
    for radiance in (light.sky(directions()), light.ambient(directions())):
        assert np.isfinite(radiance).all()
        assert (radiance > 0).all()
    assert light.ground_level > 0


def test_air_leaves_the_near_alone_and_swallows_the_far():
    light = random_light(np.random.default_rng(1))
    colour = np.array([[1.0, 0.5, 0.1], [1.0, 0.5, 0.1]], np.float32)
    near, far = light.through_air(colour, np.array([0.0, 1e6], np.float32))
    np.testing.assert_allclose(near, colour[0])
    np.testing.assert_allclose(far, light.horizon, rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_camera_exposes_the_ground_to_middle_values(seed):
    rng = np.random.default_rng(seed)
    light = random_light(rng)
    sensor = random_sensor(rng, light.ground_level)
    asphalt = np.full((32, 64, 3), 0.15 * light.ground_level, np.float32)
    assert 40 < sensor.develop(asphalt, rng).mean() < 230


def test_more_light_gives_larger_values_and_noise_follows_the_seed():
    sensor = random_sensor(np.random.default_rng(0), 1.0)
    ramp = np.broadcast_to(np.linspace(0, 2, 64, dtype=np.float32)[None, :, None], (32, 64, 3))
    first = sensor.develop(ramp, np.random.default_rng(1))
    assert np.array_equal(first, sensor.develop(ramp, np.random.default_rng(1)))
    assert not np.array_equal(first, sensor.develop(ramp, np.random.default_rng(2)))
    columns = first.mean(axis=(0, 2))
    assert np.all(np.diff(columns) > -4)
    assert columns[-1] > 230
    assert columns[0] < 40
