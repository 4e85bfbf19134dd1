import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.flip import predict_with_flip
from adu_depth_core.inference.prediction import Prediction

CAMERA = Camera(100.0, 100.0, 4.0, 1.5, 12, 4)


class ColumnPredictor:
    """Predicts depth from image position alone, so mirroring does not change it."""

    def __init__(self):
        self.calls = []

    def predict(self, image, camera):
        self.calls.append((image, camera))
        depth = np.tile(np.arange(1.0, 13.0, dtype=np.float32), (4, 1))
        return Prediction(depth, depth / 10, camera)


def test_logs_of_depth_and_sigma_are_averaged():
    prediction = predict_with_flip(ColumnPredictor(), np.zeros((4, 12, 3), np.uint8), CAMERA)
    columns = np.arange(1.0, 13.0)
    expected = np.exp((np.log(columns) + np.log(columns[::-1])) / 2)
    np.testing.assert_allclose(prediction.depth, np.tile(expected, (4, 1)), rtol=1e-6)
    np.testing.assert_allclose(prediction.sigma, np.tile(expected / 10, (4, 1)), rtol=1e-6)
    assert prediction.camera == CAMERA


def test_the_second_look_is_at_the_mirror_image_through_the_mirrored_camera():
    predictor = ColumnPredictor()
    image = np.random.default_rng(0).integers(0, 255, (4, 12, 3), dtype=np.uint8)
    predict_with_flip(predictor, image, CAMERA)
    (first, camera), (second, mirrored) = predictor.calls
    np.testing.assert_array_equal(first, image)
    np.testing.assert_array_equal(second, image[:, ::-1])
    assert camera == CAMERA
    assert mirrored.cx == 12 - 1 - 4.0


def test_a_network_that_sees_both_images_alike_is_not_changed(color_student):
    pytest.importorskip("onnxruntime")
    from adu_depth_core.inference.predictor import Predictor

    predictor = Predictor(color_student, "onnxruntime")
    rng = np.random.default_rng(0)
    image = np.repeat(rng.integers(0, 255, (64, 24, 3), dtype=np.uint8), 8, axis=1)
    camera = Camera(350.0, 350.0, 80.0, 31.5, 192, 64)
    straight, both = predictor.predict(image, camera), predict_with_flip(predictor, image, camera)
    np.testing.assert_allclose(both.depth, straight.depth, rtol=1e-4)
    np.testing.assert_allclose(both.sigma, straight.sigma, rtol=1e-4)
