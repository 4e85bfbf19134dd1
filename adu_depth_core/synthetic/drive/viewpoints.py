"""Images from distant places in one street, each with its own camera and lighting.

A street takes longer to put up than a picture of it to render, so that several pictures of one are cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from adu_depth_core.synthetic.drive import DriveConfig, record
from adu_depth_core.synthetic.drive.trajectory import Trajectory
from adu_depth_core.synthetic.frame import DriveFrame, Rig
from adu_depth_core.synthetic.geometry.mesh import merge
from adu_depth_core.synthetic.imaging.light import random_light
from adu_depth_core.synthetic.imaging.sensor import random_sensor
from adu_depth_core.synthetic.imaging.shading import Shader
from adu_depth_core.synthetic.street import Street
from adu_depth_core.synthetic.street.crowd import crowd
from adu_depth_core.synthetic.street.site import VIEW_STYLE_SHARE

_FAR, _NEAR = 200.0, 45.0  # metres of street that are shown where the camera looks along it, and elsewhere
_REACH = 60.0  # metres from the road's middle to the last houses


def generate_views(configs: Sequence[DriveConfig], spacing: float) -> Iterator[tuple[Rig, DriveFrame]]:
    """One frame for each configuration, from one street.

    The surroundings are livelier than those of a drive, see ``crowd``.

    :param configs: at least one; their seeds are the first one's, their numbers of frames and rates are of no
        account
    :param spacing: about so many metres from one place to the next
    """
    seed = configs[0].seed
    rng = np.random.default_rng(seed)
    trajectory = Trajectory(rng)
    # One "second" of the trajectory and of the traffic takes the vehicle one spacing on, more or less.
    step = spacing / trajectory.travelled(1.0)
    street = Street(
        rng, trajectory.travelled, (len(configs) - 1) * step, behind=_FAR, styles=VIEW_STYLE_SHARE
    )
    for index, config in enumerate(configs):
        rng = np.random.default_rng([seed, index, len("viewpoint")])
        time = index * step
        layout = street.site.layout
        lane = -layout.lane_width * (rng.integers(layout.lanes) + 0.5)
        world_from_base = trajectory.world_from_base(street.line, lane, time)
        around = street.mesh_at(time, *_extent(config))
        more = crowd(rng, street.site, trajectory.travelled(time), lane, around)
        light = random_light(rng)
        sensor = random_sensor(rng, light.ground_level)
        config = replace(config, seed=seed)
        yield (
            config.rig,
            record(config, index, Shader(merge([around, *more]), light), sensor, world_from_base),
        )


def _extent(config: DriveConfig) -> tuple[float, float]:
    """Metres of street behind and ahead of the vehicle that its camera may see."""
    half_view = np.degrees(np.arctan(config.width / 2 / config.camera.fx))
    yaw = abs((config.mounting.yaw + 180) % 360 - 180)
    angles = np.radians(np.maximum([180 - yaw - half_view, yaw - half_view], 1.0))
    behind, ahead = np.clip(_REACH / np.tan(np.minimum(angles, np.pi / 2)), _NEAR, _FAR)
    return float(behind), float(ahead)
