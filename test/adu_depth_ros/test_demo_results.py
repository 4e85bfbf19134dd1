import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_ros.demo.results import Judge, Result


def result(depth, truth, sigma=1.0, latency_ms=10.0, whole=None):
    depth = np.array([depth], np.float32)
    return Result(
        image=np.zeros((*depth.shape, 3), np.uint8),
        depth=depth,
        sigma=np.broadcast_to(np.float32(sigma), depth.shape),
        truth=None if truth is None else np.array([truth], np.float32),
        latency_ms=latency_ms,
        whole=None if whole is None else prediction(whole, sigma),
    )


def prediction(depth, sigma):
    depth = np.array([depth], np.float32)
    camera = Camera(50.0, 50.0, 0.0, 0.0, depth.shape[1], 1)
    return Prediction(depth, np.full(depth.shape, sigma, np.float32), camera)


def figures(*results, frames_played=None):
    judge = Judge()
    for each in results:
        judge.add(each)
    return judge.figures(len(results) if frames_played is None else frames_played)


def test_errors_are_relative_to_the_truth_and_averaged_over_frames():
    found = figures(result([11.0, 9.0], [10.0, 10.0]), result([20.0, 26.0], [20.0, 20.0]))
    assert found["abs_rel"] == pytest.approx((0.1 + 0.15) / 2)
    assert found["rmse"] == pytest.approx((1.0 + 18**0.5) / 2)


def test_coverage_counts_errors_within_sigma():
    assert figures(result([11.0, 13.0, 10.0, 6.0], [10.0] * 4, sigma=2.0))["coverage_1sigma"] == 0.5


def test_pixels_without_an_answer_are_left_out_but_counted():
    found = figures(result([np.nan, 11.0], [10.0, 10.0]), result([np.nan, np.nan], [10.0, 10.0]))
    assert found["abs_rel"] == pytest.approx(0.1)
    assert found["answered_share"] == pytest.approx((0.5 + 0.0) / 2)


def test_withheld_pixels_are_in_the_figures_of_all_pixels():
    found = figures(result([np.nan, 11.0], [10.0, 10.0], whole=[15.0, 11.0], sigma=2.0))
    assert found["abs_rel"] == pytest.approx(0.1)
    assert found["answered_share"] == 0.5
    assert found["all_pixels"]["abs_rel"] == pytest.approx((0.5 + 0.1) / 2)
    assert (found["coverage_1sigma"], found["all_pixels"]["coverage_1sigma"]) == (1.0, 0.5)


def test_sky_does_not_count_and_beyond_range_is_the_cap():
    assert figures(result([3.0, np.inf], [np.inf, 64.0]))["abs_rel"] == pytest.approx((80 - 64) / 64)


def test_without_truth_there_is_no_accuracy():
    found = figures(result([11.0], None))
    assert found["frames_out"] == 1
    assert [found[name] for name in ("abs_rel", "coverage_1sigma", "answered_share", "protocol")] == [
        None
    ] * 4


def test_frames_that_did_not_come_back_are_dropped():
    found = figures(*[result([1.0], None, latency_ms=i) for i in range(1, 102)], frames_played=110)
    assert (found["frames_in"], found["frames_out"], found["frames_dropped"]) == (110, 101, 9)
    assert (found["latency_p50_ms"], found["latency_p99_ms"]) == (51.0, 100.0)
