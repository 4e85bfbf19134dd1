"""Both views and the depth show the same scene: checked ray by ray."""

import numpy as np
import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from adu_depth_core.stereo_pair import disparity_from_depth
from adu_depth_core.synthetic.drive import DriveConfig
from adu_depth_core.synthetic.drive.kitti2015_writer import seen_by_right
from adu_depth_core.synthetic.imaging.light import random_light
from adu_depth_core.synthetic.imaging.render import render
from adu_depth_core.synthetic.imaging.shading import Shader
from adu_depth_core.synthetic.street import Street


@pytest.fixture(scope="module")
def views():
    """A shader, the rig, the left pose, and the depth of both views."""
    rng = np.random.default_rng(8)
    street = Street(rng, lambda time: 8.0 * time, duration=0.0)
    rig = DriveConfig(width=500, height=150).rig
    shader = Shader(street.mesh_at(0.0), random_light(rng))
    world_from_base = np.eye(4)
    world_from_base[:3, 3] = street.line.point(0.0, street.ego_lane)
    world_from_left = world_from_base @ rig.base_from_left
    left_from_right = np.eye(4)
    left_from_right[0, 3] = rig.baseline
    _, left, _ = render(shader, rig.camera, world_from_left)
    _, right, _ = render(shader, rig.camera, world_from_left @ left_from_right)
    return shader, rig, world_from_left, left, right


def test_both_views_have_the_same_depth_where_both_see_a_surface(views):
    _, rig, _, left, right = views
    disparity = disparity_from_depth(left, rig.camera.fx * rig.baseline)
    v, u = np.nonzero(seen_by_right(disparity))
    landing = np.round(u - disparity[v, u]).astype(int)
    difference = np.abs(right[v, landing] - left[v, u]) / left[v, u]
    assert np.median(difference) < 1e-3
    assert np.percentile(difference, 90) < 0.05


def test_the_mask_of_common_pixels_agrees_with_the_ray_caster(views):
    shader, rig, world_from_left, left, _ = views
    disparity = disparity_from_depth(left, rig.camera.fx * rig.baseline)
    finite = np.isfinite(left)
    points = rig.camera.unproject(np.where(finite, left, 0))[finite]
    points = points @ world_from_left[:3, :3].T + world_from_left[:3, 3]
    eye = world_from_left[:3, :3] @ [rig.baseline, 0, 0] + world_from_left[:3, 3]
    # From the surface towards the camera; the first and last centimetres would hit the surface itself.
    rays = (eye - points).astype(np.float32)
    start = points + 0.01 * rays / np.linalg.norm(rays, axis=1, keepdims=True)
    hits = shader.caster.cast(start.astype(np.float32), rays)
    hidden = np.zeros(len(rays), bool)
    hidden[hits.ray[hits.t < 0.999]] = True
    columns = np.nonzero(finite)[1]
    in_picture = columns - disparity[finite] >= 0
    assert np.mean(seen_by_right(disparity)[finite] == (in_picture & ~hidden)) > 0.97
