"""Two images and the distance between them give depth; points without parallax give none."""

import cv2
import numpy as np
import pytest
from corridor import CAMERA, depth_at, texture_at

from adu_depth_core.own_vehicle.tracked_points import tracked_depth


@pytest.mark.parametrize(("forward", "sideways"), [(1.0, 0.0), (2.0, 0.1), (-1.0, 0.0)])
def test_the_depth_of_tracked_corners_is_that_of_the_scene(forward, sideways):
    metres = float(np.hypot(forward, sideways))
    found = tracked_depth(texture_at(10.0), texture_at(10.0 + forward, sideways), CAMERA, metres)
    known = found > 0
    assert known.sum() > 80
    ratio = found[known] / depth_at(10.0)[known]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.04)
    assert np.mean(np.abs(ratio - 1) < 0.2) > 0.8


def test_depth_goes_with_the_distance():
    one, two = (tracked_depth(texture_at(10), texture_at(11), CAMERA, metres) for metres in (1.0, 2.0))
    assert two == pytest.approx(2 * one)


def test_a_camera_that_stands_tells_nothing():
    still = texture_at(10)
    found = tracked_depth(still, still, CAMERA, 1.0)
    assert found is None or not found.any()


def test_a_camera_that_looks_sideways_tells_nothing():
    assert tracked_depth(texture_at(10), texture_at(10, 1.0), CAMERA, 1.0) is None


def test_a_turn_is_left_out():
    angle = np.radians(5)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    homography = CAMERA.matrix @ turn @ np.linalg.inv(CAMERA.matrix)
    turned = cv2.warpPerspective(texture_at(11), homography, CAMERA.size[::-1])
    assert tracked_depth(texture_at(10), turned, CAMERA, 1.0) is None


def test_images_without_corners_tell_nothing():
    grey = np.full(CAMERA.size, 128, np.uint8)
    assert tracked_depth(grey, grey, CAMERA, 1.0) is None


def test_images_of_different_places_tell_nothing():
    noise = np.random.default_rng(0).integers(0, 256, (2, *CAMERA.size), np.uint8)
    assert tracked_depth(*noise, CAMERA, 1.0) is None
