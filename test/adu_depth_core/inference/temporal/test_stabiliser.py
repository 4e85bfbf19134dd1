import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.temporal import stabiliser
from adu_depth_core.inference.temporal.fusion import FusionOptions, first_state, fuse, grey_image
from adu_depth_core.inference.temporal.stabiliser import TemporalFusion
from adu_depth_core.inference.temporal.warp import backward_warp

CAMERA = Camera(200.0, 200.0, 79.5, 31.5, 160, 64)
IMAGE = np.random.default_rng(0).integers(0, 255, (64, 160, 3), np.uint8)
FAR = 100.0
FRAME_NS = 100_000_000


def prediction(depth, relative_sigma=0.1, camera=CAMERA):
    depth = np.broadcast_to(np.asarray(depth, np.float32), camera.size).copy()
    return Prediction(depth, np.float32(relative_sigma) * depth, camera)


def stands(before_ns, now_ns):
    return np.eye(4)


def ahead(step):
    motion = np.eye(4)
    motion[2, 3] = step
    return lambda before_ns, now_ns: motion


def run(frames, motion=stands, images=None, **options):
    """The last output for a sequence of predictions."""
    fusion = TemporalFusion(FAR, FusionOptions(**options))
    for i, frame in enumerate(frames):
        image = IMAGE if images is None else images[i]
        answer = fusion.update(frame, image, (i + 1) * FRAME_NS, motion)
    return answer


def test_the_first_frame_passes_unchanged():
    frame = prediction(10.0)
    answer = run([frame])
    assert answer.prediction is frame
    assert answer.unfused == stabiliser.FIRST


@settings(max_examples=30, deadline=None)
@given(depth=st.floats(1.0, 99.0), relative_sigma=st.floats(0.02, 0.5))
def test_a_static_camera_whose_predictions_agree_keeps_them(depth, relative_sigma):
    answer = run([prediction(depth, relative_sigma)] * 4)
    np.testing.assert_allclose(answer.prediction.depth, depth, rtol=1e-5)


def test_noise_between_frames_is_averaged():
    rng = np.random.default_rng(1)
    noise = [rng.normal(0, 0.02, CAMERA.size) for _ in range(10)]
    answer = run([prediction(10 * np.exp(e)) for e in noise])
    error = np.log(answer.prediction.depth / 10)
    assert answer.unfused == ""
    assert answer.fused_share > 0.95
    assert error.std() < 0.6 * noise[-1].std()


def test_depth_of_a_static_scene_follows_the_vehicle():
    grey = [np.full((64, 160, 3), 90, np.uint8)] * 6
    answer = run([prediction(20.0 - i) for i in range(6)], ahead(1.0), grey)
    np.testing.assert_allclose(answer.prediction.depth, 15.0, rtol=1e-3)
    assert answer.fused_share > 0.95


def test_a_vehicle_that_drives_ahead_at_our_speed_does_not_come_nearer():
    """Its depth stays constant where a static surface's would shrink: by less than the gate per frame, but
    with a consistent sign."""
    depth = np.full(CAMERA.size, 60.0, np.float32)
    depth[16:48, 60:100] = 20.0
    rng = np.random.default_rng(2)
    frames = [prediction(depth * np.exp(rng.normal(0, 0.01, CAMERA.size)), 0.06) for _ in range(15)]
    plain = [np.full((64, 160, 3), 90, np.uint8)] * 15

    def bias(**options):
        car = run(frames, ahead(1.2), plain, **options).prediction.depth[20:44, 64:96]
        return np.mean(car / 20) - 1

    assert bias(drift_gate=1e6) < -0.025  # pulled towards the position of a static one
    assert abs(bias()) < 0.01


def test_an_object_that_came_into_view_keeps_its_own_depth():
    now = np.full(CAMERA.size, 40.0, np.float32)
    now[20:40, 50:80] = 8.0
    answer = run([prediction(40.0), prediction(now)])
    np.testing.assert_allclose(answer.prediction.depth[20:40, 50:80], 8.0, rtol=1e-3)
    np.testing.assert_allclose(answer.prediction.depth[:15], 40.0, rtol=1e-3)


def test_where_the_image_changed_carried_depth_does_not_count():
    changed = IMAGE.copy()
    changed[20:40, 50:80] = 255
    answer = run([prediction(10.0), prediction(10.3)], images=[IMAGE, changed])
    np.testing.assert_allclose(answer.prediction.depth[24:36, 54:76], 10.3, rtol=1e-5)
    assert np.all(answer.prediction.depth[:15] < 10.25)


def test_a_change_of_exposure_alone_does_not_stop_the_fusion():
    dark = np.clip(IMAGE // 2, 0, 255)
    assert run([prediction(10.0), prediction(10.1)], images=[dark, dark + 40]).fused_share > 0.95


def test_an_object_that_moves_with_the_image_is_masked():
    """Its texture stays in place, although its depth implies that it should grow."""
    rng = np.random.default_rng(3)
    now = rng.integers(0, 255, (64, 160), np.uint8)
    motion = ahead(3.0)
    grey = grey_image(now, 160, 64)
    before = first_state(
        np.full(CAMERA.size, 20.0, np.float32), np.full(CAMERA.size, 2.0, np.float32), grey, FusionOptions()
    )
    depth = np.full(CAMERA.size, 20.0, np.float32)
    warp = backward_warp(depth, CAMERA, motion(0, 1))
    fused = fuse(before, depth, depth / 10, grey, warp, 0.0, FAR, FusionOptions())
    assert np.mean(fused.weight[:, :40] > 0) < 0.05  # far off axis, where pixels would have moved


def test_the_border_that_came_into_view_is_new():
    """When driving backwards, new content enters at the image border."""
    images = [np.full((64, 160, 3), 90, np.uint8)] * 2
    answer = run([prediction(10.0), prediction(12.2)], ahead(-2.0), images)
    assert np.all(answer.prediction.depth[:, :8] == np.float32(12.2))
    assert np.all(answer.prediction.depth[28:36, 70:90] < 12.19)


def test_what_is_beyond_range_stays_there():
    images = [np.full((64, 160, 3), 90, np.uint8)] * 5
    answer = run([prediction(FAR)] * 5, ahead(1.5), images)
    assert np.all(answer.prediction.depth == np.float32(FAR))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    jitter=st.floats(0.0, 0.3),
    step=st.floats(-1.0, 2.0),
    correlation=st.floats(0.0, 1.0),
)
def test_sigma_is_never_above_that_of_the_frame_nor_below_what_is_common_to_all(
    seed, jitter, step, correlation
):
    rng = np.random.default_rng(seed)
    frames = [
        prediction(20 * np.exp(rng.normal(0, jitter, CAMERA.size)), rng.uniform(0.05, 0.4)) for _ in range(4)
    ]
    answer = run(frames, ahead(step), correlation=correlation).prediction
    relative, alone = answer.sigma / answer.depth, frames[-1].sigma / frames[-1].depth
    assert np.all(relative <= alone * 1.0001)
    assert np.all(relative >= np.sqrt(correlation) * alone * 0.9999)
    assert np.all(np.isfinite(answer.depth))
    assert np.all(answer.depth > 0)


@pytest.mark.parametrize(
    ("stamp_ns", "camera", "shape", "motion", "reason"),
    [
        (FRAME_NS, CAMERA, (64, 160, 3), stands, stabiliser.TIME),
        (FRAME_NS // 2, CAMERA, (64, 160, 3), stands, stabiliser.TIME),
        (9 * FRAME_NS, CAMERA, (64, 160, 3), stands, stabiliser.GAP),
        (2 * FRAME_NS, CAMERA.resize(80, 32), (64, 160, 3), stands, stabiliser.CAMERA),
        (2 * FRAME_NS, CAMERA, (128, 320, 3), stands, stabiliser.CAMERA),
        (2 * FRAME_NS, CAMERA, (64, 160, 3), ahead(50.0), stabiliser.JUMP),
        (2 * FRAME_NS, CAMERA, (64, 160, 3), ahead(np.nan), stabiliser.JUMP),
    ],
)
def test_it_starts_anew(stamp_ns, camera, shape, motion, reason):
    fusion = TemporalFusion(FAR)
    fusion.update(prediction(10.0), IMAGE, FRAME_NS, stands)
    frame = prediction(11.0, camera=camera)
    image = np.resize(IMAGE, shape)
    answer = fusion.update(frame, image, stamp_ns, motion)
    assert (answer.unfused, answer.prediction) == (reason, frame)
    # fused again from here on
    again = fusion.update(frame, image, stamp_ns + FRAME_NS, stands)
    assert again.unfused == ""


def test_without_known_motion_only_a_camera_that_stands_still_is_stabilised():
    fusion = TemporalFusion(FAR)
    fusion.update(prediction(10.0), IMAGE, FRAME_NS)
    assert fusion.update(prediction(10.1), IMAGE, 2 * FRAME_NS).unfused == ""
    other = np.roll(IMAGE, 12, axis=1)
    frame = prediction(10.2)
    answer = fusion.update(frame, other, 3 * FRAME_NS)
    assert (answer.unfused, answer.prediction) == (stabiliser.MOTION, frame)


@pytest.mark.parametrize("shape", [(64, 160), (64, 160, 1), (64, 160, 3), (64, 160, 4)])
def test_images_of_any_number_of_channels_are_compared(shape):
    image = np.random.default_rng(4).integers(0, 255, shape, np.uint8)
    assert grey_image(image, 80, 32).shape == (32, 80)
    assert run([prediction(10.0)] * 2, stabiliser.unknown_motion, [image] * 2).unfused == ""
