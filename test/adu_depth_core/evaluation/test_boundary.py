import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from adu_depth_core.evaluation.boundary import THRESHOLDS, boundary_f1, measure_boundaries
from adu_depth_core.evaluation.evaluator import Evaluator
from adu_depth_core.evaluation.protocol import Protocol

EVERYWHERE = np.ones((40, 60), bool)


def street(seed: int) -> np.ndarray:
    """A wall at some distance with boxes in front."""
    rng = np.random.default_rng(seed)
    depth = np.full((40, 60), 40.0)
    for distance in sorted(rng.uniform(4, 35, 6), reverse=True):
        top, left = rng.integers(0, 30), rng.integers(0, 50)
        depth[top : top + rng.integers(4, 12), left : left + rng.integers(4, 15)] = distance
    return depth


def as_published(prediction: np.ndarray, truth: np.ndarray) -> float:
    """The paper's formulas, one threshold and direction at a time."""
    scores = []
    for t in THRESHOLDS:
        precision, recall = [], []
        for a, b in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
            for j, i in ((a, b), (b, a)):
                contour_p, contour_g = prediction[j] / prediction[i] > t, truth[j] / truth[i] > t
                hits = np.count_nonzero(contour_p & contour_g)
                precision.append(hits / max(1, np.count_nonzero(contour_p)))
                recall.append(hits / max(1, np.count_nonzero(contour_g)))
        p, r = np.mean(precision), np.mean(recall)
        scores.append(2 * p * r / (p + r) if p + r else 0.0)
    return np.average(scores, weights=THRESHOLDS)


@given(st.integers(0, 1000))
def test_a_perfect_prediction_has_1(seed):
    truth = street(seed)
    assert boundary_f1(truth, truth, EVERYWHERE) == pytest.approx(1)


@given(st.integers(0, 1000), st.floats(0.05, 20))
def test_scale_does_not_matter(seed, scale):
    truth, prediction = street(seed), cv2.GaussianBlur(street(seed), (0, 0), 0.6)
    found = boundary_f1(prediction, truth, EVERYWHERE)
    assert boundary_f1(scale * prediction, truth, EVERYWHERE) == pytest.approx(found, abs=1e-6)
    assert boundary_f1(prediction, scale * truth, EVERYWHERE) == pytest.approx(found, abs=1e-6)


@given(st.integers(0, 1000))
def test_the_more_blurred_the_lower(seed):
    truth = street(seed)
    scores = [
        boundary_f1(cv2.GaussianBlur(truth, (0, 0), blur) if blur else truth, truth, EVERYWHERE)
        for blur in (0.0, 0.5, 1.0, 3.0)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[1] > scores[3]


@settings(max_examples=50)
@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 2))
def test_it_is_the_published_measure(seed, other, blur):
    truth, prediction = street(seed), 0.5 * street(seed) + 0.5 * street(other)
    if blur > 0.3:
        prediction = cv2.GaussianBlur(prediction, (0, 0), blur)
    # Both have contours in each direction: otherwise the paper's formula counts it as 0.
    for axis in (0, 1):
        for step in (np.diff(np.log(truth), axis=axis), -np.diff(np.log(truth), axis=axis)):
            assume((step > np.log(1.26)).any())
    assert boundary_f1(prediction, truth, EVERYWHERE) == pytest.approx(as_published(prediction, truth))


@given(st.integers(0, 1000))
def test_a_flat_prediction_has_no_edge(seed):
    assert boundary_f1(np.full((40, 60), 9.0), street(seed), EVERYWHERE) == 0


def test_an_edge_one_pixel_off_is_missed():
    truth = np.where(np.arange(60) < 20, 5.0, 10.0)[None].repeat(40, 0)
    assert boundary_f1(np.roll(truth, 1, axis=1)[:, 1:-1], truth[:, 1:-1], EVERYWHERE[:, 2:]) == 0


def test_the_nearer_side_matters():
    truth = np.where(np.arange(60) < 20, 5.0, 10.0)[None].repeat(40, 0)
    assert boundary_f1(50 / truth, truth, EVERYWHERE) == 0


def test_without_a_contour_there_is_no_figure():
    slope = np.linspace(10, 11, 60)[None].repeat(40, 0)
    assert boundary_f1(street(0), slope, EVERYWHERE) is None


def test_pairs_with_an_unknown_pixel_do_not_count():
    truth = street(3)
    known = np.random.default_rng(0).random(truth.shape) > 0.03
    holes = np.where(known, truth, 0.0)
    assert boundary_f1(truth, holes, known) == pytest.approx(1)


def test_the_sky_is_at_the_cap_and_sparse_truth_is_refused():
    truth, protocol = street(5), Protocol(cap=80.0)
    truth[truth == 40.0] = np.inf
    seen = np.where(np.isinf(truth), 300.0, truth)
    assert measure_boundaries(protocol, truth, seen) == pytest.approx(1)
    truth[:, ::7] = 0
    assert measure_boundaries(protocol, truth, seen) is None


def test_the_evaluator_measures_it_where_the_truth_is_dense():
    evaluator, truth = Evaluator(Protocol()), street(7).astype(np.float32)
    sparse = np.where(np.arange(truth.size).reshape(truth.shape) % 2, truth, 0)
    assert evaluator.add("dense", truth, truth).metrics["boundary_f1"] == pytest.approx(1)
    assert "boundary_f1" not in evaluator.add("sparse", sparse, truth).metrics
    assert evaluator.summary().metrics["boundary_f1"] == pytest.approx(1)
