"""``adu_depth make-bag``: a KITTI-style folder as a bag."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.bags.kitti_bag import DEFAULT_RATE, LATEST_NS, write_kitti_bag
from adu_depth_core.bags.provenance import source_note
from adu_depth_core.bags.writer import DEFAULT_START_NS
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.datasets.kitti_sequence import find_frames
from adu_depth_core.files import check_folder_writable
from adu_depth_core.progress import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        help="images, calibration and times in the layout of KITTI odometry, raw, object or stereo 2015",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="BAG", help="folder of the new bag")
    parser.add_argument(
        "--rate",
        type=number(least=1e-9, most=1e6),
        metavar="HZ",
        help=f"frames per second instead of the folder's times (default: those, or {DEFAULT_RATE:g} without)",
    )
    parser.add_argument(
        "--start-time",
        type=number(least=0, below=LATEST_NS / 1e9),
        default=DEFAULT_START_NS / 1e9,
        metavar="SECONDS",
        help="stamp of the first frame (default 1; 0 means 'no time' in ROS)",
    )
    parser.add_argument(
        "--compressed",
        action="store_true",
        help="keep the PNG or JPEG files as they are (CompressedImage topics)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the bag if it exists")
    parser.epilog = (
        "example:\n"
        "  adu_depth make-bag kitti/odometry/sequences/02 --out drive_02\n"
        "  ros2 bag play drive_02\n\n"
        "Without rosbag2: python -m adu_depth_ros.bag_player drive_02"
    )


def run(arguments: argparse.Namespace) -> int:
    check_folder_writable(arguments.out.parent)
    frames = find_frames(arguments.folder)
    with progress_bar() as bar:
        counts = write_kitti_bag(
            bar.track(frames, description=f"Writing {arguments.out.name}"),
            arguments.out,
            rate=arguments.rate,
            start_ns=round(arguments.start_time * 1e9),
            compressed=arguments.compressed,
            overwrite=arguments.overwrite,
            note=source_note(arguments.folder, [frame.left.stem for frame in frames]),
        )
    print(f"{arguments.out}: {len(frames)} frames")
    for topic, count in sorted(counts.items()):
        print(f"  {count:6d}  {topic}")
    return 0
