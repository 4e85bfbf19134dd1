import numpy as np
import pytest

pytest.importorskip("rosbags")
from adu_depth_core.stillness import stands_still


def test_a_scene_at_rest_is_told_from_a_drive():
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    noisy = np.clip(image.astype(int) + np.random.default_rng(1).integers(-6, 7, image.shape), 0, 255)
    assert stands_still(image, noisy.astype(np.uint8))
    assert not stands_still(image, np.roll(image, 8, axis=1))
