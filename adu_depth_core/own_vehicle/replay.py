"""Synthetic streets with random cameras: replay data against forgetting, and its measurement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from adu_depth_core.errors import require
from adu_depth_core.files import write_atomically

SCENES = {"replay": (500_000, 16), "elsewhere": (600_000, 6)}
"""Seed of the first street, and number of streets: those to replay, and those to judge by."""

VIEWS = 4
"""Of each street."""

APART = 40.0
"""Metres between them."""

IMAGES = sum(count for _, count in SCENES.values()) * VIEWS


def write_replay(root: Path, on_view: Callable[[], None]) -> None:
    """Write ``root/replay`` and ``root/elsewhere``, synthetic folders of single images; what is there stays.

    :raises UserError: if the packages for synthetic drives are not installed
    """
    for package in ("trimesh", "embreex"):
        require(package, "synthetic", "to make synthetic streets against forgetting")
    from adu_depth_core.synthetic.drive import DriveConfig
    from adu_depth_core.synthetic.drive.kitti2015_writer import write_kitti2015
    from adu_depth_core.synthetic.drive.random_rig import VEHICLE_CAMERAS
    from adu_depth_core.synthetic.drive.viewpoints import generate_views

    for name, (seed, count) in SCENES.items():
        if (root / name).is_dir():
            for _ in range(count * VIEWS):
                on_view()
            continue
        with write_atomically(root / name) as folder:
            for scene in range(count):
                rng = np.random.default_rng([seed + scene, len("rig")])
                config = DriveConfig(seed=seed + scene, frames=VIEWS, mono=True)
                configs = [VEHICLE_CAMERAS.draw(rng, config) for _ in range(VIEWS)]
                for number, (rig, frame) in enumerate(generate_views(configs, APART)):
                    write_kitti2015(folder, scene * VIEWS + number, rig, frame)
                    on_view()
