import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.typical import typical_entry, typical_values

CAMERA = Camera(100.0, 100.0, 80.0, 24.0, 160, 48)


def prediction(depth, relative_sigma):
    near = np.full(CAMERA.size, depth, np.float32)
    near[:, :40] = 1.0  # a quarter of the image does not move the median
    return Prediction(near, near * np.float32(relative_sigma), CAMERA)


def test_values_are_medians_over_the_image():
    assert typical_values(prediction(20.0, 0.25)) == pytest.approx((20.0, 0.25))


def test_the_entry_holds_the_range_over_frames():
    frames = [prediction(20.0, 0.3), prediction(10.0, 0.25), prediction(40.0, 0.2)]
    assert typical_entry(frames) == {"depth": [10.0, 40.0], "relative_sigma": [0.2, 0.3]}
