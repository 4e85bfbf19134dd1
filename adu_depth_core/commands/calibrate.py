"""``adu_depth calibrate``: a camera profile from a drive, or from distances measured in an image."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adu_depth_core.camera import Camera
from adu_depth_core.commands.bag_options import (
    add_topic_arguments,
    print_topics,
    reading_options,
    topic_options,
)
from adu_depth_core.commands.camera_options import photo_camera_source
from adu_depth_core.commands.model_options import add_model_arguments, make_predictor
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.errors import UsageError, UserError
from adu_depth_core.evaluation.road_plane import HEIGHTS
from adu_depth_core.files import check_folder_writable, write_atomically
from adu_depth_core.images import read_rgb
from adu_depth_core.inference.camera_profile import SUFFIX
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.profile_choice import AUTO, NONE
from adu_depth_core.media import is_image
from adu_depth_core.own_vehicle.before_after import before_after
from adu_depth_core.own_vehicle.calibration import Calibration, calibrate, judged, profile_name
from adu_depth_core.own_vehicle.drive import TRUTHS, DriveReader, Shown
from adu_depth_core.own_vehicle.measured_distances import Distance, hold_out_distances, parse_distance
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console

REFUSED = 3

SPEED = "speed"
"""Choice of ``--truth``: the vehicle's motion."""

OTHER_UNITS = {"centimetres": 0.01, "feet": 0.3048, "inches": 0.0254, "millimetres": 0.001}
"""Metres in units that heights are given in by mistake."""

EPILOG = f"""\
Writes NAME.profile.json to DIR, for the node, predict, evaluate and evaluate-bag, and NAME.png,
before and after. Ground truth, best first: depth topic, LiDAR, stereo pair; --camera-height; the vehicle's
motion by odometry, /tf or speeds (--truth speed); --distance for a picture.

Exit status: 0 written;
{REFUSED} no improvement, or inconsistent ground truth: nothing is written; 1 an error. What to record, and
how to use it: docs/own_vehicle.md

examples:
  adu_depth calibrate drive --out profile
  adu_depth calibrate drive --truth stereo --out profile
  adu_depth calibrate monday tuesday --camera-height 1.43 --out profile
  adu_depth calibrate drive --truth speed --out profile
  adu_depth calibrate yard.png --focal 1040 --distance 640,410=12.5 --distance 200,390=18.2 \\
      --distance 900,455=7.9 --distance 1100,380=26 --out profile
"""

ROWS = {
    "scale": "median predicted / true",
    "log_error": "mean |ln(p / g)|",
    "abs_rel": "abs_rel",
    "d1": "d1",
    "within_sigma": "share within sigma (nominal 0.683)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="BAG|PICTURE",
        help="bags of one camera, or a picture with --distance",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the profile")
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="of the file NAME.profile.json (default: model, image size and focal length; several cameras "
        "of one "
        "make need names)",
    )
    parser.add_argument("--overwrite", action="store_true", help="overwrite an earlier profile of that name")
    parser.add_argument(
        "--camera-height",
        type=number(above=0.0),
        metavar="M",
        help="metres of the camera above the road: the ground truth, for bags without a better one; with "
        "--truth speed a check of the speed",
    )
    parser.add_argument(
        "--distance",
        type=_distance,
        action="append",
        default=[],
        metavar="U,V=M",
        help="distance in metres from the camera to the surface at column U, row V of the picture; give "
        "four or more",
    )
    parser.add_argument(
        "--focal",
        type=number(above=0),
        metavar="PX",
        help="focal length of the picture's camera, instead of --calib or EXIF",
    )
    parser.add_argument(
        "--allow-training-frames",
        action="store_true",
        help="calibrate, with a warning, on drives listed as training data in the model's card",
    )
    parser.add_argument(
        "--speed-topic",
        metavar="TOPIC",
        help="Odometry or TwistStamped, for --truth speed (default: the poses of the images by /tf and "
        "odometry, else a topic by type)",
    )
    add_topic_arguments(parser, ("depth", "lidar", "stereo", SPEED))
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.profile != AUTO:
        raise UsageError(
            "--profile cannot be used with calibrate, which evaluates the model without a profile and writes "
            "one"
        )
    if arguments.camera_height is not None:
        _check_camera_height(arguments.camera_height)
    arguments.profile = NONE
    if arguments.name and Path(arguments.name).name != arguments.name:
        raise UsageError(f"--name {arguments.name} must be a name without folders; --out is the folder")
    check_folder_writable(arguments.out)
    predictor = make_predictor(arguments, arguments.model)
    if arguments.distance:
        calibration, camera, shown = _of_picture(arguments, predictor)
    else:
        calibration, camera, shown = _of_drive(arguments, predictor)
    console = plain_console()
    print_calibration(calibration, console)
    if calibration.refusal:
        console.print(Text("no profile was written:", "bold red"), calibration.refusal, soft_wrap=True)
        return REFUSED
    path = arguments.out / profile_name(predictor.model_path, camera)
    if arguments.name:
        path = path.with_name(f"{arguments.name}{SUFFIX}")
    if path.exists() and not arguments.overwrite:
        raise UserError(f"{path} exists already: --overwrite replaces it, --name gives another name")
    picture = path.with_name(path.name.removesuffix(SUFFIX) + ".png")
    with write_atomically(picture) as temporary:
        figure = before_after(shown, camera, calibration.decision.correction)
        if not cv2.imwrite(str(temporary), cv2.cvtColor(figure, cv2.COLOR_RGB2BGR)):
            raise UserError(f"{picture} could not be written")
    calibration.profile(predictor.card, camera, arguments.command_line).write(path)
    print(f"written: {path} and {picture.name}")
    print("use it with profile:=FILE (node) or --profile FILE, or copy it beside the model")
    return 0


def _of_drive(arguments: argparse.Namespace, predictor: Predictor) -> tuple[Calibration, Camera, list[Shown]]:
    if arguments.focal is not None:
        raise UsageError("--focal is for a picture with --distance; a bag has camera_info, or give --calib")
    if pictures := [path for path in arguments.inputs if is_image(path)]:
        raise UsageError(f"{pictures[0]} is a picture: give --distance u,v=METRES, or a bag")
    speed = arguments.truth == SPEED or arguments.speed_topic is not None
    if speed and arguments.truth not in (SPEED, None):
        raise UsageError(f"--speed-topic is for --truth speed, not --truth {arguments.truth}")
    if arguments.camera_height is not None and arguments.truth not in (SPEED, None):
        raise UsageError(
            "--camera-height is a ground truth of its own: leave out --camera-height or --truth "
            f"{arguments.truth}"
        )
    topics = topic_options(arguments)
    reader = DriveReader(
        arguments.inputs,
        predictor,
        dataclasses.replace(topics, truth="none") if speed or arguments.camera_height is not None else topics,
        reading_options(arguments),
        arguments.camera_height,
        arguments.allow_training_frames,
        speed,
        arguments.speed_topic,
    )
    for bag, chosen, travel in zip(reader.bags, reader.topics, reader.travel_topics, strict=True):
        print_topics(bag, chosen, TRUTHS[reader.truth] if chosen.truth == "none" else None)
        if reader.truth == SPEED:
            sources = [] if arguments.speed_topic else ["poses of the images"]
            print(f"  {'speed':<18} {', or '.join([*sources, *([travel] if travel else [])])}")
    with progress_bar() as bar:
        task = bar.add_task("Measuring", total=reader.frames_in_bags)
        drive = reader.read(lambda done: bar.update(task, completed=done))
    height = arguments.camera_height if reader.truth == SPEED else None
    return calibrate(drive, predictor.card, height), drive.camera, drive.shown


def _of_picture(
    arguments: argparse.Namespace, predictor: Predictor
) -> tuple[Calibration, Camera, list[Shown]]:
    if len(arguments.inputs) != 1 or not is_image(arguments.inputs[0]):
        raise UsageError("--distance is for one picture, a PNG or JPEG file")
    if arguments.camera_height is not None or arguments.truth is not None or arguments.speed_topic:
        raise UsageError("--distance cannot be combined with --camera-height, --truth or --speed-topic")
    image = read_rgb(arguments.inputs[0])
    told = argparse.Namespace(
        calib=arguments.calib, focal=arguments.focal, fx=None, fy=None, cx=None, cy=None
    )
    file = arguments.inputs[0]
    camera = photo_camera_source(told, [file])(file, image.shape[1], image.shape[0])
    prediction = predictor.predict(image, camera)
    held_out = hold_out_distances(prediction, arguments.distance)
    calibration = judged(held_out, "distances", predictor.card, 1)
    return calibration, camera, [Shown(image, prediction.depth, None)]


def _check_camera_height(height: float) -> None:
    """Refuse heights that no road vehicle's camera has, and name the unit that they may be in."""
    low, high = HEIGHTS
    if low <= height <= high:
        return
    likely = [
        f": {height:g} {unit} are {height * metres:.2f}"
        for unit, metres in OTHER_UNITS.items()
        if low <= height * metres <= high
    ]
    raise UsageError(
        f"--camera-height {height:g}: cameras of road vehicles are {low:g} to {high:g} m above the road; "
        f"give metres{''.join(likely[:1])}"
    )


def print_calibration(calibration: Calibration, console: Console) -> None:
    """The table of before and after, and what is kept."""
    decision = calibration.decision
    table = Table("", "before", "after", title=f"on {calibration.held_out} that the fit did not see")
    for name, text in ROWS.items():
        if name in decision.before:
            table.add_row(text, f"{decision.before[name]:.3f}", f"{decision.after[name]:.3f}")
    console.print(f"truth: {TRUTHS[calibration.truth]}, {calibration.frames} frames")
    console.print(table)
    if decision.correction is not None and not calibration.refusal:
        console.print(f"depth: {decision.correction}")
    if decision.sigma is not None and not calibration.refusal:
        console.print(f"sigma: x {decision.sigma.factor:.3f}")
    for warning in calibration.warnings:
        console.print(Text("WARNING", "bold red"), warning, soft_wrap=True)


def _distance(text: str) -> Distance:
    try:
        return parse_distance(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
