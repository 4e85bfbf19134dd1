"""How long a synthetic street and its stereo frames take, in processor time of one core.

python benchmarks/synthetic_frame.py --size 375x1242 --streets 4
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
from adu_depth_core.synthetic.materials import shared_atlas


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


if __name__ == "__main__":
    main()
