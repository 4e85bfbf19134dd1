from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
from adu_depth_core.synthetic.drive.mounting import Mounting
from adu_depth_core.synthetic.drive.viewpoints import generate_views

SMALL = DriveConfig(seed=11, width=128, height=72, focal=70.0, mono=True, lidar=None)
LOOK = [Mounting(yaw=yaw) for yaw in (0, 60, 180)]


@pytest.fixture(scope="module")
def views():
    return list(generate_views([replace(SMALL, mounting=mounting) for mounting in LOOK], spacing=40.0))


def test_the_places_are_about_one_spacing_apart(views):
    places = np.array([frame.world_from_base[:3, 3] for _, frame in views])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert np.all((steps > 20) & (steps < 60))


def test_each_view_has_its_own_camera(views):
    for (rig, _), mounting in zip(views, LOOK, strict=True):
        np.testing.assert_array_equal(rig.base_from_left, mounting.base_from_left(SMALL.baseline))


def test_the_same_seed_gives_the_same_views(views):
    again = list(generate_views([replace(SMALL, mounting=mounting) for mounting in LOOK], spacing=40.0))
    for (_, first), (_, second) in zip(views, again, strict=True):
        assert np.array_equal(first.left, second.left)
        assert np.array_equal(first.depth, second.depth)


def test_something_stands_at_the_end_of_the_street_that_is_looked_back_at(views):
    """A street extends above the road's vanishing point, not an empty horizon."""
    frame = views[2][1]
    horizon = round(0.461 * 72)
    assert (frame.depth[horizon - 1] < 300).mean() > 0.9


@pytest.fixture(scope="module")
def streets():
    """A view of each of six streets, with its settings."""
    configs = [replace(SMALL, seed=seed) for seed in range(20, 26)]
    return [(config, next(generate_views([config], spacing=40.0))[1]) for config in configs]


def test_more_people_and_signs_are_about_than_on_a_drive(streets):
    def share(classes):
        return np.isin(classes, (PixelClass.PERSON, PixelClass.SIGN)).mean()

    lively, calm = 0.0, 0.0
    for config, frame in streets:
        lively += share(frame.classes)
        calm += share(next(generate_drive(config)[1]).classes)
    assert lively > 1.5 * calm


def test_nothing_of_the_crowd_is_in_the_camera(streets):
    for _, frame in streets:
        crowd = np.isin(frame.classes, (PixelClass.PERSON, PixelClass.POLE))
        assert not crowd.any() or frame.depth[crowd].min() > 1.0
