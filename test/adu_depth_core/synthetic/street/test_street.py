import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.synthetic.drive.trajectory import Trajectory
from adu_depth_core.synthetic.geometry.centreline import Centreline
from adu_depth_core.synthetic.geometry.raycast import RayCaster
from adu_depth_core.synthetic.street import Street
from adu_depth_core.synthetic.surfaces.materials import NAMES


@pytest.fixture(scope="module", params=range(4))
def street(request):
    return Street(np.random.default_rng(request.param), lambda time: 9.0 * time, duration=6.0)


@pytest.mark.parametrize("time", [0.0, 3.0, 6.0])
def test_the_vehicles_way_is_free(street, time):
    """The space up to 4 m ahead of the camera is free between knee and roof height."""
    caster = RayCaster(street.mesh_at(time))
    here = 9.0 * time
    heading = street.line.heading(here)
    for above in (0.5, 1.0, 1.65, 2.2):
        for aside in (-0.8, 0.0, 0.8):
            origin = street.line.point(here, street.ego_lane + aside, above)
            ahead = np.array([[np.cos(heading), np.sin(heading), 0.0]], np.float32)
            hits = caster.cast(origin.astype(np.float32), ahead)
            assert not len(hits.t) or hits.t[0] > 4.0


def test_it_holds_what_streets_hold(street):
    present = {NAMES[k] for k in np.unique(street.mesh_at(0.0).material)}
    assert {"car_paint", "car_glass", "rubber", "wheel", "bark", "metal"} <= present
    assert present & {"asphalt", "asphalt_old"}
    assert present & {"leaves", "needles", "autumn_leaves"}


def test_meshes_are_finite(street):
    mesh = street.mesh_at(0.0)
    for values in (mesh.corners, mesh.normals, mesh.uv, mesh.density, mesh.tint):
        assert np.isfinite(values).all()


@given(st.integers(0, 2**32), st.floats(0, 200))
def test_speed_stays_between_5_and_14_metres_per_second(seed, time):
    trajectory = Trajectory(np.random.default_rng(seed))
    speed = (trajectory.travelled(time + 0.05) - trajectory.travelled(time)) / 0.05
    assert 5 <= speed <= 14


@given(st.integers(0, 2**32), st.floats(-30, 200), st.floats(-20, 20))
def test_lateral_offsets_are_at_right_angles_to_the_road(seed, s, lateral):
    line = Centreline(np.random.default_rng(seed), -40.0, 250.0, bend=0.005, hill=0.03)
    offset = line.point(s, lateral) - line.point(s, 0.0)
    heading = line.heading(s)
    assert np.linalg.norm(offset) == pytest.approx(abs(lateral), abs=1e-9)
    assert offset @ [np.cos(heading), np.sin(heading), 0] == pytest.approx(0, abs=1e-9)
    assert offset @ [-np.sin(heading), np.cos(heading), 0] == pytest.approx(lateral, abs=1e-9)
