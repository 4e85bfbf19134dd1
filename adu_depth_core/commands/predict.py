"""``adu_depth predict``: depth and uncertainty for images, folders and videos."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from adu_depth_core.commands.camera_options import add_camera_arguments, photo_camera_source
from adu_depth_core.commands.model_options import add_model_arguments, load_predictor
from adu_depth_core.commands.number_arguments import number
from adu_depth_core.errors import UserError
from adu_depth_core.files import check_folder_writable
from adu_depth_core.inference.depth_output import MAX_RELATIVE_SIGMA
from adu_depth_core.inference.file_predictor import FilePredictor
from adu_depth_core.inference.installed_models import display_name
from adu_depth_core.live_video import LiveVideo, live_video
from adu_depth_core.media import count_frames, find_media
from adu_depth_core.progress import progress_bar
from adu_depth_core.terminal import plain_console

EPILOG = """\
written to DIR:
  color/NAME.png   image, depth and uncertainty with legends; videos: NAME.mp4
  depth/NAME.png   16-bit depth: value / 256 is metres, 0 unknown, as in KITTI
  sigma/NAME.png   its uncertainty (one sigma), on the same scale

The focal length is taken from a photo's EXIF if none of --calib, --focal and --fx is given.

Live sources are predicted frame by frame until they end or Ctrl-C is pressed. The video has the rate that
the camera announces, so it plays too fast if the network is slower than the camera.

examples:
  adu_depth predict photo.jpg --out result
  adu_depth predict photo.png --focal 721 --out result
  adu_depth predict image_2/ --calib calib.txt --out result
  adu_depth predict drive.mp4 --fx 1040 --cx 639.5 --cy 361 --network-size 192x640 --out result
  adu_depth predict webcam --focal 600 --out result
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="image, video, or folder of them; webcam or webcam:N; a stream's address (rtsp://, http://)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--video-maps", action="store_true", help="for videos also write depth/NAME/000000.png ... and sigma/"
    )
    parser.add_argument(
        "--max-relative-sigma",
        type=number(above=0),
        default=MAX_RELATIVE_SIGMA,
        metavar="S",
        help="pixels with sigma / depth above this, which the node would withhold, are grey in the pictures "
        f"(default: {MAX_RELATIVE_SIGMA:g}); depth/ and sigma/ hold them all",
    )
    add_model_arguments(parser)
    add_camera_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    errors = _ErrorTally(plain_console(stderr=True))
    files: list[Path | LiveVideo] = []
    for text in arguments.inputs:
        with errors.told():
            live = live_video(text)
            files += find_media(Path(text)) if live is None else [live]
    files = list(dict.fromkeys(files))
    _check_names(files)
    camera_for = photo_camera_source(arguments, files)
    check_folder_writable(arguments.out)
    predictor = load_predictor(arguments)
    with progress_bar() as progress:
        errors.console = progress.console
        task = progress.add_task("Predicting", total=_count(files))
        file_predictor = FilePredictor(
            arguments.out,
            predictor,
            camera_for,
            lambda: progress.advance(task),
            arguments.video_maps,
            arguments.max_relative_sigma,
        )
        for file in files:
            with errors.told():
                file_predictor.predict(file)
    frames = int(progress.tasks[task].completed)
    if frames:
        print(
            f"{frames} frame{'s' * (frames != 1)} predicted with {display_name(predictor.model_path)} "
            f"({predictor.backend.runtime}); pictures in {arguments.out / 'color'}"
        )
    for profile in predictor.profile_files:
        print(f"camera profile: {profile}")
    if errors.count:
        print(f"{errors.count} input{'s' * (errors.count != 1)} failed, see above")
    return 1 if errors.count else 0


def _count(files: list[Path | LiveVideo]) -> int | None:
    """Frames of all inputs; None where one has no end."""
    if any(isinstance(file, LiveVideo) for file in files):
        return None
    return sum(map(count_frames, files))


class _ErrorTally:
    """Tells the errors of single inputs and counts them, so that the other inputs go on."""

    def __init__(self, console: Console) -> None:
        self.count = 0
        self.console = console

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        try:
            yield
        except (UserError, OSError) as error:
            self.count += 1
            self.console.print(Text("error:", "red"), str(error), soft_wrap=True)


def _check_names(files: list[Path | LiveVideo]) -> None:
    """:raises UserError: if two inputs would be written to the same name"""
    seen: dict[str, Path | LiveVideo] = {}
    for file in files:
        other = seen.setdefault(file.stem, file)
        if other is not file:
            raise UserError(
                f"{other} and {file} would both be written as {file.stem}: give them different --out"
            )
