import numpy as np
import pytest

from adu_depth_ros.voxel_grid import thin_out


def grid(sigma, size=0.5, sigmas=1.0, count=4000):
    random = np.random.default_rng(0)
    points = random.uniform(0, 10, (count, 3)).astype(np.float32)
    rgb = random.integers(0, 256, (count, 3), np.uint8)
    return points, *thin_out(points, rgb, np.full(count, sigma, np.float32), size, sigmas)


def test_each_occupied_voxel_becomes_one_point_inside_it():
    points, thinned, _, _ = grid(sigma=0.1)
    voxels = {tuple(v) for v in np.floor(points / 0.5).astype(int)}
    assert len(thinned) == len(voxels)
    assert {tuple(v) for v in np.floor(thinned / 0.5).astype(int)} == voxels


@pytest.mark.parametrize(("sigma", "edge"), [(0.4, 0.5), (0.6, 1.0), (1.9, 2.0), (2.1, 4.0)])
def test_voxels_grow_with_sigma_in_doublings(sigma, edge):
    points, thinned, _, sigmas = grid(sigma)
    assert len(thinned) == len({tuple(v) for v in np.floor(points / edge).astype(int)})
    assert sigmas == pytest.approx(sigma)


def test_the_surer_point_counts_more_and_colours_are_averaged():
    points = np.array([[0.1, 0.1, 10.1], [0.1, 0.1, 10.4], [5.0, 0.1, 10.1]], np.float32)
    rgb = np.array([[0, 0, 0], [100, 50, 0], [7, 8, 9]], np.uint8)
    sigma = np.array([0.1, 0.3, 0.2], np.float32)
    thinned, colours, sigmas = thin_out(points, rgb, sigma, size=0.5, sigmas=1.0)
    near = np.argmin(thinned[:, 0])
    assert thinned[near, 2] == pytest.approx((10.1 * 9 + 10.4) / 10, abs=1e-4)
    assert colours[near].tolist() == [50, 25, 0]
    assert sigmas[near] == pytest.approx(0.2)
    assert colours[1 - near].tolist() == [7, 8, 9]


def test_points_on_both_sides_of_the_axis_are_apart():
    points = np.array([[-0.1, 0, 1], [0.1, 0, 1]], np.float32)
    thinned, _, _ = thin_out(points, np.zeros((2, 3), np.uint8), np.full(2, 0.01, np.float32), 0.5, 1.0)
    assert len(thinned) == 2
