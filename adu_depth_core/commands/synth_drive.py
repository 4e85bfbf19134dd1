"""``adu_depth synth-drive``: synthetic drives as a KITTI 2015 folder, as rosbags, or both."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np

from adu_depth_core.commands.choice_argument import choice, sizes
from adu_depth_core.commands.number_arguments import number, whole_number
from adu_depth_core.errors import UsageError, UserError
from adu_depth_core.files import check_folder_writable
from adu_depth_core.progress import progress_bar
from adu_depth_core.synthetic.drive import LONGEST_DRIVE_S, DriveConfig, generate_drive
from adu_depth_core.synthetic.drive.kitti2015_writer import write_kitti2015
from adu_depth_core.synthetic.drive.random_rig import KITTI_CAMERA, VEHICLE_CAMERAS
from adu_depth_core.synthetic.drive.viewpoints import generate_views
from adu_depth_core.synthetic.frame import DriveFrame, Rig
from adu_depth_core.synthetic.imaging.lidar import Lidar

MOST = 100_000
"""Scenes, and frames of each."""

LONGEST_STREET = 10 * LONGEST_DRIVE_S
"""Metres: a drive goes at about 10 m/s, and a street takes memory by its length."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="DIR", help="write a folder in KITTI 2015 layout")
    parser.add_argument(
        "--bag",
        type=Path,
        metavar="PATH",
        help="write a rosbag2 (MCAP); with several scenes, a folder of them",
    )
    parser.add_argument(
        "--scenes",
        type=whole_number(1, MOST),
        default=1,
        metavar="N",
        help="drives, each in a different street (default 1)",
    )
    parser.add_argument(
        "--frames",
        type=whole_number(1, MOST),
        default=20,
        metavar="N",
        help="frames of each drive (default 20)",
    )
    parser.add_argument(
        "--rate", type=number(above=0), default=10.0, metavar="HZ", help="frames a second (default 10)"
    )
    parser.add_argument(
        "--spread",
        type=number(least=1, most=1000),
        metavar="M",
        help="instead of a drive, views about M metres apart in one street, each with its own camera and "
        "lighting, and with more people, vehicles and signs (folders only)",
    )
    parser.add_argument(
        "--mono", action="store_true", help="the left view only, in half the time: for training students"
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0, 2**62),
        default=0,
        metavar="S",
        help="seed of the first drive, incremented for each further one (default 0)",
    )
    _add_camera_arguments(parser)
    lidar = parser.add_argument_group("LiDAR (bags only)")
    lidar.add_argument(
        "--lidar-beams", type=whole_number(1, 1024), default=64, metavar="N", help="lasers (default 64)"
    )
    lidar.add_argument(
        "--lidar-steps",
        type=whole_number(1, 36000),
        default=1800,
        metavar="N",
        help="azimuth steps per revolution (default 1800)",
    )
    lidar.add_argument(
        "--lidar-noise",
        type=number(least=0),
        default=0.0,
        metavar="M",
        help="standard deviation of the range noise in metres (default 0)",
    )
    parser.epilog = (
        "examples:\n"
        "  a drive of 10 s as a bag:\n"
        "    adu_depth synth-drive --bag drive --frames 100\n"
        "  a high camera pitched down by 6 degrees, 90 degrees wide:\n"
        "    adu_depth synth-drive --bag truck --size 480x768 --fov 90 --camera-height 2.2 --pitch -6\n"
        "  training data, 150 streets with 2 stereo frames of each, about 10 m apart:\n"
        "    adu_depth synth-drive --out synthetic --scenes 150 --frames 2 --rate 1\n"
        "  training data for any camera, single images, 4 in each street:\n"
        "    adu_depth synth-drive --out any --scenes 200 --frames 4 --spread 40 --mono --random-camera\n"
        "\n"
        "The same options give the same bytes. An interrupted run keeps the completed frames."
    )


def _add_camera_arguments(parser: argparse.ArgumentParser) -> None:
    # Otherwise argparse takes -8:4 for an option: it recognises negative numbers, but not ranges.
    parser._negative_number_matcher = re.compile(r"^-[\d.][\d.:,e-]*$")
    cameras = parser.add_argument_group(
        "cameras",
        "Each value may be a range such as -8:4, or a list of values and ranges such as 0,-60,60,170:190, "
        "sampled once per drive, or with --spread once per view.",
    )
    cameras.add_argument(
        "--random-camera",
        action="store_true",
        help="sample all parameters not given from those of typical vehicles: 4:3, 16:9, 16:10 or 3.3:1 "
        "at 0.2 megapixels, "
        "40 to 110 degrees wide, 1.2 to 2.6 m high, pitch -8 to 4, roll -3 to 3, baseline 0.2 to 0.6 m, "
        "ahead half of the time, else in one of five other directions",
    )
    cameras.add_argument(
        "--size",
        type=sizes,
        metavar="HEIGHTxWIDTH",
        help="size of the images, or several with commas between (default 375x1242)",
    )
    view = cameras.add_mutually_exclusive_group()
    view.add_argument(
        "--focal",
        type=number(above=0),
        metavar="PX",
        help="focal length in pixels (default: KITTI's view, 721.5 at width 1242)",
    )
    view.add_argument("--fov", type=choice, metavar="DEG", help="horizontal field of view instead")
    for name, unit, text in (
        ("baseline", "M", "metres from left to right (default 0.532)"),
        ("camera-height", "M", "metres above the road (default 1.65)"),
        ("pitch", "DEG", "0 is level, negative looks down (default 0)"),
        ("roll", "DEG", "clockwise is positive (default 0); a pair is rotated as a whole"),
        ("yaw", "DEG", "0 looks ahead, 90 to the left, 180 back (default 0)"),
    ):
        cameras.add_argument(f"--{name}", type=choice, metavar=unit, help=text)


def run(arguments: argparse.Namespace) -> int:
    if arguments.out is None and arguments.bag is None:
        raise UsageError(
            "nothing to write: give --out DIR for a KITTI 2015 folder, --bag PATH for a rosbag, or both"
        )
    if arguments.spread is not None:
        if arguments.bag is not None:
            raise UsageError(
                "--spread draws a camera for each view, a bag has one: give --out DIR without --bag"
            )
        length = (arguments.frames - 1) * arguments.spread
        if length > LONGEST_STREET:
            raise UsageError(
                f"--frames {arguments.frames} with --spread {arguments.spread:g} takes a street of "
                f"{length:g} m, {LONGEST_STREET:g} m is the longest: choose more --scenes"
            )
    if arguments.out is not None and any(arguments.out.glob("training/*/*")):
        raise UserError(f"{arguments.out} holds frames already; give another folder or remove it")
    try:
        scenes = [_configs(arguments, arguments.seed + scene) for scene in range(arguments.scenes)]
    except ValueError as error:
        raise UsageError(str(error)) from error
    for folder in (arguments.out, arguments.bag and arguments.bag.parent):
        if folder is not None:
            check_folder_writable(folder)

    written = 0
    with progress_bar() as progress:
        task = progress.add_task("Rendering", total=arguments.scenes * arguments.frames)
        for configs in scenes:
            with _bag_writer(arguments, configs[0]) as bag:
                for rig, frame in _frames(arguments, configs):
                    if arguments.out is not None:
                        write_kitti2015(arguments.out, written, rig, frame)
                    if bag is not None:
                        bag.write(frame)
                    written += 1
                    progress.advance(task)
    kind = "single images" if arguments.mono else "stereo frames"
    for target in (arguments.out, arguments.bag):
        if target is not None:
            streets = f"{arguments.scenes} street{'s' * (arguments.scenes != 1)}"
            print(f"{target}: {written} {kind}, {streets}")
    return 0


def _frames(
    arguments: argparse.Namespace, configs: Sequence[DriveConfig]
) -> Iterator[tuple[Rig, DriveFrame]]:
    if arguments.spread is not None:
        return generate_views(configs, arguments.spread)
    rig, frames = generate_drive(configs[0])
    return ((rig, frame) for frame in frames)


def _configs(arguments: argparse.Namespace, seed: int) -> list[DriveConfig]:
    """The drive with this seed; for views in one street, as many as there are."""
    lidar = Lidar(arguments.lidar_beams, arguments.lidar_steps, range_noise=arguments.lidar_noise)
    config = DriveConfig(
        seed=seed,
        frames=arguments.frames,
        focal=arguments.focal,
        rate_hz=arguments.rate,
        mono=arguments.mono,
        # The KITTI 2015 layout has no point clouds.
        lidar=None if arguments.bag is None else lidar,
    )
    given = {
        "sizes": arguments.size,
        "fov": arguments.fov,
        "baseline": arguments.baseline,
        "height": arguments.camera_height,
        "pitch": arguments.pitch,
        "roll": arguments.roll,
        "yaw": arguments.yaw,
    }
    random_rig = VEHICLE_CAMERAS if arguments.random_camera else KITTI_CAMERA
    if arguments.focal is not None:
        random_rig = replace(random_rig, fov=None)
    random_rig = replace(random_rig, **{name: value for name, value in given.items() if value is not None})
    rng = np.random.default_rng([seed, len("rig")])
    return [random_rig.draw(rng, config) for _ in range(1 if arguments.spread is None else arguments.frames)]


def _bag_writer(arguments: argparse.Namespace, config: DriveConfig) -> AbstractContextManager:
    """Context manager that gives the writer of this drive's bag, or None if no bag is wanted."""
    if arguments.bag is None:
        return contextlib.nullcontext()
    # Imported here so that writing folders does not need rosbags.
    from adu_depth_core.bags.drive_bag import DriveBagWriter

    several = arguments.scenes > 1
    path = arguments.bag / f"drive_{config.seed:06d}" if several else arguments.bag
    return DriveBagWriter(path, config.rig)
