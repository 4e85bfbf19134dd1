"""Batching across threads: outputs equal those of single images, and each thread gets its own."""

import logging
import threading

import numpy as np
import pytest

pytest.importorskip("openvino", reason="needs an inference runtime")
from adu_depth_core.camera import Camera
from adu_depth_core.inference.backends.openvino import OpenVINOBackend
from adu_depth_core.inference.predictor import Predictor

COUNT, SIZE = 3, (64, 192)
CAMERAS = [Camera(focal, focal, 90.0, 30.0, 192, 64) for focal in (100.0, 150.0, 220.0)]


@pytest.fixture
def batches(monkeypatch):
    """Sizes of the batches that OpenVINO runs, declared as a runtime that benefits from batching."""
    monkeypatch.setattr(OpenVINOBackend, "gains_by_batches", True)
    sizes = []
    run = OpenVINOBackend.run

    def noting(self, image, camera):
        sizes.append(len(image))
        return run(self, image, camera)

    monkeypatch.setattr(OpenVINOBackend, "run", noting)
    return sizes


def images(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, *SIZE, 3), np.uint8)


def concurrently(predictor, frames):
    """Predictions for each thread's frames, and the errors."""
    results = [[] for _ in frames]
    start = threading.Barrier(len(frames))

    def work(index):
        start.wait()
        for image in frames[index]:
            try:
                results[index].append(predictor.predict(image, CAMERAS[index]))
            except RuntimeError as error:
                results[index].append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(frames))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


def test_each_thread_gets_the_output_of_its_own_image(batches, shipped_model):
    frames = [images(12, seed) for seed in range(COUNT)]
    predictor = Predictor(shipped_model, "openvino", SIZE, threads=1, batch=COUNT)
    assert predictor.images_at_once == COUNT
    batches.clear()
    results = concurrently(predictor, frames)
    assert set(batches) >= {COUNT}, batches
    assert sum(batches) >= COUNT * 12
    single = Predictor(shipped_model, "openvino", SIZE, threads=1)
    for own, camera, given in zip(frames, CAMERAS, results, strict=True):
        for image, prediction in zip(own, given, strict=True):
            expected = single.predict(image, camera)
            np.testing.assert_allclose(prediction.depth, expected.depth, rtol=1e-3)
            np.testing.assert_allclose(prediction.sigma, expected.sigma, rtol=1e-3)
            assert prediction.novelty == pytest.approx(expected.novelty, rel=1e-3)


def test_one_image_alone_does_not_wait_for_others(batches, shipped_model):
    predictor = Predictor(shipped_model, "openvino", SIZE, threads=1, batch=COUNT)
    batches.clear()
    predictor.predict(images(1, 0)[0], CAMERAS[0])
    assert batches == [1]


def test_a_run_that_fails_fails_for_its_images_and_the_next_works(batches, shipped_model, monkeypatch):
    predictor = Predictor(shipped_model, "openvino", SIZE, threads=1, batch=COUNT)
    run, failed = OpenVINOBackend.run, []

    def failing(self, image, camera):
        if len(image) == COUNT and not failed:
            failed.append(True)
            raise RuntimeError("out of memory")
        return run(self, image, camera)

    monkeypatch.setattr(OpenVINOBackend, "run", failing)
    results = concurrently(predictor, [images(12, seed) for seed in range(COUNT)])
    errors = [result for given in results for result in given if isinstance(result, RuntimeError)]
    assert 2 <= len(errors) <= COUNT
    assert all(len(given) == 12 and not isinstance(given[-1], RuntimeError) for given in results)


def test_a_runtime_that_does_not_gain_is_not_loaded_for_batches(shipped_model):
    assert not OpenVINOBackend.gains_by_batches
    assert Predictor(shipped_model, "openvino", SIZE, threads=1, batch=COUNT).images_at_once == 1


def test_a_model_of_one_image_runs_one_after_another_and_says_what_to_do(
    batches, write_color_student, tmp_path, caplog
):
    model = write_color_student(tmp_path / "fixed.onnx", extra={"input_shape": [1, 3, *SIZE]})
    with caplog.at_level(logging.INFO):
        predictor = Predictor(model, "openvino", threads=1, batch=COUNT)
    assert predictor.images_at_once == 1
    assert "takes 1 image at once" in caplog.text
    assert "--batch dynamic" in caplog.text
