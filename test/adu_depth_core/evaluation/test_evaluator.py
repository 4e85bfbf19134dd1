import pickle

import numpy as np
import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.metrics import depth_metrics
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.sparsification import METRICS, aurg, ause
from adu_depth_core.evaluation.uncertainty import LEVELS, calibration_area, coverage_curve


def frame(seed, shape=(20, 30)):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(2.0, 100.0, shape).astype(np.float32)  # some beyond the cap
    truth[rng.random(shape) < 0.5] = 0.0
    sigma = rng.uniform(0.5, 4.0, shape).astype(np.float32)
    depth = np.maximum(truth + rng.normal(0, sigma), 1.0).astype(np.float32)
    return truth, depth, sigma


def test_means_are_over_images_not_over_pixels():
    evaluator = Evaluator(Protocol())
    for name, pixels, depth in (("small", 1, 11.0), ("large", 100, 13.0)):
        truth = np.zeros((10, 10))
        truth.flat[:pixels] = 10.0
        evaluator.add(name, truth, np.full((10, 10), depth))
    summary = evaluator.summary()
    assert summary.metrics["abs_rel"] == pytest.approx((0.1 + 0.3) / 2)
    assert [(frame.name, frame.pixels) for frame in summary.frames] == [("small", 1), ("large", 100)]
    np.testing.assert_allclose(summary.column("abs_rel"), [0.1, 0.3])


def test_the_protocol_is_applied():
    protocol = Protocol(cap=50.0, crop="garg")
    evaluator = Evaluator(protocol)
    truth, depth, _ = frame(0)
    result = evaluator.add("frame", truth, depth)
    mask = protocol.mask(truth)
    assert result.pixels == mask.sum() < (truth > 0).sum()
    assert result.metrics == pytest.approx(depth_metrics(protocol.clamp(depth), truth, mask))


def test_a_prediction_beyond_the_cap_counts_as_the_cap():
    evaluator = Evaluator(Protocol(cap=50.0))
    result = evaluator.add("frame", np.full((2, 2), 40.0), np.full((2, 2), 500.0))
    assert result.metrics["abs_rel"] == pytest.approx(0.25)


def test_curves_are_means_over_images_and_the_summary_follows_from_them():
    evaluator, protocol = Evaluator(Protocol()), Protocol()
    frames = [frame(seed) for seed in range(3)]
    for index, (truth, depth, sigma) in enumerate(frames):
        evaluator.add(str(index), truth, depth, sigma)
    summary = evaluator.summary()
    coverage = np.mean(
        [coverage_curve(protocol.clamp(d), s, g, protocol.mask(g)) for g, d, s in frames], axis=0
    )
    np.testing.assert_allclose(summary.curves["coverage"], coverage)
    assert summary.metrics["calibration_area"] == calibration_area(summary.curves["coverage"])
    at_half = summary.curves["coverage"][np.searchsorted(LEVELS, 0.5)]
    assert summary.metrics["coverage_50"] == pytest.approx(at_half)
    for metric in METRICS:  # area is linear: the mean curve's area is the mean of the areas
        by_sigma, by_oracle = summary.curves[f"{metric}_by_sigma"], summary.curves[f"{metric}_by_oracle"]
        assert summary.metrics[f"ause_{metric}"] == pytest.approx(ause(by_sigma, by_oracle))
        assert summary.metrics[f"aurg_{metric}"] == pytest.approx(aurg(by_sigma))


def test_without_sigma_there_are_depth_metrics_only():
    evaluator = Evaluator(Protocol())
    truth, depth, sigma = frame(0)
    evaluator.add("first", truth, depth)
    summary = evaluator.summary()
    assert set(summary.metrics) == set(depth_metrics(depth, truth, Protocol().mask(truth)))
    assert summary.curves == {}
    with pytest.raises(ValueError, match="frame second: either all frames have sigma, a baseline and"):
        evaluator.add("second", truth, depth, sigma)
    assert len(evaluator.summary().frames) == 1


def test_a_frame_without_ground_truth_is_skipped_and_named():
    evaluator = Evaluator(Protocol())
    truth, depth, sigma = frame(0)
    assert evaluator.add("empty", np.zeros_like(truth), depth, sigma) is None
    evaluator.add("full", truth, depth, sigma)
    summary = evaluator.summary()
    assert summary.skipped == ["empty"]
    assert [frame.name for frame in summary.frames] == ["full"]


def test_no_ground_truth_at_all_is_an_error_that_states_the_protocol():
    evaluator = Evaluator(Protocol(cap=5.0))
    evaluator.add("far", np.full((2, 2), 40.0), np.ones((2, 2)))
    with pytest.raises(UserError, match=r"no ground truth counts in any of 1 frames: .*5 m"):
        evaluator.summary()


def test_a_summary_can_be_taken_at_any_time():
    evaluator = Evaluator(Protocol())
    evaluator.add("a", *frame(0))
    early = evaluator.summary()
    evaluator.add("b", *frame(1))
    assert len(early.frames) == 1
    assert len(evaluator.summary().frames) == 2


def test_a_broken_prediction_is_an_error_and_never_left_out():
    truth, depth, sigma = frame(0)
    depth[:] = np.nan
    with pytest.raises(ValueError, match="prediction is not a positive number"):
        Evaluator(Protocol()).add("frame", truth, depth, sigma)


def test_memory_does_not_grow_with_the_images():
    def held(shape):
        evaluator = Evaluator(Protocol())
        for seed in range(3):
            evaluator.add(str(seed), *frame(seed, shape))
        return len(pickle.dumps(evaluator))

    assert held((200, 300)) == pytest.approx(held((20, 30)), abs=100)


def test_disparity_is_measured_where_there_is_a_rig_and_knows_no_cap():
    truth = np.array([[10.0, 100.0, 0.0, np.inf]], np.float32)
    depth = np.array([[8.0, 200.0, 5.0, 5.0]], np.float32)
    evaluator = Evaluator(Protocol(cap=80.0))
    result = evaluator.add("a", truth, depth, focal_times_baseline=400.0)
    assert result.pixels == 1  # for the depth metrics: the other pixel is beyond the cap
    assert result.metrics["epe"] == pytest.approx((10 + 2) / 2)  # 40 px for 50, 4 px for 2
    assert result.metrics["d1_all"] == pytest.approx(50.0)
    with pytest.raises(ValueError, match="either all frames have sigma, a baseline and"):
        evaluator.add("b", truth, depth)
