"""``adu_depth synth-drive``: synthetic drives as a KITTI 2015 folder, as rosbags, or both."""

from __future__ import annotations

import argparse
import contextlib
from contextlib import AbstractContextManager
from pathlib import Path

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_folder_writable
from adu_depth_core.progress import progress_bar
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
from adu_depth_core.synthetic.frame import Rig
from adu_depth_core.synthetic.kitti_folder import write_kitti2015
from adu_depth_core.synthetic.lidar import Lidar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="DIR", help="write a folder in KITTI 2015 layout")
    parser.add_argument(
        "--bag",
        type=Path,
        metavar="PATH",
        help="write a rosbag2 (MCAP); with several scenes, a folder of them",
    )
    parser.add_argument(
        "--scenes", type=int, default=1, metavar="N", help="drives, each in another street (default 1)"
    )
    parser.add_argument(
        "--frames", type=int, default=20, metavar="N", help="stereo frames of each drive (default 20)"
    )
    parser.add_argument("--rate", type=float, default=10.0, metavar="HZ", help="frames a second (default 10)")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of the first drive; the others count up (default 0)",
    )
    cameras = parser.add_argument_group("cameras")
    cameras.add_argument(
        "--size",
        type=rows_x_columns,
        default=(375, 1242),
        metavar="HxW",
        help="rows x columns of the images (default 375x1242)",
    )
    cameras.add_argument(
        "--focal",
        type=float,
        metavar="PX",
        help="focal length in pixels (default: KITTI's view, 721.5 at width 1242)",
    )
    cameras.add_argument(
        "--baseline", type=float, default=0.532, metavar="M", help="metres from left to right (default 0.532)"
    )
    lidar = parser.add_argument_group("LiDAR (bags only)")
    lidar.add_argument("--lidar-beams", type=int, default=64, metavar="N", help="lasers (default 64)")
    lidar.add_argument(
        "--lidar-steps", type=int, default=1800, metavar="N", help="directions in one turn (default 1800)"
    )
    lidar.add_argument(
        "--lidar-noise",
        type=float,
        default=0.0,
        metavar="M",
        help="deviation of the ranges in metres (default 0)",
    )
    parser.epilog = (
        "examples:\n"
        "  a drive of 10 s as a bag:\n"
        "    adu_depth synth-drive --bag drive --frames 100\n"
        "  training data, 150 streets with 2 frames of each, about 10 m apart:\n"
        "    adu_depth synth-drive --out synthetic --scenes 150 --frames 2 --rate 1\n"
        "\n"
        "The same options give the same bytes. An interrupted run keeps what is complete."
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.out is None and arguments.bag is None:
        raise UserError(
            "nothing to write: give --out DIR for a KITTI 2015 folder, --bag PATH for a rosbag, or both"
        )
    if arguments.scenes < 1:
        raise UserError(f"--scenes is {arguments.scenes}: must be at least 1")
    if arguments.out is not None and any(arguments.out.glob("training/*/*")):
        raise UserError(f"{arguments.out} holds frames already; give another folder or remove it")
    try:
        configs = [_config(arguments, arguments.seed + scene) for scene in range(arguments.scenes)]
    except ValueError as error:
        raise UserError(str(error)) from error
    for folder in (arguments.out, arguments.bag and arguments.bag.parent):
        if folder is not None:
            check_folder_writable(folder)

    written = 0
    with progress_bar() as progress:
        task = progress.add_task("Rendering", total=arguments.scenes * arguments.frames)
        for config in configs:
            rig, frames = generate_drive(config)
            with _bag_writer(arguments, rig, config.seed) as bag:
                for frame in frames:
                    if arguments.out is not None:
                        write_kitti2015(arguments.out, written, rig, frame)
                    if bag is not None:
                        bag.write(frame)
                    written += 1
                    progress.advance(task)
    for target in (arguments.out, arguments.bag):
        if target is not None:
            print(f"{target}: {written} stereo frames, {arguments.scenes} streets")
    return 0


def _config(arguments: argparse.Namespace, seed: int) -> DriveConfig:
    height, width = arguments.size
    lidar = Lidar(arguments.lidar_beams, arguments.lidar_steps, range_noise=arguments.lidar_noise)
    return DriveConfig(
        seed=seed,
        frames=arguments.frames,
        width=width,
        height=height,
        focal=arguments.focal,
        baseline=arguments.baseline,
        rate_hz=arguments.rate,
        # A KITTI 2015 folder has no place for points.
        lidar=None if arguments.bag is None else lidar,
    )


def _bag_writer(arguments: argparse.Namespace, rig: Rig, seed: int) -> AbstractContextManager:
    """Context manager that gives the writer of this drive's bag, or None if no bag is wanted."""
    if arguments.bag is None:
        return contextlib.nullcontext()
    # Only here, so that writing folders does not need the rosbags package.
    from adu_depth_core.bags.drive_bag import DriveBagWriter

    return DriveBagWriter(
        arguments.bag if arguments.scenes == 1 else arguments.bag / f"drive_{seed:06d}", rig
    )
