import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.sgbm import SgbmPredictor

CAMERA = Camera(150.0, 150.0, 79.5, 31.5, 160, 64)


def test_a_textured_plane_gets_its_depth_everywhere(textured_pair):
    left, right = textured_pair(0, 12)
    depth = SgbmPredictor().predict(left, CAMERA, right, 0.5)
    assert depth.shape == (64, 160)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, 75.0 / 12, rtol=0.05)


def test_what_cannot_be_matched_is_told(textured_pair):
    left, _ = textured_pair(0, 12)
    with pytest.raises(UserError, match="needs frames with a right view"):
        SgbmPredictor().predict(left, CAMERA, None, None)
    with pytest.raises(UserError, match="no match"):
        SgbmPredictor().predict(np.zeros_like(left), CAMERA, left, 0.5)
