"""Detection of truth that is misaligned with its image, in all frames or in half of them."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.own_vehicle.alignment import align, shift_errors

CAMERA = Camera(200.0, 200.0, 150.0, 40.0, 300, 100)


def scene(seed):
    """A road with boxes on it, metres."""
    rng = np.random.default_rng(seed)
    below = np.maximum(np.arange(100) - CAMERA.cy, 0.5)[:, None]
    depth = np.repeat(np.clip(1.6 * CAMERA.fy / below, 2, 60), 300, axis=1)
    for _ in range(6):
        left, near = rng.integers(0, 270), rng.uniform(5, 25)
        bottom = int(CAMERA.cy + 1.6 * CAMERA.fy / near)
        depth[20:bottom, left : left + 30] = near
    return depth.astype(np.float32)


def drive(turned_frames, degrees, frames=20):
    """Errors of a model that predicts 30 % too far; the truth of some frames is some degrees too low."""
    rows = round(np.tan(np.radians(degrees)) * CAMERA.fy)
    found = []
    for number in range(frames):
        truth = scene(number)
        prediction = Prediction(1.3 * truth, truth, CAMERA)
        if number in turned_frames:
            truth = np.vstack([np.zeros((rows, 300), np.float32), truth[: 100 - rows]])
        found.append(shift_errors(prediction, truth, number))
    return found


def test_a_right_truth_lies_where_it_is():
    alignment = align(drive((), 0))
    assert alignment.usual == (0, 0)
    assert alignment.at_odds == 0
    assert not alignment.contradicts


def test_a_truth_that_is_off_everywhere_is_told_but_no_contradiction():
    alignment = align(drive(range(20), 2))
    assert alignment.usual.up == pytest.approx(2.0, abs=0.5)
    assert not alignment.contradicts


@pytest.mark.parametrize("turned", [range(10), range(0, 20, 2)], ids=["first half", "every other"])
def test_a_truth_that_is_off_in_half_of_the_frames_contradicts_itself(turned):
    alignment = align(drive(turned, 2))
    assert alignment.contradicts
    assert str(alignment) == "in 10 frames it fits best where it is, in the other 10 2 degrees higher"


def test_a_shift_between_those_of_both_halves_hides_no_contradiction():
    right = 0.5 * np.abs(np.arange(13) - 6 - np.array([2, -2])[:, None])  # degrees from 1 and from -1
    halves = [np.repeat(0.2 + 0.008 * degrees[None], 13, axis=0) for degrees in right]
    assert align([halves[0]] * 10).at_odds == 0
    alignment = align([halves[0]] * 10 + [halves[1]] * 10)
    assert alignment.contradicts
    assert alignment.at_odds == 1


def test_a_few_frames_cannot_be_compared():
    assert align(drive((), 0, frames=4)) is None
    assert shift_errors(Prediction(scene(0), scene(0), CAMERA), np.zeros((100, 300), np.float32), 0) is None
