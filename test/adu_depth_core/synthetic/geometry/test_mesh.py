import numpy as np
import pytest

pytest.importorskip("trimesh")

from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.synthetic.geometry.mesh import Mesh, boxes, cylinder, ellipsoid, loft, merge, quads

COORDINATE = st.floats(-50, 50)


def outward_share(mesh: Mesh, inside: np.ndarray) -> float:
    """Share of faces whose winding faces away from an interior point."""
    a, b, c = mesh.corners.transpose(1, 0, 2)
    return float(np.mean(np.einsum("ij,ij->i", np.cross(b - a, c - a), a - inside) > 0))


def area(mesh: Mesh) -> float:
    a, b, c = mesh.corners.transpose(1, 0, 2)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def test_a_box_has_six_outward_sides():
    box = boxes((1, 2, 3), (2, 4, 6), material=0)
    assert len(box) == 12
    assert area(box) == pytest.approx(2 * (8 + 12 + 24))
    assert outward_share(box, np.array([1, 2, 3])) == 1
    np.testing.assert_allclose(box.corners.reshape(-1, 3).min(axis=0), [0, 0, 0])
    np.testing.assert_allclose(box.corners.reshape(-1, 3).max(axis=0), [2, 4, 6])


def test_a_round_bar_tapers():
    bar = cylinder((0, 0, 0), (0, 0, 2), 0.5, material=0, top_radius=0.25, sections=32)
    corners = bar.corners.reshape(-1, 3)
    width = np.hypot(corners[:, 0], corners[:, 1])
    assert width[corners[:, 2] < 1].max() == pytest.approx(0.5)
    assert width[corners[:, 2] > 1].max() == pytest.approx(0.25)


@given(st.tuples(COORDINATE, COORDINATE, COORDINATE), st.tuples(*[st.floats(0.1, 3)] * 3), st.integers(3, 12))
def test_a_bar_reaches_from_end_to_end_in_any_direction(bottom, along, sections):
    bottom, top = np.array(bottom), np.array(bottom) + along
    bar = cylinder(bottom, top, 0.2, material=0, sections=sections)
    assert outward_share(bar, (bottom + top) / 2) == 1
    axis = np.array(along) / np.linalg.norm(along)
    relative = bar.corners.reshape(-1, 3) - bottom
    height = relative @ axis
    np.testing.assert_allclose(np.minimum(abs(height), abs(height - np.linalg.norm(along))), 0, atol=1e-3)
    assert np.ptp(height) == pytest.approx(np.linalg.norm(along), abs=1e-3)
    distance = np.linalg.norm(relative - height[:, None] * axis, axis=1)
    assert distance.max() == pytest.approx(0.2, abs=1e-3)


def test_an_ellipsoid_is_smooth():
    ball = ellipsoid((0, 0, 5), (1, 2, 3), material=0)
    np.testing.assert_allclose(np.linalg.norm(ball.normals, axis=2), 1, rtol=1e-5)
    assert np.ptp(ball.normals, axis=1).max() > 0.1  # normals vary over a face


def test_a_closed_loft_of_squares_is_a_box():
    square = np.array([(0, -1, -1), (0, 1, -1), (0, 1, 1), (0, -1, 1)], float)
    sections = np.stack([square, square + np.array([3, 0, 0])])
    assert area(loft(sections, 0, closed=True, smooth=False)) == pytest.approx(2 * 4 + 4 * 6)


def test_texture_density_counts_tiles_per_metre():
    assert quads((0, 0, 0), (8, 0, 0), (0, 3, 0), 0, tile=4.0).density == pytest.approx(0.25)
    stretched = quads((0, 0, 0), (8, 0, 0), (0, 2, 0), 0, tile=None)
    assert stretched.density == pytest.approx(0.25)  # 1 tile per 16 square metres


@given(COORDINATE, COORDINATE, COORDINATE, st.floats(-7, 7), st.floats(0.2, 5))
def test_placing_keeps_shape_and_texture(x, y, z, yaw, scale):
    box = boxes((0, 0, 0), (1, 2, 3), material=0)
    placed = box.placed((x, y, z), yaw, scale)
    assert area(placed) == pytest.approx(area(box) * scale**2, rel=1e-3)
    np.testing.assert_allclose(placed.corners.reshape(-1, 3).mean(axis=0), (x, y, z), atol=1e-4)
    np.testing.assert_allclose(placed.density * scale, box.density, rtol=1e-5)
    assert outward_share(placed, np.array((x, y, z))) == 1


def test_a_quarter_turn_points_forward_to_the_left():
    forward = quads((0, 0, 0), (1, 0, 0), (0, 0, 1), 0).placed((0, 0, 0), np.pi / 2)
    np.testing.assert_allclose(forward.corners.reshape(-1, 3).max(axis=0), [0, 1, 1], atol=1e-6)


def test_tint_changes_only_the_chosen_material():
    both = merge([boxes((0, 0, 0), (1, 1, 1), 3), boxes((0, 0, 0), (1, 1, 1), 4)]).tinted(4, (0.5, 0.25, 0))
    assert np.all(both.tint[both.material == 3] == 1)
    assert np.all(both.tint[both.material == 4] == (0.5, 0.25, 0))
