"""Finding images and videos, and reading and writing videos frame by frame."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.encoded_image import MAX_PIXELS
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.live_video import LiveVideo

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v", ".mpg", ".mpeg")


def find_media(path: Path) -> list[Path]:
    """The file itself, or the images and videos directly in a folder, by name.

    :raises UserError: if the path does not exist, its suffix is not known, or the folder holds none
    """
    known = IMAGE_SUFFIXES + VIDEO_SUFFIXES
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in known and p.is_file())
        if not found:
            raise UserError(f"{path} holds no image or video (directly, with one of {' '.join(known)})")
        return found
    if not path.exists():
        raise UserError(f"{path} does not exist")
    if path.suffix.lower() not in known:
        raise UserError(f"{path} is not known as an image or video by its suffix ({' '.join(known)})")
    return [path]


def is_image(path: Path) -> bool:
    """True if the file's name is that of an image."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_video(path: Path | LiveVideo) -> bool:
    """True if a file is a video, by its suffix, or a source is live."""
    return isinstance(path, LiveVideo) or path.suffix.lower() in VIDEO_SUFFIXES


def count_frames(path: Path | LiveVideo) -> int:
    """1 for an image; for a video the number it announces, 0 if it announces none or cannot be opened."""
    if isinstance(path, LiveVideo):
        return 0
    if not is_video(path):
        return 1
    try:
        return Video(path).frame_count
    except UserError:
        return 0


class Video:
    """A video file, camera or stream, read frame by frame.

    :param path: the file, or what is live
    :raises UserError: if it cannot be opened
    """

    def __init__(self, path: Path | LiveVideo) -> None:
        self.path = path
        with self._open() as capture:
            self.frame_count = int(max(0, capture.get(cv2.CAP_PROP_FRAME_COUNT)))
            """Frames that the file announces; 0 where it does not."""
            self.rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
            """Frames per second; 25 where the file does not say."""

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each frame as RGB uint8 ``(H, W, 3)``; UserError if there is none that can be decoded."""
        count = 0
        with self._open() as capture:
            while (result := capture.read())[0]:
                count += 1
                yield cv2.cvtColor(result[1], cv2.COLOR_BGR2RGB)
        if count == 0:
            raise UserError(f"{self.path}: no frame of this video can be decoded")
        if count < self.frame_count and not isinstance(self.path, LiveVideo):
            logger.warning("%s announces %d frames, %d could be decoded", self.path, self.frame_count, count)

    @contextlib.contextmanager
    def _open(self) -> Iterator[cv2.VideoCapture]:
        # FFmpeg's own messages about a damaged file would duplicate our error.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        live = isinstance(self.path, LiveVideo)
        capture = cv2.VideoCapture(self.path.address if live else str(self.path))
        try:
            if not capture.isOpened() and live:
                raise UserError(
                    f"{self.path} cannot be opened: no response, or no video that this OpenCV can decode"
                )
            if not capture.isOpened():
                raise UserError(f"{self.path} is damaged, or a video that this OpenCV cannot decode")
            size = [int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
            if size[0] * size[1] > MAX_PIXELS:
                raise UserError(
                    f"{self.path} announces frames of {size[1]}x{size[0]} pixels, more than {MAX_PIXELS}: "
                    "it is damaged, or not a camera's video"
                )
            yield capture
        finally:
            capture.release()


def write_video(path: Path, frames: Iterable[np.ndarray], rate: float) -> None:
    """Write RGB uint8 frames of one size, even width and height, as MPEG-4, atomically.

    :raises UserError: if the video cannot be written
    """
    with write_atomically(path) as temporary:
        writer = None
        try:
            for frame in frames:
                if writer is None:
                    size = (frame.shape[1], frame.shape[0])
                    writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter_fourcc(*"mp4v"), rate, size)
                    if not writer.isOpened():
                        raise UserError(
                            f"{path}: the video cannot be written (OpenCV lacks an MPEG-4 encoder)"
                        )
                writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        finally:
            if writer is not None:
                writer.release()
