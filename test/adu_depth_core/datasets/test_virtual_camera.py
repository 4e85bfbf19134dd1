"""Virtual cameras: the same scene seen by another camera at the same position."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.views import View
from adu_depth_core.datasets.virtual_camera import VirtualCameras, rotation_matrix, seen_by

SOURCE = Camera(300.0, 310.0, 199.5, 99.5, 400, 200)
ANGLES = st.tuples(st.floats(-7, 7), st.floats(-10, 10), st.floats(-3, 3))


def plane(camera: Camera, rotation: np.ndarray, normal: np.ndarray, distance: float) -> np.ndarray:
    """Exact depth of the plane ``normal . X = distance`` (source frame) for a rotated camera."""
    rays = camera.rays().astype(np.float64) @ rotation  # R^T r
    along = rays @ normal
    return np.where(along > 1e-6, distance / np.maximum(along, 1e-6), 0.0).astype(np.float32)


def view_of(depth: np.ndarray, **changes: object) -> View:
    return View(np.zeros((*SOURCE.size, 3), np.uint8), depth, SOURCE, **changes)


@settings(max_examples=25, deadline=None)
@given(ANGLES, st.floats(0.6, 2.0), st.integers(0, 2**31))
def test_dense_depth_of_a_plane_is_that_plane_for_the_new_camera(angles, zoom, seed):
    normal, distance = np.array([0.1, 0.15, 0.98]), 12.0
    source = plane(SOURCE, np.eye(3), normal, distance)
    camera = dataclasses.replace(SOURCE, fx=300.0 * zoom, fy=300.0 * zoom)
    rotation = rotation_matrix(*angles)

    seen = seen_by(view_of(source), camera, rotation)

    known = seen.depth > 0
    expected = plane(camera, rotation, normal, distance)
    # Nearest-neighbour sampling is off by up to half a source pixel.
    assert np.abs(seen.depth[known] / expected[known] - 1.0).max() < 0.01


@settings(max_examples=25, deadline=None)
@given(ANGLES, st.floats(0.6, 2.0), st.integers(0, 2**31))
def test_sparse_points_keep_their_place_in_space(angles, zoom, seed):
    random = np.random.default_rng(seed)
    depth = np.zeros(SOURCE.size, np.float32)
    rows, columns = random.integers(60, 140, 40), random.integers(120, 280, 40)
    depth[rows, columns] = random.uniform(2.0, 80.0, 40)
    camera = dataclasses.replace(SOURCE, fx=300.0 * zoom, fy=310.0 * zoom)
    rotation = rotation_matrix(*angles)

    moved = seen_by(view_of(depth), camera, rotation).depth

    points = SOURCE.unproject(depth)[depth > 0]
    found = camera.unproject(moved)[moved > 0] @ rotation  # back into the source frame
    distances = np.linalg.norm(points[None] - found[:, None], axis=2).min(axis=1)
    # Rounded to whole pixels of the new image.
    tolerance = 0.8 * np.linalg.norm(found, axis=1) / (300.0 * zoom)
    assert len(found) > 0
    assert (distances <= tolerance).all()


def test_turning_up_moves_the_horizon_down():
    image = np.zeros((*SOURCE.size, 3), np.uint8)
    image[100:] = 255
    view = View(image, np.ones(SOURCE.size, np.float32), SOURCE)

    up = seen_by(view, SOURCE, rotation_matrix(5.0, 0.0, 0.0)).image[:, 200, 0]

    horizon = np.flatnonzero(up > 127)[0]
    assert horizon == pytest.approx(100 + SOURCE.fy * np.tan(np.radians(5.0)), abs=1.5)


def test_turning_right_moves_the_picture_left():
    image = np.zeros((*SOURCE.size, 3), np.uint8)
    image[:, 200:] = 255
    view = View(image, np.ones(SOURCE.size, np.float32), SOURCE)

    right = seen_by(view, SOURCE, rotation_matrix(0.0, 5.0, 0.0)).image[100, :, 0]

    edge = np.flatnonzero(right > 127)[0]
    assert edge == pytest.approx(200 - SOURCE.fx * np.tan(np.radians(5.0)), abs=1.5)


def test_what_the_old_camera_did_not_see_has_no_depth_and_repeated_pixels():
    image = np.full((*SOURCE.size, 3), 80, np.uint8)
    wide = dataclasses.replace(SOURCE, fx=100.0, fy=100.0)

    seen = seen_by(View(image, np.full(SOURCE.size, 5.0, np.float32), SOURCE), wide, np.eye(3))

    assert (seen.image == 80).all()
    assert (seen.depth == 0).mean() > 0.5
    assert seen.depth[100, 200] == pytest.approx(5.0, rel=1e-5)


def test_sky_stays_sky_and_a_teachers_answer_turns_like_the_truth():
    depth = np.full(SOURCE.size, 10.0, np.float32)
    taught = np.stack([depth, np.full(SOURCE.size, -3.0)]).astype(np.float16)
    depth[:50] = np.inf
    rotation = rotation_matrix(4.0, 3.0, 1.0)

    seen = seen_by(view_of(depth, taught=taught), SOURCE, rotation)

    assert np.isinf(seen.depth).any()
    both = (seen.depth > 0) & np.isfinite(seen.depth) & (seen.taught[0] > 0)
    assert np.allclose(seen.taught[0][both], seen.depth[both], rtol=1e-3)
    assert (seen.taught[1][both] == -3.0).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(192, 384), (224, 320), (256, 288)]))
def test_drawn_cameras_have_their_size_and_look_at_the_image(seed, size):
    cameras = VirtualCameras()
    source = Camera(721.0, 721.0, 609.0, 172.0, 1242, 375)

    camera, rotation = cameras.draw(source, size, 192 * 640, np.random.default_rng(seed))

    assert camera.size == size
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    seen = seen_by(
        View(np.zeros((*source.size, 3), np.uint8), np.ones(source.size, np.float32), source),
        camera,
        rotation,
    )
    assert (seen.depth > 0).mean() > 0.4


def test_zoom_one_is_the_focal_of_the_whole_image_at_the_networks_pixels():
    cameras = VirtualCameras(zoom_probability=0.0, rotation_probability=0.0, stretch=0.0)
    source = Camera(720.0, 720.0, 639.5, 191.5, 1280, 384)

    camera, rotation = cameras.draw(source, (192, 384), 192 * 640, np.random.default_rng(0))

    assert camera.fx == pytest.approx(360.0)
    assert np.array_equal(rotation, np.eye(3))
