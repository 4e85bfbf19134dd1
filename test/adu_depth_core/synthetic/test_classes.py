"""Every face of a street has a class."""

import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.mesh import boxes, merge
from adu_depth_core.synthetic.objects.furniture import bench, traffic_light, traffic_sign
from adu_depth_core.synthetic.objects.people import cyclist, person
from adu_depth_core.synthetic.street import Street
from adu_depth_core.synthetic.surfaces.materials import INDEX
from adu_depth_core.synthetic.vehicles.random_vehicles import random_lorry, random_vehicle


def labels(mesh):
    return {PixelClass(k) for k in np.unique(mesh.label)}


def test_a_label_once_given_stays():
    first = boxes((0, 0, 0), (1, 1, 1), INDEX["matt"]).labelled(PixelClass.SIGN)
    both = merge([first, boxes((2, 0, 0), (1, 1, 1), INDEX["matt"])]).labelled(PixelClass.POLE)
    assert labels(both) == {PixelClass.SIGN, PixelClass.POLE}
    assert np.all(both.label[: len(first)] == PixelClass.SIGN)


def test_a_sign_is_its_plate_and_a_pole():
    rng = np.random.default_rng(0)
    for mesh in (traffic_sign(rng), traffic_light(rng, 2.0)):
        assert labels(mesh) == {PixelClass.SIGN, PixelClass.POLE}
        post = mesh.corners[mesh.label == PixelClass.POLE].reshape(-1, 3)
        assert post[:, 2].min() < 0


def test_people_and_vehicles_are_whole():
    rng = np.random.default_rng(0)
    assert labels(person(rng)) == labels(cyclist(rng)) == {PixelClass.PERSON}
    for mesh in [random_vehicle(rng)[0] for _ in range(40)] + [random_lorry(rng) for _ in range(10)]:
        # The dark base plane is ground, and flat.
        below = mesh.corners[mesh.label == PixelClass.GROUND].reshape(-1, 3)
        assert labels(mesh) == {PixelClass.VEHICLE, PixelClass.GROUND}
        assert below[:, 2].max() < 0.05


def test_benches_have_no_class_of_their_own():
    assert labels(bench(np.random.default_rng(0))) == {PixelClass.OTHER}


@pytest.mark.parametrize("seed", range(3))
def test_what_a_street_is_made_of_has_a_class(seed):
    mesh = Street(np.random.default_rng(seed), lambda time: 9.0 * time, duration=0.0).mesh_at(0.0)
    of_other = mesh.material[mesh.label == PixelClass.OTHER]
    # Bins, benches and shelters.
    assert set(of_other) <= {INDEX[name] for name in ("concrete", "matt", "metal", "wood", "car_glass")} | {
        INDEX[f"poster_{k}"] for k in range(5)
    }
    assert {PixelClass.GROUND, PixelClass.BUILDING, PixelClass.VEGETATION, PixelClass.VEHICLE} <= labels(mesh)
    ground = mesh.material[mesh.label == PixelClass.GROUND]
    assert {INDEX["asphalt"], INDEX["asphalt_old"]} & set(ground)
