from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.camera import Camera, check_field_of_view, metric_scale

focals = st.floats(50.0, 5000.0)
sizes = st.integers(8, 3000)


@st.composite
def cameras(draw) -> Camera:
    width, height = draw(sizes), draw(sizes)
    cx, cy = draw(st.floats(0.0, width - 1.0)), draw(st.floats(0.0, height - 1.0))
    return Camera(draw(focals), draw(focals), cx, cy, width, height)


@st.composite
def points_in_view(draw, count: int = 5) -> np.ndarray:
    coordinate = st.floats(-20.0, 20.0)
    return np.array([[draw(coordinate), draw(coordinate), draw(st.floats(0.5, 100.0))] for _ in range(count)])


@given(cameras(), points_in_view(), st.integers(1, 4000), st.integers(1, 4000))
def test_resizing_scales_the_position_of_a_point_within_the_image(camera, points, width, height):
    resized = camera.resize(width, height)
    assert resized.size == (height, width)
    scale = np.array([width / camera.width, height / camera.height])
    before, after = camera.project(points)[0], resized.project(points)[0]
    # measured from the image's corner, half a pixel outside the first pixel's centre
    np.testing.assert_allclose(after + 0.5, (before + 0.5) * scale, rtol=1e-9, atol=1e-6)


@given(cameras(), st.integers(1, 4000), st.integers(1, 4000))
def test_resizing_back_restores_the_camera(camera, width, height):
    back = camera.resize(width, height).resize(camera.width, camera.height)
    np.testing.assert_allclose(back.matrix, camera.matrix, rtol=1e-9, atol=1e-6)


@given(cameras(), points_in_view(), st.data())
def test_cropping_moves_a_point_by_the_window_s_corner(camera, points, data):
    left, top = data.draw(st.integers(0, camera.width - 1)), data.draw(st.integers(0, camera.height - 1))
    window = camera.crop(left, top, camera.width - left, camera.height - top)
    moved = camera.project(points)[0] - window.project(points)[0]
    np.testing.assert_allclose(moved, np.tile([left, top], (len(points), 1)), atol=1e-6)
    assert window.size == (camera.height - top, camera.width - left)


@given(cameras(), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_cropping_the_padding_away_restores_the_camera(camera, left, top, right, bottom):
    padded = camera.pad(left, top, right, bottom)
    assert padded.size == (camera.height + top + bottom, camera.width + left + right)
    restored = padded.crop(left, top, camera.width, camera.height)
    np.testing.assert_allclose(restored.matrix, camera.matrix, rtol=1e-12, atol=1e-9)
    assert restored.size == camera.size


@given(cameras(), points_in_view())
def test_the_mirrored_camera_sees_the_mirrored_world(camera, points):
    mirrored_image = camera.width - 1 - camera.project(points)[0][:, 0]
    mirrored_world = camera.flip_horizontal().project(points * [-1, 1, 1])[0][:, 0]
    np.testing.assert_allclose(mirrored_world, mirrored_image, rtol=1e-9, atol=1e-6)


@given(cameras())
def test_mirroring_twice_restores_the_camera(camera):
    twice = camera.flip_horizontal().flip_horizontal()
    np.testing.assert_allclose(twice.matrix, camera.matrix, rtol=1e-12, atol=1e-9)


@given(focals, focals, st.floats(1.0, 80.0), st.data())
def test_projecting_an_unprojected_pixel_returns_it(fx, fy, depth, data):
    camera = Camera(fx, fy, data.draw(st.floats(0, 15)), data.draw(st.floats(0, 11)), 16, 12)
    points = camera.unproject(np.full(camera.size, depth, np.float32))
    pixels, z = camera.project(points.reshape(-1, 3))
    v, u = np.mgrid[: camera.height, : camera.width]
    np.testing.assert_allclose(pixels, np.stack([u.ravel(), v.ravel()], axis=1), atol=2e-3)
    np.testing.assert_allclose(z, depth, rtol=1e-6)


def test_opencv_projects_to_the_same_pixels():
    camera = Camera(721.5, 719.0, 609.6, 172.9, 1242, 375)
    points = np.array([[1.0, -0.5, 10.0], [-3.0, 1.6, 25.0], [0.0, 0.0, 5.0]])
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, None)
    np.testing.assert_allclose(camera.project(points)[0], expected.reshape(-1, 2), rtol=1e-12)


def test_opencv_resizes_with_the_same_pixel_convention():
    camera = Camera(100.0, 100.0, 31.5, 15.5, 64, 32)
    columns = np.tile(np.arange(64, dtype=np.float32), (32, 1))
    resized = cv2.resize(columns, (32, 16), interpolation=cv2.INTER_LINEAR)
    smaller = camera.resize(32, 16)
    # the ray through a pixel of the small image equals the ray through the matching column of the large one
    small_rays = smaller.rays()[8, 1:-1, 0]
    large_rays = (resized[8, 1:-1] - camera.cx) / camera.fx
    np.testing.assert_allclose(small_rays, large_rays, atol=1e-6)


def test_a_point_behind_the_camera_has_no_pixel():
    camera = Camera(100.0, 100.0, 50.0, 50.0, 100, 100)
    pixels, z = camera.project(np.array([[0.0, 0.0, -1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    assert np.isnan(pixels[:2]).all()
    np.testing.assert_array_equal(pixels[2], [50.0, 50.0])
    np.testing.assert_array_equal(z, [-1.0, 0.0, 1.0])


def test_the_matrix_of_a_camera_makes_the_same_camera():
    camera = Camera(721.5, 719.0, 609.6, 172.9, 1242, 375)
    assert Camera.from_matrix(camera.matrix, 1242, 375) == camera
    assert Camera.from_matrix(np.hstack([camera.matrix, [[44.8], [0.2], [0.002]]]), 1242, 375) == camera


@pytest.mark.parametrize("focal", [0.0, -721.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["fx", "fy"])
def test_an_uncalibrated_camera_is_refused(name, focal):
    entries = {"fx": 721.0, "fy": 721.0, "cx": 10.0, "cy": 10.0, "width": 20, "height": 20, name: focal}
    with pytest.raises(ValueError, match=f"{name} is .*not calibrated"):
        Camera(**entries)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"cx": float("nan")}, "cx is nan"),
        ({"cy": float("inf")}, "cy is inf"),
        ({"width": 0}, "20x0"),
        ({"height": -1}, "-1x20"),
    ],
)
def test_a_camera_without_principal_point_or_pixels_is_refused(entries, text):
    with pytest.raises(ValueError, match=text):
        Camera(**{"fx": 721.0, "fy": 721.0, "cx": 10.0, "cy": 10.0, "width": 20, "height": 20, **entries})


@pytest.mark.parametrize("window", [(-1, 0, 5, 5), (0, -1, 5, 5), (16, 0, 5, 5), (0, 16, 5, 5)])
def test_a_window_outside_the_image_is_refused(window):
    with pytest.raises(ValueError, match="outside the 20x20 image"):
        Camera(100.0, 100.0, 10.0, 10.0, 20, 20).crop(*window)


def test_negative_padding_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        Camera(100.0, 100.0, 10.0, 10.0, 20, 20).pad(0, 0, -1, 0)


def test_depth_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"depth is \(10, 20\), the camera is \(20, 20\)"):
        Camera(100.0, 100.0, 10.0, 10.0, 20, 20).unproject(np.ones((10, 20), np.float32))


@given(cameras(), st.floats(100.0, 1000.0), st.integers(64, 2000))
def test_metric_scale_makes_depth_independent_of_the_network_s_size(camera, f_ref, width):
    # An object of S metres at depth Z covers fx * S / Z pixels; the network infers from s pixels the
    # canonical depth f_ref * S / s. The metric depth must be Z again for any resize.
    resized = camera.resize(width, camera.height)
    size, depth = 1.7, 23.0
    pixels = resized.fx * size / depth
    canonical = f_ref * size / pixels
    assert canonical * metric_scale(resized.fx, f_ref) == pytest.approx(depth)


@pytest.mark.parametrize("focals", [(0.0, 100.0), (100.0, 0.0), (-1.0, 100.0), (float("nan"), 100.0)])
def test_metric_scale_needs_positive_focals(focals):
    with pytest.raises(ValueError, match="must be positive"):
        metric_scale(*focals)


@given(cameras(), cameras(), st.floats(0, 1), st.floats(0, 1))
def test_two_cameras_see_no_ray_farther_apart_than_they_disagree(camera, other, right, down):
    u, v = right * camera.width - 0.5, down * camera.height - 0.5
    ray = np.array([[(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0]])
    apart = np.abs(other.project(ray)[0][0] - (u, v))
    most = np.array(camera.disagreement(other))
    assert (apart <= most * (1 + 1e-9) + 1e-6).all()
    assert camera.disagreement(camera) == pytest.approx((0, 0), abs=1e-9)


def test_a_camera_in_words_has_its_numbers():
    text = str(Camera(721.5, 720.0, 609.6, 172.9, 1242, 375))
    assert text == "fx 721.5, fy 720, cx 609.6, cy 172.9 and 375x1242 pixels"


@pytest.mark.parametrize(
    ("intrinsics", "size"),
    [
        ({"fx": 721.5, "fy": 721.5, "cx": 609.6, "cy": 172.9}, (1242, 375)),  # KITTI
        ({"fx": 7000.0, "fy": 7000.0, "cx": 320.0, "cy": 240.0}, (640, 480)),  # 5.2 degrees
        ({"fx": 60.0, "fy": 60.0, "cx": 320.0, "cy": 240.0}, (640, 480)),  # 159 degrees
        ({"fx": 721.5, "fy": 721.5, "cx": 609.6, "cy": 172.9 - 300}, (1242, 20)),  # a strip of an image
    ],
)
def test_a_real_field_of_view_is_taken(intrinsics, size):
    check_field_of_view(Camera(**intrinsics, width=size[0], height=size[1]))


@pytest.mark.parametrize(
    ("change", "axis"),
    [
        ({"fx": 1e-3}, "horizontal"),
        ({"fx": 1e6}, "horizontal"),
        ({"fx": 1e30}, "horizontal"),
        ({"fx": 6.0, "fy": 6.0}, "horizontal"),  # millimetres
        ({"fy": 1e30}, "vertical"),
        ({"fy": 1e-3}, "vertical"),
        ({"cx": 1e9}, "horizontal"),
        ({"cy": -1e9}, "vertical"),
    ],
)
def test_an_absurd_field_of_view_is_refused(change, axis):
    camera = replace(Camera(721.5, 721.5, 609.6, 172.9, 1242, 375), **change)
    with pytest.raises(ValueError, match=f"a {axis} field of view of .* degrees, outside 5 to 170"):
        check_field_of_view(camera)
