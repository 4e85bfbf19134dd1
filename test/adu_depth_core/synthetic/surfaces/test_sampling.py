import cv2
import numpy as np
import pytest

from adu_depth_core.synthetic.surfaces.sampling import bilinear

PICTURE = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_values_lie_between_their_neighbours():
    found = bilinear(PICTURE, np.array([0.0, 1.5, 2.0]), np.array([0.0, 0.0, 1.5]))
    np.testing.assert_allclose(found, [0.0, 1.5, 8.0])


def test_a_picture_wraps_or_ends():
    x, y = np.array([4.0, -1.0]), np.array([0.0, 0.0])
    np.testing.assert_allclose(bilinear(PICTURE, x, y), [0.0, 3.0])
    np.testing.assert_allclose(bilinear(PICTURE, x, y, cv2.BORDER_REPLICATE), [3.0, 0.0])


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 5000])
def test_any_number_of_points_will_do(count):
    colours = np.dstack([PICTURE] * 3)
    assert bilinear(colours, np.ones(count), np.ones(count)).shape == (count, 3)
