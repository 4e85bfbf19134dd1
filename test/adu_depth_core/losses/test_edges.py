import pytest

pytest.importorskip("torch")

import torch

from adu_depth_core.camera import Camera
from adu_depth_core.losses.edges import gradient_matching, standing

ALL = torch.ones(1, 1, 32, 48, dtype=torch.bool)
ONE = torch.ones(1, 1, 32, 48)


def test_an_error_of_scale_costs_nothing():
    assert gradient_matching(0.3 * ONE, ALL, ONE).item() == 0.0


def test_a_missed_edge_costs_its_height_at_every_scale():
    error = torch.zeros(1, 1, 32, 48)
    error[..., 16:] = 1.0
    # One of the 47, 23, 11 and 5 horizontal steps; no vertical one.
    expected = 1 / 47 + 1 / 23 + 1 / 11 + 1 / 5
    assert gradient_matching(error, ALL, ONE).item() == pytest.approx(expected, rel=1e-5)


def test_unknown_pixels_and_pixels_without_weight_cost_nothing():
    error = torch.zeros(1, 1, 32, 48)
    error[..., 10:20, 10:20] = 5.0
    known = ALL & (error == 0)
    assert gradient_matching(error, known, ONE).item() == 0.0
    assert gradient_matching(error, ALL, (error == 0).float()).item() == 0.0
    assert gradient_matching(error, torch.zeros_like(ALL), ONE).item() == 0.0


def test_walls_stand_and_the_road_does_not():
    camera = Camera(50.0, 50.0, 31.5, 15.5, 64, 48)
    rays = torch.from_numpy(camera.rays()).permute(2, 0, 1)[None]
    road = 1.6 / rays[:, 1:2].clamp(min=0.08)
    wall = torch.full_like(road, 10.0)
    depth = torch.minimum(road, wall)

    upright = standing(depth, depth > 0, rays[:, :2])

    assert upright[0, 0, 4:20, 4:-4].all()
    assert not upright[0, 0, 32:44, 4:-4].any()


def test_surfaces_beside_unknown_pixels_are_not_said_to_stand():
    depth = torch.full((1, 1, 32, 48), 10.0)
    depth[..., 12:20] = 0.0
    rays = torch.zeros(1, 2, 32, 48)
    assert not standing(depth, depth > 0, rays)[..., 11:21].any()
