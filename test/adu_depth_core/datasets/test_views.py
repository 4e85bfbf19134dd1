"""Views and their augmentation keep image, depth and camera consistent."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.augmentation import Augmentation, mirror
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_matching import match_stereo
from adu_depth_core.datasets.views import View, depth_in_right_view, views_of

CAMERA = Camera(fx=100.0, fy=100.0, cx=99.5, cy=29.5, width=200, height=60)


def plane_view(depth: float = 12.0) -> View:
    """A fronto-parallel plane whose red and green encode the pixel's ray direction."""
    rays = CAMERA.rays()
    image = np.zeros((60, 200, 3), np.uint8)
    image[..., 0] = np.round(127 + 100 * rays[..., 0])
    image[..., 1] = np.round(127 + 100 * rays[..., 1])
    return View(image, np.full((60, 200), depth, np.float32), CAMERA)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), zoom=st.floats(1.0, 2.0), width=st.sampled_from([64, 96, 128]))
def test_each_augmented_pixel_still_looks_along_its_ray(seed, zoom, width):
    augment = Augmentation(48, width, max_zoom=zoom, zoom_probability=1.0)
    view = augment.geometry(plane_view(), np.random.default_rng(seed))
    assert view.image.shape == (48, width, 3)
    assert view.depth.shape == view.camera.size == (48, width)
    rays = view.camera.rays()
    across = (view.image[..., 0].astype(float) - 127) / 100
    down = (view.image[..., 1].astype(float) - 127) / 100
    mirrored = np.sign(across[:, -1].mean() - across[:, 0].mean())
    assert np.abs(across * mirrored - rays[..., 0]).max() < 0.05
    assert np.abs(down - rays[..., 1]).max() < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_what_a_teacher_says_is_cropped_and_mirrored_like_the_truth(seed):
    depth = np.random.default_rng(0).uniform(2, 50, plane_view().depth.shape).astype(np.float32)
    view = dataclasses.replace(plane_view(), depth=depth, taught=np.stack([depth, -depth]))
    varied = Augmentation(48, 64, zoom_probability=1.0).geometry(view, np.random.default_rng(seed))
    assert varied.taught.shape == (2, 48, 64)
    assert np.array_equal(varied.taught, np.stack([varied.depth, -varied.depth]))


def test_mirroring_twice_gives_the_view_back():
    view = plane_view()
    back = mirror(mirror(view))
    assert np.array_equal(back.image, view.image)
    assert back.camera == view.camera


def test_the_same_seed_gives_the_same_variation():
    augment = Augmentation(48, 64)
    randoms = [np.random.default_rng(3) for _ in range(2)]
    first, second = (augment.noise(augment.geometry(plane_view(), random), random) for random in randoms)
    assert np.array_equal(first.image, second.image)


def test_photometric_noise_leaves_the_geometry_alone():
    view = Augmentation(60, 200).noise(plane_view(), np.random.default_rng(0))
    assert np.array_equal(view.depth, plane_view().depth)
    assert not np.array_equal(view.image, plane_view().image)


def stereo_pair(disparity: int = 12, side: str = "left") -> View:
    """A textured plane at 100 * 0.6 / disparity metres, seen by both cameras."""
    texture = np.random.default_rng(1).integers(0, 255, (60, 200 + disparity, 3), np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 2.0)
    left, right = texture[:, :200], texture[:, disparity:]
    depth = np.full((60, 200), 100.0 * 0.6 / disparity, np.float32)
    sample = Sample("pair", np.ascontiguousarray(left), np.ascontiguousarray(right), depth, CAMERA, 0.6)
    (view,) = views_of(sample, sides=[side])
    return view


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    zoom=st.floats(1.0, 1.6),
    side=st.sampled_from(["left", "right"]),
    mirroring=st.sampled_from(["random", "stereo", "none"]),
)
def test_an_augmented_pair_still_has_the_disparity_that_its_depth_and_camera_say(seed, zoom, side, mirroring):
    """Invariant of stereo-safe augmentation: depth = fx * offset / disparity, whatever was applied."""
    augment = Augmentation(60, 128, max_zoom=zoom, zoom_probability=1.0, mirroring=mirroring)
    view = augment.geometry(stereo_pair(side=side), np.random.default_rng(seed))
    if mirroring == "stereo":
        assert view.offset > 0
    disparity = view.camera.fx * view.offset / np.median(view.depth[view.depth > 0])
    columns = np.arange(128, dtype=np.float32)[None].repeat(60, 0) - np.float32(disparity)
    rows = np.arange(60, dtype=np.float32)[:, None].repeat(128, 1)
    moved = cv2.remap(view.other, columns, rows, cv2.INTER_LINEAR)
    inside = (columns > 1) & (columns < 126)
    assert np.abs(moved.astype(float) - view.image)[inside].mean() < 4.0


def test_a_mirrored_pair_puts_the_other_camera_on_the_other_side():
    view = mirror(stereo_pair())
    assert view.offset == -0.6
    assert np.array_equal(mirror(view).other, stereo_pair().other)


def test_the_cameras_of_a_pair_mostly_share_their_photometric_change():
    view = stereo_pair(disparity=1)
    same = 0
    for seed in range(40):
        noisy = Augmentation(60, 200).noise(view, np.random.default_rng(seed))
        difference = noisy.image.astype(float).mean(axis=(0, 1)) - noisy.other.astype(float).mean(axis=(0, 1))
        same += np.abs(difference).max() < 3.0
    assert 20 <= same < 40


def test_depth_moves_to_the_right_view_by_its_disparity_and_the_nearest_wins():
    depth = np.zeros((1, 10), np.float32)
    depth[0, 9] = 2.0  # disparity 20 / 2 = 10: leaves the image
    depth[0, 8] = 4.0  # disparity 5: lands on column 3
    depth[0, 5] = 10.0  # disparity 2: lands on column 3 as well, but farther
    depth[0, 1] = np.inf  # the sky has no disparity
    moved = depth_in_right_view(depth, focal_times_baseline=20.0)
    expected = np.zeros((1, 10), np.float32)
    expected[0, 3], expected[0, 1] = 4.0, np.inf
    assert np.array_equal(moved, expected)


def shifted_pair(shift: int) -> tuple[np.ndarray, np.ndarray]:
    texture = np.random.default_rng(0).integers(0, 255, (80, 300, 3)).astype(np.uint8)
    return texture[:, :240], texture[:, shift : shift + 240]


def test_stereo_matching_finds_a_known_shift_in_both_views():
    left, right = shifted_pair(17)
    for disparity in match_stereo(left, right, max_disparity=64):
        known = disparity > 0
        assert known.mean() > 0.7
        assert np.abs(disparity[known] - 17).max() < 1.0


def test_an_unlabelled_pair_gives_two_views_labelled_by_matching():
    left, right = shifted_pair(20)
    camera = Camera(100.0, 100.0, 120.0, 40.0, 240, 80)
    views = list(views_of(Sample("pair", left, right, None, camera, baseline=0.5)))
    assert len(views) == 2
    for view in views:
        assert np.median(view.depth[view.depth > 0]) == pytest.approx(100.0 * 0.5 / 20, rel=0.03)


def test_an_unlabelled_pair_may_be_left_to_a_teacher():
    left, right = shifted_pair(20)
    views = views_of(
        Sample("pair", left, right, None, Camera(100.0, 100.0, 120.0, 40.0, 240, 80), 0.5), "none"
    )
    assert [view.offset for view in views] == [0.5, -0.5]
    assert not any(view.depth.any() for view in views)
    assert np.array_equal(views[0].other, views[1].image)


def test_an_unlabelled_single_image_gives_no_view():
    assert not list(views_of(Sample("mono", np.zeros((80, 240, 3), np.uint8), None, None, CAMERA, None)))
