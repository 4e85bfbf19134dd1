"""``adu_depth synth-drive``: generate synthetic drives as a KITTI 2015 folder, as rosbags, or both."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adu_depth_core.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = """examples:
  a 10 s drive at 10 Hz as a rosbag:
    adu_depth synth-drive --bag drive --frames 100
  training data: 150 different streets, 2 frames from each, about 10 m apart:
    adu_depth synth-drive --out synthetic --scenes 150 --frames 2 --rate 1

An interrupted run keeps the frames that are complete. The same options give the same bytes."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write in KITTI 2015 layout")
    parser.add_argument(
        "--bag",
        type=Path,
        metavar="PATH",
        help="rosbag2 (MCAP) to write; with several scenes, a folder of them",
    )
    parser.add_argument(
        "--scenes", type=int, default=1, metavar="N", help="number of drives, each in another street (1)"
    )
    parser.add_argument("--frames", type=int, default=20, metavar="N", help="frames of each drive (20)")
    parser.add_argument("--rate", type=float, default=10.0, metavar="HZ", help="frames per second (10)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the first scene, then S+1, S+2 ... (0)"
    )
    parser.add_argument(
        "--size", type=_size, default=(375, 1242), metavar="HxW", help="image size in pixels (375x1242)"
    )
    parser.add_argument(
        "--focal",
        type=float,
        metavar="PX",
        help="focal length in pixels (KITTI's field of view: 721.5 at width 1242)",
    )
    parser.add_argument(
        "--baseline", type=float, default=0.532, metavar="M", help="metres between the cameras (0.532)"
    )
    parser.add_argument(
        "--lidar-steps", type=int, default=1800, metavar="N", help="LiDAR directions in one turn (1800)"
    )
    parser.add_argument(
        "--lidar-noise",
        type=float,
        default=0.0,
        metavar="M",
        help="standard deviation of LiDAR ranges, metres (0)",
    )


def run(arguments: argparse.Namespace) -> int:
    from adu_depth_core.synthetic.drive import DriveConfig, generate_drive
    from adu_depth_core.synthetic.kitti_folder import write_kitti2015
    from adu_depth_core.synthetic.lidar import Lidar

    if arguments.out is None and arguments.bag is None:
        raise UserError(
            "nothing to write: give --out DIR for a KITTI 2015 folder, --bag PATH for a rosbag, or both"
        )
    if arguments.scenes < 1:
        raise UserError(f"--scenes is {arguments.scenes}: must be at least 1")
    if arguments.out is not None and any(arguments.out.glob("training/image_2/*.png")):
        raise UserError(f"{arguments.out} already holds frames; give another folder or remove it")
    height, width = arguments.size
    try:
        # Only the bag has room for LiDAR points.
        lidar = (
            Lidar(azimuth_steps=arguments.lidar_steps, range_noise=arguments.lidar_noise)
            if arguments.bag
            else None
        )
        configs = [
            DriveConfig(
                seed=arguments.seed + scene,
                frames=arguments.frames,
                width=width,
                height=height,
                focal=arguments.focal,
                baseline=arguments.baseline,
                rate_hz=arguments.rate,
                lidar=lidar,
            )
            for scene in range(arguments.scenes)
        ]
    except ValueError as error:
        raise UserError(str(error)) from error

    written = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rendering", total=arguments.scenes * arguments.frames)
        for config in configs:
            rig, frames = generate_drive(config)
            with _bag(arguments.bag, rig, config.seed if arguments.scenes > 1 else None) as bag:
                for frame in frames:
                    if arguments.out is not None:
                        write_kitti2015(arguments.out, written, rig, frame)
                    if bag is not None:
                        bag.write(frame)
                    written += 1
                    progress.advance(task)
    for target, kind in ((arguments.out, "KITTI 2015 folder"), (arguments.bag, "bag")):
        if target is not None:
            print(f"{target}: {kind}, {written} stereo frames of {arguments.scenes} streets")
    return 0


def _bag(path: Path | None, rig, seed: int | None):
    """Context that gives the bag's writer, or None where no bag is wanted."""
    if path is None:
        return contextlib.nullcontext()
    from adu_depth_core.bags.drive_bag import DriveBagWriter

    return DriveBagWriter(path if seed is None else path / f"drive_{seed:06d}", rig)


def _size(text: str) -> tuple[int, int]:
    """``375x1242`` to height and width."""
    try:
        height, width = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 375x1242 (height x width)") from None
    return height, width
