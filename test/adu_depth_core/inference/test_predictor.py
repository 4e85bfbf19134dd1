"""From any image to metres, and one clear error for each kind of invalid model."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.network_size import fit_network_size
from adu_depth_core.inference.postprocess import postprocess
from adu_depth_core.inference.predictor import MAX_SIZES, Predictor

pytest.importorskip("openvino")


def camera_of(image, focal=400.0):
    height, width = image.shape[:2]
    return Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)


@pytest.fixture(scope="module")
def predictor(color_student):
    return Predictor(color_student)


@pytest.mark.parametrize(("width", "height"), [(1242, 375), (640, 480), (300, 700), (192, 64), (100, 30)])
def test_each_pixel_gets_the_depth_of_its_own_place(predictor, width, height):
    """Red means far to this student: the depth map must show the red ramps where the image has them."""
    across = np.linspace(0.4, 0.9, width)[None] * np.linspace(0.6, 1.0, height)[:, None]
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.round(255 * across)
    camera = camera_of(image)
    prediction = predictor.predict(image, camera)
    rows, columns = predictor.network_size
    scale = min(rows / height, columns / width)
    expected = np.exp(4 * (image[..., 0] / 255.0)) * camera.fx * scale / 350.0
    # 8-bit red is coarse (4/255 in log depth), and interpolation is flat at the edges
    np.testing.assert_allclose(prediction.depth, np.clip(expected, 0.5, 60), rtol=0.08)
    # No blue: log_b = 0. Where neighbours differ by 6 %, depth is taken from one of them.
    np.testing.assert_allclose(prediction.sigma, 1.25 * prediction.depth, rtol=0.06)
    assert prediction.camera == camera


def test_twice_the_focal_length_is_twice_as_far(predictor):
    image = np.full((64, 192, 3), 100, np.uint8)
    near = predictor.predict(image, camera_of(image, 300.0))
    far = predictor.predict(image, camera_of(image, 600.0))
    np.testing.assert_allclose(far.depth, 2 * near.depth, rtol=1e-5)


def test_resolution_does_not_change_depth(predictor):
    small = np.full((128, 384, 3), 90, np.uint8)
    large = cv2.resize(small, (1536, 512))
    a, b = (
        predictor.predict(small, camera_of(small, 300.0)),
        predictor.predict(large, camera_of(large, 1200.0)),
    )
    np.testing.assert_allclose(a.depth[0, 0], b.depth[0, 0], rtol=1e-5)


def test_channel_orders_agree(predictor):
    image = np.random.default_rng(0).integers(0, 256, (90, 250, 3), np.uint8)
    rgb = predictor.predict(image, camera_of(image))
    bgra = predictor.predict(cv2.cvtColor(image, cv2.COLOR_RGB2BGRA), camera_of(image), "bgra")
    np.testing.assert_array_equal(rgb.depth, bgra.depth)
    np.testing.assert_array_equal(rgb.sigma, bgra.sigma)


def test_threads_may_share_a_predictor(predictor):
    images = [np.full((40 + i, 120, 3), 20 * i, np.uint8) for i in range(12)]
    alone = [predictor.predict(image, camera_of(image)).depth for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: predictor.predict(image, camera_of(image)).depth, images))
    for expected, actual in zip(alone, together, strict=True):
        np.testing.assert_array_equal(expected, actual)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_for_throughput_predictions_run_side_by_side_with_the_same_result(
    color_student, backend, monkeypatch
):
    pytest.importorskip(backend)
    images = [np.full((40 + i, 120, 3), 20 * i, np.uint8) for i in range(12)]
    predictor = Predictor(color_student, backend, threads=3)
    alone = [predictor.predict(image, camera_of(image)) for image in images]
    all_inside = threading.Barrier(3, timeout=20)

    def postprocess_together(*arguments):
        all_inside.wait()
        return postprocess(*arguments)

    monkeypatch.setattr("adu_depth_core.inference.predictor.postprocess", postprocess_together)
    beside_others = predictor.for_throughput()
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda image: beside_others.predict(image, camera_of(image)), images))
    assert beside_others.backend_name == backend
    for expected, actual in zip(alone, together, strict=True):
        np.testing.assert_allclose(actual.depth, expected.depth, rtol=1e-6)
        np.testing.assert_allclose(actual.sigma, expected.sigma, rtol=1e-6)


def test_a_failed_prediction_leaves_the_predictor_to_the_next(predictor):
    image = np.zeros((64, 192, 3), np.uint8)
    for _ in range(3):
        with pytest.raises(ValueError, match="float32"):
            predictor.predict(image.astype(np.float32), camera_of(image))
    predictor.predict(image, camera_of(image))


def image_sized(width, height):
    return np.full((height, width, 3), 50, np.uint8)


def test_network_size_suits_each_camera_unless_given(color_student):
    predictor = Predictor(color_student)
    assert (predictor.network_size, predictor.network_sizes) == ((64, 192), [])  # ready for the card's size
    for image, size in ((image_sized(640, 480), (96, 128)), (image_sized(576, 192), (64, 192))):
        prediction = predictor.predict(image, camera_of(image), output_size="network")
        assert prediction.depth.shape == size == prediction.camera.size == predictor.network_size
    assert predictor.network_sizes == [(96, 128), (64, 192)]


def test_a_given_network_size_stays(color_student):
    predictor = Predictor(color_student, network_size=(96, 128))
    for image in (image_sized(640, 480), image_sized(1242, 375)):
        predictor.predict(image, camera_of(image))
    assert predictor.network_sizes == [(96, 128)]


def test_a_file_of_one_size_keeps_it_and_a_wasted_border_is_told_once(tmp_path, write_color_student, caplog):
    model = write_color_student(tmp_path / "m.onnx", extra={"input_shape": [1, 3, 64, 192]})
    predictor = Predictor(model)
    image = image_sized(640, 480)
    for _ in range(3):
        prediction = predictor.predict(image, camera_of(image), output_size="network")
    assert prediction.depth.shape == (64, 85)
    assert caplog.text.count("suits this camera better") == 1
    assert "96x128" in caplog.text
    predictor.for_throughput().predict(image, camera_of(image))
    assert caplog.text.count("suits this camera better") == 1


def test_few_sizes_stay_loaded(color_student, monkeypatch):
    predictor = Predictor(color_student)
    loads = []
    load = Predictor._load
    monkeypatch.setattr(Predictor, "_load", lambda self, size: loads.append(size) or load(self, size))
    images = [image_sized(*size) for size in ((640, 480), (480, 640), (1242, 375), (500, 100), (100, 600))]
    sizes = [fit_network_size(camera_of(image), predictor.card) for image in images]
    for image in (*images, images[-1], images[0]):
        predictor.predict(image, camera_of(image))
    assert loads == [*sizes, sizes[0]]  # the last is still cached, the first is not
    assert len(predictor._loaded) == MAX_SIZES


def test_each_size_is_loaded_once_for_all_threads(color_student, monkeypatch):
    predictor = Predictor(color_student).for_throughput()
    loads = []
    load = Predictor._load
    monkeypatch.setattr(Predictor, "_load", lambda self, size: loads.append(size) or load(self, size))
    images = 6 * [image_sized(640, 480), image_sized(480, 640)]
    with ThreadPoolExecutor(4) as pool:
        predictions = list(pool.map(lambda image: predictor.predict(image, camera_of(image)), images))
    assert sorted(loads) == [(96, 128), (128, 96)]
    assert [prediction.depth.shape for prediction in predictions] == [image.shape[:2] for image in images]


def test_the_network_is_told_the_camera_of_its_whole_input(tmp_path, write_color_student):
    """This student's novelty is (fx + 10 * fy + 100 * cx + 1000 * cy) / 1000."""
    novelty = {"threshold": 0.5, "fault_threshold": 5.0, "sigma_growth": 0.0, "reference": 1.0}
    predictor = Predictor(write_color_student(tmp_path / "m.onnx", novelty=novelty), network_size=(64, 192))
    image = np.zeros((64, 96, 3), np.uint8)  # centred in 192 columns: 48 to its left
    camera = Camera(1000.0, 2000.0, 40.0, 30.0, 96, 64)
    prediction = predictor.predict(image, camera)
    expected = 1.0 + 20.0 + 8.8 + 30.0
    assert prediction.novelty == pytest.approx(expected, rel=1e-5)
    assert prediction.unfamiliar


def test_the_choice_of_backend_is_kept_with_its_reason(predictor, color_student):
    assert (predictor.backend_name, predictor.model_path) == ("openvino", color_student)
    assert predictor.backend_reason.startswith("first installed of")
    assert Predictor(color_student, "openvino").backend_reason == "requested by name"


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.onnx does not exist"):
        Predictor(tmp_path / "nothing.onnx")


def test_a_missing_card_is_named(tmp_path, color_student):
    (tmp_path / "m.onnx").write_bytes(color_student.read_bytes())
    with pytest.raises(UserError, match=r"model card .*m\.json does not exist"):
        Predictor(tmp_path / "m.onnx")


def test_the_card_of_another_model_is_refused(tmp_path, write_color_student):
    model = write_color_student(tmp_path / "m.onnx")
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(UserError, match=r"m\.onnx is not the file its model card was written for"):
        Predictor(model)


def test_a_teacher_is_refused(tmp_path, write_color_student):
    model = write_color_student(tmp_path / "m.onnx", role="teacher")
    with pytest.raises(UserError, match="is a teacher"):
        Predictor(model)


def test_a_network_size_that_does_not_fit_is_refused(color_student):
    with pytest.raises(UserError, match="nearest is 96x192"):
        Predictor(color_student, network_size=(100, 200))
