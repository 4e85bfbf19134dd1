"""The image keeps its aspect ratio and camera on the network's input, and is restored in full."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.inference.placement import Placement

cameras = st.builds(
    Camera,
    fx=st.floats(50, 5000),
    fy=st.floats(50, 5000),
    cx=st.floats(0, 4000),
    cy=st.floats(0, 4000),
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
)
network_sizes = st.tuples(st.integers(1, 20), st.integers(1, 20)).map(lambda s: (32 * s[0], 32 * s[1]))


@given(cameras, network_sizes)
def test_image_is_as_large_as_fits_and_keeps_its_aspect(camera, network_size):
    placement = Placement.fit(camera, network_size)
    rows, columns = network_size
    assert placement.width == columns or placement.height == rows
    assert 0 <= placement.left <= placement.left + placement.width <= columns
    assert 0 <= placement.top <= placement.top + placement.height <= rows
    # each side is rounded to whole pixels, at least one
    scale = min(rows / camera.height, columns / camera.width)
    assert abs(placement.width - max(1, camera.width * scale)) <= 0.5
    assert abs(placement.height - max(1, camera.height * scale)) <= 0.5


@given(cameras, network_sizes)
def test_border_is_the_same_on_both_sides_up_to_one_pixel(camera, network_size):
    placement = Placement.fit(camera, network_size)
    assert network_size[1] - placement.left - placement.width - placement.left in (0, 1)
    assert network_size[0] - placement.top - placement.height - placement.top in (0, 1)


@given(cameras, network_sizes, st.floats(-1, 1), st.floats(-1, 1))
def test_network_camera_sees_a_point_where_the_resized_image_shows_it(camera, network_size, x, y):
    placement = Placement.fit(camera, network_size)
    point = np.array([[x, y, 1.0]])
    (u, v), *_ = camera.project(point)[0]
    (u_net, v_net), *_ = placement.network_camera.project(point)[0]
    # cv2.resize maps pixel centres: (u + 0.5) * scale - 0.5
    assert u_net == pytest.approx((u + 0.5) * placement.width / camera.width - 0.5 + placement.left, abs=1e-6)
    assert v_net == pytest.approx(
        (v + 0.5) * placement.height / camera.height - 0.5 + placement.top, abs=1e-6
    )
    assert placement.network_camera.size == network_size


def test_kitti_fills_the_network_but_for_four_columns():
    placement = Placement.fit(Camera(721.5, 721.5, 609.6, 172.9, 1242, 375), (192, 640))
    assert (placement.left, placement.top, placement.width, placement.height) == (2, 0, 636, 192)
    assert placement.border_share == pytest.approx(4 / 640)
    assert placement.resized_camera.fx == pytest.approx(721.5 * 636 / 1242)


def test_cut_takes_the_image_out_of_a_map():
    placement = Placement.fit(Camera(500, 500, 320, 240, 640, 480), (192, 640))
    network_map = np.arange(192 * 640).reshape(192, 640)
    assert np.array_equal(placement.cut(network_map), network_map[:, 192:448])
