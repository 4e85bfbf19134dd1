"""``adu_depth extract``: training data from a bag."""

from __future__ import annotations

import argparse
from pathlib import Path

from adu_depth_core.bags.extraction import SPLIT, MotionFilter, extract
from adu_depth_core.bags.frames import FrameReader
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import choose_topics
from adu_depth_core.commands.bag_options import (
    add_topic_arguments,
    print_topics,
    reading_options,
    topic_options,
)
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_folder_writable, write_atomically
from adu_depth_core.prefetch import Prefetch
from adu_depth_core.progress import progress_bar

EPILOG = """\
The folder is a training source of kind stereo_folder; docs/training_data.md describes it. Pairs without
depth are labelled by stereo matching during training.

examples:
  adu_depth extract drive --out data/drive
  adu_depth extract drive --out data --split
  adu_depth extract drive --out data/drive --truth lidar --min-motion 2 --tolerance 20
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("bag", type=Path, metavar="BAG", help="rosbag2 folder, .mcap, .db3 or .bag")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder")
    shares = ", ".join(f"{part} {100 * a:.0f} to {100 * b:.0f} %%" for part, (a, b) in SPLIT.items())
    parser.add_argument(
        "--split",
        action="store_true",
        help="cut the drive in order of time into the folders training, calibration and validation of DIR "
        f"({shares})",
    )
    parser.add_argument(
        "--min-motion",
        type=number(least=0),
        default=0.5,
        metavar="M",
        help="metres that the camera travels between frames, by the bag's poses; without poses, static "
        "frames are skipped; 0 keeps every frame (default: 0.5)",
    )
    parser.add_argument(
        "--min-turn",
        type=number(above=0),
        default=5.0,
        metavar="DEG",
        help="degrees of rotation that count as motion on their own (default: 5)",
    )
    add_topic_arguments(parser, ("depth", "lidar", "none"))


def run(arguments: argparse.Namespace) -> int:
    out = arguments.out
    if out.exists():
        raise UserError(f"{out} exists already; choose another --out")
    check_folder_writable(out.parent)
    with BagReader(arguments.bag, salvage=True) as bag:
        topics = choose_topics(bag.topics, arguments.bag.name, topic_options(arguments), pair=True)
        total = bag.message_counts[topics.image]
    print_topics(arguments.bag, topics)
    skipped = SkippedFrames()
    reader = FrameReader(arguments.bag, topics, reading_options(arguments), skipped)
    motion = MotionFilter(arguments.min_motion, arguments.min_turn)
    with write_atomically(out, replace=False) as folder, progress_bar() as bar, Prefetch(reader) as frames:
        task = bar.add_task("Extracting", total=total)
        result = extract(
            *(reader, skipped, folder, motion, lambda done: bar.update(task, completed=done), frames),
            split_images=total if arguments.split else None,
        )
    print(f"{out}: {result.written} pairs of {result.frames_read} images, {result.depth_frames} with depth")
    if result.parts:
        print("  " + ", ".join(f"{part} {count}" for part, count in result.parts.items()))
    if result.without_motion:
        print(f"  {result.without_motion} left out: too little motion since the frame before (--min-motion)")
    for entry in result.skipped:
        print(f"  {entry.frames} skipped, the first is number {entry.first_index}: {entry.reason}")
    if result.damage:
        print(f"  {result.damage}")
    return 0
