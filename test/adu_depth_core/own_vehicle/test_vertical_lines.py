"""Edges of buildings and poles tell how a camera is tilted."""

import cv2
import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.own_vehicle.vertical_lines import vertical_by_lines

CAMERA = Camera(500.0, 500.0, 320.0, 240.0, 640, 480)


def street(pitch, roll=0.0, clutter=0, seed=0):
    """Dark poles before a bright wall, and lines in any direction, seen by a camera tilted by degrees."""
    rng = np.random.default_rng(seed)
    up = np.array([np.tan(np.radians(roll)), -1.0, np.tan(np.radians(pitch))])
    image = np.full((480, 640, 3), 200, np.uint8)
    for column in np.linspace(30, 610, 24):
        foot = np.array([(column - CAMERA.cx) / CAMERA.fx, rng.uniform(0.1, 0.3), 1.0])
        ends = np.array([foot, foot + rng.uniform(0.3, 0.6) * up])
        draw(image, ends[:, :2] / ends[:, 2:] * CAMERA.fx + (CAMERA.cx, CAMERA.cy))
    for _ in range(clutter):
        draw(image, rng.uniform((0, 0), (640, 480), (2, 2)))
    return image


def draw(image, ends):
    (x, y), (u, v) = np.round(16 * ends).astype(int).tolist()
    cv2.line(image, (x, y), (u, v), (40, 40, 40), 4, cv2.LINE_AA, 4)


@pytest.mark.parametrize("pitch", [-8.0, -2.0, 0.0, 4.0])
@pytest.mark.parametrize("roll", [0.0, 3.0])
def test_pitch_and_roll_are_those_of_the_camera(pitch, roll):
    found = vertical_by_lines(street(pitch, roll, clutter=20), CAMERA)
    assert np.degrees(np.arctan(found.forward)) == pytest.approx(pitch, abs=0.5)
    assert np.degrees(np.arctan(found.sideways)) == pytest.approx(roll, abs=0.5)
    assert found.forward_sigma < 0.01


def test_large_images_give_the_same():
    image = cv2.resize(street(4.0), (2560, 1920), interpolation=cv2.INTER_CUBIC)
    found = vertical_by_lines(image, Camera(2000.0, 2000.0, 1281.5, 961.5, 2560, 1920))
    assert np.degrees(np.arctan(found.forward)) == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("seed", range(5))
def test_lines_in_all_directions_tell_nothing(seed):
    rng = np.random.default_rng(seed)
    image = np.full((480, 640, 3), 200, np.uint8)
    for _ in range(150):
        middle, angle = rng.uniform((0, 0), (640, 480)), np.pi / 2 + rng.uniform(-0.35, 0.35)
        half = 20 * np.array([np.cos(angle), np.sin(angle)])
        draw(image, np.array([middle - half, middle + half]))
    assert vertical_by_lines(image, CAMERA) is None


def test_an_empty_image_tells_nothing():
    assert vertical_by_lines(np.zeros((480, 640, 3), np.uint8), CAMERA) is None
