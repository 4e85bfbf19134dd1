"""Options of the commands that take a camera."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from adu_depth_core.camera import Camera, check_field_of_view
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.datasets.calibration_file import read_calibration
from adu_depth_core.errors import UsageError, UserError
from adu_depth_core.exif import ExifFocal, read_exif_focal
from adu_depth_core.live_video import LiveVideo
from adu_depth_core.terminal import plain_console

MISSING_FOCAL = """metric depth needs the camera's focal length in pixels; give one of
  --calib FILE   a KITTI calib.txt, or the YAML of a ROS camera_info
  --focal PX     image width in pixels * focal length in mm / sensor width in mm
                 (for a phone's 35 mm equivalent F: image diagonal in pixels * F / 43.3)
  --fx PX        and, if they are known, --fy --cx --cy of the camera matrix"""


def add_camera_arguments(
    parser: argparse.ArgumentParser, whose: str = "camera of the rectified images", default: str = ""
) -> None:
    """``--calib``, ``--focal``, or ``--fx`` with ``--fy``, ``--cx`` and ``--cy``.

    :param whose: title of the group
    :param default: the camera without any of them
    """
    text = "In pixels; one of --calib, --focal, --fx."
    camera = parser.add_argument_group(whose, f"{text} Default: {default}." if default else text)
    source = camera.add_mutually_exclusive_group()
    source.add_argument("--calib", type=Path, metavar="FILE", help="KITTI calib.txt or ROS camera_info YAML")
    source.add_argument(
        "--focal",
        type=number(above=0),
        metavar="PX",
        help="focal length, with the principal point at the image centre",
    )
    source.add_argument("--fx", type=number(above=0), metavar="PX", help="horizontal focal length")
    camera.add_argument(
        "--fy", type=number(above=0), metavar="PX", help="with --fx: vertical focal length (default: fx)"
    )
    camera.add_argument(
        "--cx", type=number(), metavar="PX", help="with --fx: principal point (default: middle)"
    )
    camera.add_argument(
        "--cy", type=number(), metavar="PX", help="with --fx: principal point (default: middle)"
    )


def add_frames_camera_arguments(parser: argparse.ArgumentParser) -> None:
    """The same for frames to compare on, whose camera may be unknown."""
    unknown = "a bag's camera_info, else a horizontal field of view of 82 degrees"
    add_camera_arguments(parser, "camera of the frames", unknown)


def camera_source_if_told(arguments: argparse.Namespace) -> Callable[[int, int], Camera] | None:
    """As ``camera_source``; None if the arguments say nothing of a camera."""
    names = ("calib", "focal", "fx", "fy", "cx", "cy")
    return camera_source(arguments) if any(getattr(arguments, n) is not None for n in names) else None


def camera_source(arguments: argparse.Namespace) -> Callable[[int, int], Camera]:
    """The camera of an image of ``(width, height)``, as the arguments describe it.

    :raises UserError: if they do not, or the focal length is not positive
    """
    rest = {
        name: getattr(arguments, name) for name in ("fy", "cx", "cy") if getattr(arguments, name) is not None
    }
    if rest and arguments.fx is None:
        raise UsageError(f"--{', --'.join(rest)} can only be used with --fx")
    if arguments.calib is not None:
        if not arguments.calib.is_file():
            raise UserError(f"--calib {arguments.calib} does not exist")
        return functools.cache(functools.partial(read_calibration, arguments.calib))
    fx = arguments.fx if arguments.fx is not None else arguments.focal
    if fx is None:
        raise UsageError(MISSING_FOCAL)

    try:
        Camera(**{"fx": fx, "fy": fx, "cx": 0.0, "cy": 0.0, **rest}, width=1, height=1)
    except ValueError as error:  # report it before reading the first image
        raise UserError(str(error)) from error
    return functools.partial(_camera, fx, rest)


def photo_camera_source(
    arguments: argparse.Namespace, files: Sequence[Path | LiveVideo]
) -> Callable[[Path | LiveVideo, int, int], Camera]:
    """The camera of a file's image of ``(width, height)``: as the arguments describe it, or its EXIF.

    Each focal length taken from EXIF is reported once, on standard error.

    :raises UserError: as ``camera_source``, or if the arguments describe no camera and no file has a focal
        length in its EXIF data. The returned function raises it for single files
    """
    told = camera_source_if_told(arguments)
    if told is not None:
        return lambda _, width, height: told(width, height)
    if not any(map(_exif_focal, files)):
        raise UsageError(MISSING_FOCAL)
    reported: set[str] = set()

    def camera_for(file: Path | LiveVideo, width: int, height: int) -> Camera:
        focal = _exif_focal(file)
        if focal is None:
            raise UserError(f"{file}: {MISSING_FOCAL}")
        text = f"focal length {focal.pixels:.0f} pixels from EXIF ({focal.source})"
        if text not in reported:
            reported.add(text)
            plain_console(stderr=True).print(
                f"{file}: {text}; --focal or --calib is more accurate", soft_wrap=True
            )
        return _camera(focal.pixels, {}, width, height)

    return camera_for


def _exif_focal(file: Path | LiveVideo) -> ExifFocal | None:
    return None if isinstance(file, LiveVideo) else read_exif_focal(file)


def _camera(fx: float, rest: dict[str, float], width: int, height: int) -> Camera:
    """:raises UserError: if no camera has such intrinsics"""
    entries = {"fx": fx, "fy": fx, "cx": (width - 1) / 2, "cy": (height - 1) / 2, **rest}
    try:
        camera = Camera(**entries, width=width, height=height)
        check_field_of_view(camera)
    except ValueError as error:
        raise UserError(str(error)) from error
    return camera


def add_camera_height(group: argparse._ActionsContainer) -> None:
    """``--camera-height``."""
    group.add_argument(
        "--camera-height",
        type=number(above=0.0),
        metavar="M",
        help="height of a level camera above the road, to separate obstacles from ground (default: the "
        "road is fitted to each frame's ground truth)",
    )
