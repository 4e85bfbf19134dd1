"""Options of the commands that read camera frames from bags."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from adu_depth_core.bags.frames import ReadingOptions
from adu_depth_core.bags.poses_file import read_poses
from adu_depth_core.bags.synchronizer import HOLD_NS
from adu_depth_core.bags.topic_choice import TopicOptions, Topics
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.datasets.calibration_file import read_calibration
from adu_depth_core.errors import UserError
from adu_depth_core.terminal import plain_console, print_wrapped


def add_topic_arguments(parser: argparse.ArgumentParser, truths: tuple[str, ...]) -> None:
    """Topics, and how messages are brought together.

    :param truths: kinds of ground truth to choose from
    """
    topics = parser.add_argument_group("topics (default: selected by type and name, and printed)")
    topics.add_argument("--image", metavar="TOPIC", help="left or only camera, Image or CompressedImage")
    topics.add_argument("--camera-info", metavar="TOPIC", help="its calibration")
    topics.add_argument(
        "--calib", type=Path, metavar="FILE", help="its calibration from a YAML or KITTI file"
    )
    topics.add_argument("--truth", choices=truths, help="kind of ground truth (default: the best available)")
    topics.add_argument("--truth-topic", metavar="TOPIC", help="depth images or PointCloud2")
    topics.add_argument("--right-image", metavar="TOPIC", help="right camera of the pair")
    topics.add_argument(
        "--right-camera-info", metavar="TOPIC", help="its calibration, with the baseline in P"
    )
    reading = parser.add_argument_group("reading")
    reading.add_argument(
        "--tolerance",
        type=number(least=0, most=HOLD_NS / 1e6),
        default=50.0,
        metavar="MS",
        help="largest time difference between an image and its matched messages (default: 50)",
    )
    reading.add_argument(
        "--beam-gap",
        type=number(above=0, below=30),
        default=1.0,
        metavar="DEG",
        help="angle larger than that between LiDAR beams: nearer returns within it occlude a point "
        "(default: 1)",
    )
    reading.add_argument(
        "--rectify",
        choices=("auto", "yes", "no"),
        default="auto",
        help="rectify images and their depth by camera_info; auto: if they have distortion and their topic "
        "does not say 'rect'",
    )


def topic_options(arguments: argparse.Namespace) -> TopicOptions:
    """The topics that the options above name."""
    return TopicOptions(
        image=arguments.image,
        camera_info=arguments.camera_info,
        truth=arguments.truth,
        truth_topic=arguments.truth_topic,
        right_image=arguments.right_image,
        right_info=arguments.right_camera_info,
        where=getattr(arguments, "where", None),
    )


def reading_options(arguments: argparse.Namespace) -> ReadingOptions:
    """Matching options from the options above.

    :raises UserError: if there is no such calibration file, or the poses cannot be read
    """
    calibration = None
    if arguments.calib is not None:
        if not arguments.calib.is_file():
            raise UserError(f"--calib {arguments.calib} does not exist")
        calibration = functools.cache(functools.partial(read_calibration, arguments.calib))
    chosen = getattr(arguments, "poses", None)
    poses = None if chosen is None else read_poses(chosen)
    return ReadingOptions(
        round(arguments.tolerance * 1e6), arguments.beam_gap, arguments.rectify, calibration, poses
    )


def print_topics(bag: Path, topics: Topics, truth: str | None = None) -> None:
    """The selected topics, with the reasons.

    :param truth: ground truth that comes from elsewhere; None for that of the topics
    """
    console = plain_console()
    console.print(str(bag), soft_wrap=True)
    for choice in topics.choices:
        print_wrapped(console, f"  {choice.role:<18} {choice.topic} ({choice.reason})", indent=21)
    print_wrapped(console, f"  {'ground truth':<18} {truth or topics.truth}", indent=21)
