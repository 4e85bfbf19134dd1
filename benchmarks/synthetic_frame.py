"""CPU time of synthetic streets, their stereo frames and monocular views, on one core.

python benchmarks/synthetic_frame.py --size 375x1242 --streets 4
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
from adu_depth_core.synthetic.drive.random_rig import VEHICLE_CAMERAS
from adu_depth_core.synthetic.drive.viewpoints import generate_views
from adu_depth_core.synthetic.surfaces.materials import shared_atlas

VIEWS = 4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=rows_x_columns, default=(375, 1242), metavar="HxW")
    parser.add_argument("--streets", type=int, default=4, metavar="N", help="streets to average over (4)")
    arguments = parser.parse_args()
    height, width = arguments.size

    start = time.process_time()
    shared_atlas()
    print(f"textures, once for the process  {time.process_time() - start:5.2f} s")

    times = []
    for seed in range(arguments.streets):
        start = time.process_time()
        _, frames = generate_drive(DriveConfig(seed=seed, frames=3, width=width, height=height))
        stamps = [start] + [time.process_time() for _ in frames]
        first, *others = np.diff(stamps)
        times.append((first - np.mean(others), np.mean(others)))
    street, frame = np.mean(times, axis=0)
    print(f"street, once for each drive     {street:5.2f} s")
    print(f"stereo frame {height}x{width}, LiDAR  {frame:5.2f} s")

    start = time.process_time()
    for seed in range(arguments.streets):
        rng = np.random.default_rng(seed)
        config = DriveConfig(seed=seed, mono=True, lidar=None)
        list(generate_views([VEHICLE_CAMERAS.draw(rng, config) for _ in range(VIEWS)], spacing=40.0))
    view = (time.process_time() - start) / (VIEWS * arguments.streets)
    print(f"mono view, random camera, all in {view:4.2f} s   ({VIEWS} views of each street)")


if __name__ == "__main__":
    main()
