"""Frames come out in order with the same metrics for any number of parallel predictions."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from adu_depth_core.bags.frames import BagFrame
from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.replay.model_replay import ALONE, Replay

CAMERA = Camera(350.0, 350.0, 95.5, 31.5, 192, 64)
FRAMES = ALONE + 12


@pytest.fixture(scope="module")
def predictor(color_student):
    return Predictor(color_student, "onnxruntime")


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    scene = rng.integers(100, 200, (64, 192, 3), np.uint8)  # static enough for frame-to-frame comparison
    return [
        BagFrame(
            index=i,
            stamp_ns=i * 100_000_000,
            frame_id="camera",
            image=scene + np.uint8(i % 3),
            camera=CAMERA,
            truth=rng.uniform(2, 60, (64, 192)).astype(np.float32),
            right=None,
            baseline=None,
            world_from_camera=None,
        )
        for i in range(FRAMES)
    ]


def run(predictors, frames, stop=lambda: False, stabilise=False):
    return list(Replay(predictors, Protocol(), stabilise=stabilise).run(iter(frames), stop))


def test_each_frame_is_measured_against_the_one_before_it(predictor, frames, monkeypatch):
    side_by_side = run([predictor], frames)
    monkeypatch.setattr("adu_depth_core.replay.model_replay.ALONE", FRAMES)
    one_by_one = run([predictor], frames)
    assert [frame.index for frame, _ in side_by_side] == list(range(FRAMES))
    for (_, (expected,)), (_, (actual,)) in zip(one_by_one, side_by_side, strict=True):
        assert actual.whole.frame.metrics == pytest.approx(expected.whole.frame.metrics, rel=1e-6)
        assert set(actual.changes) == (
            set() if actual.predicted.frame.index == 0 else {"instability", "flicker"}
        )
        assert actual.changes == pytest.approx(expected.changes, rel=1e-4)
        assert all(change > 0 for change in actual.changes.values())


def test_only_frames_with_nothing_beside_them_have_a_latency(predictor, frames):
    latencies = [measured.predicted.latency_ms for _, (measured,) in run([predictor], frames)]
    assert all(latency > 0 for latency in latencies[:ALONE])
    assert latencies[ALONE:] == [None] * (FRAMES - ALONE)


def test_models_do_not_get_into_each_others_frames(predictor, frames, write_color_student, tmp_path):
    other = Predictor(write_color_student(tmp_path / "other.onnx", f_ref=700.0), "onnxruntime")
    for _, (first, second) in run([predictor, other], frames):
        ratio = first.predicted.prediction.depth / second.predicted.prediction.depth
        assert np.median(ratio) == pytest.approx(2, rel=1e-4)


def test_each_model_is_judged_alone_and_stabilised(predictor, frames, monkeypatch):
    """Frames of a static vehicle are stabilised in order for any number of parallel predictions."""
    side_by_side = run([predictor, predictor], frames, stabilise=True)
    alone = run([predictor], frames)
    monkeypatch.setattr("adu_depth_core.replay.model_replay.ALONE", FRAMES)
    one_by_one = run([predictor, predictor], frames, stabilise=True)
    flicker = []
    for (_, reference), (_, expected), (_, actual) in zip(alone, one_by_one, side_by_side, strict=True):
        assert len(expected) == len(actual) == 4
        for a, b in zip(expected, actual, strict=True):
            assert b.whole.frame.metrics == pytest.approx(a.whole.frame.metrics, rel=1e-5)
            assert b.predicted.unfused == a.predicted.unfused
        np.testing.assert_array_equal(
            actual[0].predicted.prediction.depth, reference[0].predicted.prediction.depth
        )
        assert actual[1].predicted.unfused == ("first frame" if actual[0].predicted.frame.index == 0 else "")
        flicker.append([m.changes.get("instability", np.nan) for m in actual])
    means = np.nanmean(flicker, axis=0)
    assert means[1] < 0.7 * means[0]


@pytest.mark.parametrize("count", [1, ALONE, ALONE + 5])
def test_a_stopped_run_gives_every_frame_that_was_begun(predictor, frames, count):
    asked = []

    def stop():
        asked.append(None)
        return len(asked) == count

    assert [frame.index for frame, _ in run([predictor], frames, stop)] == list(range(count))


def test_an_error_on_any_thread_ends_the_run(predictor, frames):
    unusable = dataclasses.replace(frames[ALONE + 3], image=frames[0].image.astype(np.float32))
    with pytest.raises(ValueError, match="float32"):
        run([predictor], [*frames[: ALONE + 3], unusable, *frames[ALONE + 4 :]])

    def cut_short():
        yield from frames[: ALONE + 5]
        raise UserError("the bag is damaged")

    with pytest.raises(UserError, match="damaged"):
        run([predictor], cut_short())
