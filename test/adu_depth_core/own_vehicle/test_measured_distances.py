"""Calibration from tape-measured distances, given several of them."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.own_vehicle.calibration import judged
from adu_depth_core.own_vehicle.measured_distances import Distance, hold_out_distances, parse_distance

CAMERA = Camera(100.0, 100.0, 100.0, 50.0, 200, 100)


def test_a_distance_is_read():
    assert parse_distance("640,410.5=12.5") == Distance(640, 410.5, 12.5)


@pytest.mark.parametrize("text", ["", "1,2", "1,2=", "1,2=0", "1,2=-3", "a,b=c", "1.2.3,4=5", "1,2=3,4"])
def test_what_is_no_distance_is_named(text):
    with pytest.raises(ValueError, match="is not u,v=METRES"):
        parse_distance(text)


def test_depth_is_along_the_optical_axis():
    """At 100 pixels off the axis the ray is sqrt(2) times its depth."""
    assert Distance(100, 50, 7.0).depth(CAMERA) == pytest.approx(7.0)
    assert Distance(200, 50, np.sqrt(2) * 7.0).depth(CAMERA) == pytest.approx(7.0)


def distances(factor, count):
    """Tape readings where the prediction is 10 m and truth is a factor of that, with 3 % noise."""
    places = [(20 + 37 * i % 160, 30 + 13 * i % 60) for i in range(count)]
    lengths = [np.linalg.norm([(u - 100) / 100, (v - 50) / 100, 1]) for u, v in places]
    off = [1.03, 0.97, 1.0, 1.02, 0.98, 1.01]
    return [
        Distance(u, v, 10 * factor * length * off[i])
        for i, ((u, v), length) in enumerate(zip(places, lengths, strict=True))
    ]


def prediction():
    depth = np.full((100, 200), 10.0, np.float32)
    return Prediction(depth, depth, CAMERA)


def test_distances_give_a_factor_and_leave_sigma_alone(card):
    calibration = judged(hold_out_distances(prediction(), distances(1.3, 5)), "distances", card, 1)
    assert calibration.refusal == ""
    profile = calibration.profile(card, CAMERA, "command")
    assert profile.correction.scale == pytest.approx(1.3, rel=0.03)
    assert profile.sigma_factor == 1.0
    assert profile.record["held_out"] == "each of 5 distances"
    assert any("sigma stays as it was" in warning for warning in calibration.warnings)


def test_distances_that_the_model_has_right_change_nothing(card):
    calibration = judged(hold_out_distances(prediction(), distances(1.0, 6)), "distances", card, 1)
    assert "it does not help" in calibration.refusal
    with pytest.raises(ValueError, match="it does not help"):
        calibration.profile(card, CAMERA, "command")


def test_too_few_distances_and_those_beside_the_picture_are_refused():
    with pytest.raises(UserError, match="3 distances cannot be held out against each other: measure 4"):
        hold_out_distances(prediction(), distances(1.3, 3))
    with pytest.raises(UserError, match=r"distance 200,50=3 \(column,row\) is outside the 100x200 picture"):
        hold_out_distances(prediction(), [*distances(1.3, 4), Distance(200, 50, 3.0)])
