"""Evaluation sets must contain ground truth."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.judged_sets import evaluate
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.subject import Subject

CAMERA = Camera(100.0, 100.0, 9.5, 4.5, 20, 10)
IMAGE = np.zeros((10, 20, 3), np.uint8)
DEPTH = np.full((10, 20), 10.0, np.float32)
TEN_METRES = Subject("ten metres", "", None, None, "none", "none", True, lambda sample: (DEPTH, None))


def test_disparity_is_judged_where_the_baseline_is_known():
    alone = evaluate(TEN_METRES, "drive", [Sample("a", IMAGE, None, DEPTH, CAMERA, None)], Protocol())
    pair = evaluate(TEN_METRES, "drive", [Sample("a", IMAGE, IMAGE, DEPTH, CAMERA, 0.5)], Protocol())
    assert set(pair.metrics) - set(alone.metrics) == {"epe", "d1_all"}
    assert pair.metrics["epe"] == pytest.approx(0.0)


def test_a_frame_without_ground_truth_is_named():
    unlabelled = Sample("000007", IMAGE, IMAGE, None, CAMERA, 0.5)
    with pytest.raises(UserError, match="frame 000007 of drive has no ground truth"):
        evaluate(TEN_METRES, "drive", [unlabelled], Protocol())
