"""The camera's height, and vertical lines where there are any, give the scale of predictions."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.own_vehicle import road_truth
from adu_depth_core.own_vehicle.fitting import fit_correction
from adu_depth_core.own_vehicle.road_truth import road_observation
from adu_depth_core.own_vehicle.vertical_lines import Vertical

CAMERA = Camera(400.0, 400.0, 320.0, 120.0, 640, 240)
BLANK = np.zeros((240, 640, 3), np.uint8)


def road(height, pitch=0.0):
    """Depth of a level road and a wall at 40 m, seen by a camera pitched down by some degrees."""
    v = (np.arange(240) - CAMERA.cy) / CAMERA.fy
    down = np.cos(np.radians(pitch)) * v + np.sin(np.radians(pitch))
    with np.errstate(divide="ignore"):
        depth = np.where(down > 0, height / down, np.inf)
    return np.repeat(np.minimum(depth, 40.0)[:, None], 640, axis=1).astype(np.float32)


def seen(depth, card, **options):
    return road_observation(Prediction(depth, 0.1 * depth, CAMERA), BLANK, 1.5, card, 3.0, 1, 0, **options)


@pytest.fixture
def lines(monkeypatch):
    """Makes the image's vertical lines show a camera pitched down by some degrees."""

    def show(pitch):
        vertical = Vertical(0.0, -np.tan(np.radians(pitch)), 0.003)
        monkeypatch.setattr(road_truth, "vertical_by_lines", lambda image, camera: vertical)

    return show


@pytest.mark.parametrize("pitch", [0.0, 6.0])
@pytest.mark.parametrize("factor", [0.35, 0.8, 1.0, 1.6, 2.5])
def test_the_factor_is_that_of_the_heights(card, pitch, factor):
    depth = road(1.5, pitch) * np.float32(factor)
    found = seen(depth, card)
    assert (found.seconds, found.drive) == (3.0, 1)
    np.testing.assert_allclose(found.truth * factor, found.depth, rtol=0.02)
    assert found.relative_sigma is None
    assert found.depth.max() < 25  # the wall is not road


def test_without_a_road_there_is_no_observation(card):
    wall = np.full((240, 640), 12.0, np.float32)
    assert seen(wall, card) is None


def test_lines_correct_a_wrong_pitch_of_the_predicted_road(card, lines):
    """A road 1.5 m below, predicted 2 degrees too steep: its height is right, its depth is not."""
    true, predicted = road(1.5, 2.0), road(1.5, 4.0)
    needed = np.log(true / predicted)[(predicted < 25) & (true < 40)]
    by_height = fit_correction([seen(predicted, card)], "scale").log_scale
    lines(2.0)
    by_lines = fit_correction([seen(predicted, card)], "scale").log_scale
    assert by_height == pytest.approx(0, abs=0.02)
    assert by_lines == pytest.approx(np.median(needed), rel=0.3)


def test_a_road_at_odds_with_the_lines_is_none(card, lines):
    lines(-4.0)
    assert seen(road(1.5, 4.0), card) is None


def test_lines_leave_less_doubt(card, lines):
    depth = road(1.5, 2.0)
    without = seen(depth, card).doubt
    lines(2.0)
    assert road_truth.ROAD_APART < seen(depth, card).doubt < 0.8 * without


def test_the_doubt_is_the_effect_of_the_pitch(card):
    """By one standard deviation of pitch, the depth of the road's middle pixel changes by the doubt."""
    doubt = seen(road(1.5, 2.0), card).doubt
    pitch = np.degrees(road_truth.PREDICTED_TILT)
    change = np.log(road(1.5, 2.0) / road(1.5, 2.0 + pitch))[road(1.5, 2.0) < 25]
    assert doubt == pytest.approx(np.hypot(np.median(change), road_truth.ROAD_APART), rel=0.2)


def test_lines_can_be_required(card, lines):
    depth = road(1.5, 2.0)
    assert seen(depth, card, lines_required=True) is None
    lines(2.0)
    assert seen(depth, card, lines_required=True) is not None
