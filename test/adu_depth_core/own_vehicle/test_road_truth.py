"""The camera's height gives the scale of predictions."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.own_vehicle.road_truth import road_observation

CAMERA = Camera(400.0, 400.0, 320.0, 120.0, 640, 240)


def road(height, pitch=0.0):
    """Depth of a level road and a wall at 40 m, seen by a camera pitched down by some degrees."""
    v = (np.arange(240) - CAMERA.cy) / CAMERA.fy
    down = np.cos(np.radians(pitch)) * v + np.sin(np.radians(pitch))
    with np.errstate(divide="ignore"):
        depth = np.where(down > 0, height / down, np.inf)
    return np.repeat(np.minimum(depth, 40.0)[:, None], 640, axis=1).astype(np.float32)


@pytest.mark.parametrize("pitch", [0.0, 6.0])
@pytest.mark.parametrize("factor", [0.35, 0.8, 1.0, 1.6, 2.5])
def test_the_factor_is_that_of_the_heights(card, pitch, factor):
    depth = road(1.5, pitch) * np.float32(factor)
    found = road_observation(Prediction(depth, 0.1 * depth, CAMERA), 1.5, card, 3.0, 1, 0)
    assert (found.seconds, found.drive) == (3.0, 1)
    np.testing.assert_allclose(found.truth * factor, found.depth, rtol=0.02)
    assert found.relative_sigma is None
    assert found.depth.max() < 25  # the wall is not road


def test_without_a_road_there_is_no_observation(card):
    wall = np.full((240, 640), 12.0, np.float32)
    assert road_observation(Prediction(wall, wall, CAMERA), 1.5, card, 0.0, 0, 0) is None
