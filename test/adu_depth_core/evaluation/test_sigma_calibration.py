"""The uncertainty scale, and the scale it is evaluated with."""

import numpy as np
import pytest

from adu_depth_core.evaluation.sigma_calibration import Calibration, judged_sigma
from adu_depth_core.model_card import ModelCard

SCALES = {"a": 1.0, "b": 2.0, "c": 1.5}


def card(calibration: Calibration | None, sigma_scale: float = 1.5) -> ModelCard:
    training = {"calibration": calibration.to_card()} if calibration else {}
    return ModelCard("m", "student", "none", 64, 96, 100.0, 1.0, 80.0, sigma_scale, training=training)


def test_the_scale_is_the_mean_over_frames_and_over_the_others():
    calibration = Calibration("kitti2015", SCALES)
    assert calibration.sigma_scale == pytest.approx(1.5)
    assert calibration.sigma_scale_without("kitti2015", "b") == pytest.approx(1.25)
    assert calibration.sigma_scale_without("kitti2015", "elsewhere") == pytest.approx(1.5)
    assert calibration.sigma_scale_without("synthetic", "b") == pytest.approx(1.5)


def test_a_calibration_comes_back_from_its_card():
    scales = {("kitti2015", name): scale for name, scale in SCALES.items()} | {("rig", "d"): 1.0}
    calibration = Calibration.fit("kitti2015", scales, [("kitti2015", "b"), ("rig", "d")])
    assert calibration.pseudo == ("b", "rig/d")
    assert Calibration.of(ModelCard.from_json(card(calibration).to_json())) == calibration
    assert Calibration.of(card(None)) is None


def test_a_calibration_frame_is_judged_with_the_scale_fitted_without_it():
    sigma = np.full((2, 3), 3.0, np.float32)
    fitted = card(Calibration("kitti2015", SCALES))
    np.testing.assert_allclose(judged_sigma(fitted, "kitti2015", "b", sigma), 3.0 * 1.25 / 1.5, rtol=1e-6)


def test_frames_of_several_data_sets_are_told_apart():
    frames = {("kitti2015", "b"): 1.0, ("rig", "b"): 2.0, ("rig", "c"): 3.0}
    calibration = Calibration.fit("kitti2015", frames)
    assert calibration.scales == {"b": 1.0, "rig/b": 2.0, "rig/c": 3.0}
    assert [calibration.covers("kitti2015", frame) for frame in "bc"] == [True, False]
    sigma = np.full((2, 3), 3.0, np.float32)
    fitted = card(calibration, sigma_scale=2.0)
    for (dataset, frame), without in zip(frames, (2.5, 2.0, 1.5), strict=True):
        np.testing.assert_allclose(judged_sigma(fitted, dataset, frame, sigma), 3.0 * without / 2.0)


@pytest.mark.parametrize(("dataset", "frame"), [("kitti2015", "new"), ("synthetic", "b")])
def test_any_other_frame_is_judged_with_the_models_scale(dataset, frame):
    sigma = np.full((2, 3), 3.0, np.float32)
    assert judged_sigma(card(Calibration("kitti2015", SCALES)), dataset, frame, sigma) is sigma
    assert judged_sigma(card(None), dataset, frame, sigma) is sigma


def test_one_frame_is_too_few():
    with pytest.raises(ValueError, match="two or more frames"):
        Calibration("kitti2015", {"a": 1.0})
