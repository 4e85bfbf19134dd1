"""Folders in the layouts of the KITTI benchmarks, seen as a drive: images, calibrations and times in order.

    odometry            image_2/, image_3/, calib.txt, times.txt (seconds)
    raw                 image_02/data/, image_03/data/, image_02/timestamps.txt, and
                        calib_cam_to_cam.txt here or one folder up
    object, stereo 2015 image_2/, image_3/, and for each image calib/NAME.txt
                        or calib_cam_to_cam/SCENE.txt; no times

The right images may be missing. Which layout it is follows from the files that are there. LiDAR scans
(``velodyne/NAME.bin``, also ``velodyne_forward`` and ``velodyne_reduced``) and depth (``gt_depth/NAME.png``)
are taken along where an image has them; raw's scans are not.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from adu_depth_core.errors import UserError
from adu_depth_core.files import read_text

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
_SCAN_FOLDERS = ("velodyne", "velodyne_forward", "velodyne_reduced")


@dataclass(frozen=True)
class KittiFrame:
    """Files of one instant.

    :param left: left image
    :param right: right image, or None
    :param calibration: calibration file that holds for it
    :param time_ns: nanoseconds since the first frame, or None where the folder has no times
    :param scan: LiDAR scan, or None
    :param depth: 16-bit depth of the left image, or None
    """

    left: Path
    right: Path | None
    calibration: Path
    time_ns: int | None
    scan: Path | None = None
    depth: Path | None = None


def find_frames(folder: Path) -> list[KittiFrame]:
    """The frames of a folder, in order of their file names.

    :raises UserError: if there are no images, a right image, calibration or time is missing, or the times do
        not increase
    """
    left_folder, right_folder = _image_folders(folder)
    lefts = _images(left_folder)
    if not lefts:
        raise UserError(f"{left_folder} holds no image ({', '.join(_IMAGE_SUFFIXES)})")
    rights = {path.stem: path for path in _images(right_folder)}
    if rights and (missing := [path.name for path in lefts if path.stem not in rights]):
        raise UserError(
            f"{right_folder} lacks {len(missing)} of {len(lefts)} right images, first {missing[0]}"
        )
    times = _times(folder, lefts)
    return [
        KittiFrame(
            left,
            rights.get(left.stem),
            _calibration(folder, left),
            times[i] if times else None,
            _existing(folder / name / f"{left.stem}.bin" for name in _SCAN_FOLDERS),
            _existing([folder / "gt_depth" / f"{left.stem}.png"]),
        )
        for i, left in enumerate(lefts)
    ]


def _existing(paths: Iterable[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _image_folders(folder: Path) -> tuple[Path, Path]:
    for left, right in (("image_2", "image_3"), ("image_02/data", "image_03/data")):
        if (folder / left).is_dir():
            return folder / left, folder / right
    found = ", ".join(sorted(p.name for p in folder.iterdir())) if folder.is_dir() else "does not exist"
    raise UserError(
        f"{folder} has no folder image_2 (or image_02/data) as KITTI's have ({found or 'it is empty'})"
    )


def _images(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.suffix.lower() in _IMAGE_SUFFIXES)


def _calibration(folder: Path, image: Path) -> Path:
    candidates = [
        folder / "calib.txt",
        folder / "calib" / f"{image.stem}.txt",
        folder / "calib_cam_to_cam" / f"{image.stem.partition('_')[0]}.txt",
        folder / "calib_cam_to_cam.txt",
        folder.parent / "calib_cam_to_cam.txt",
    ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise UserError(f"no calibration for {image}; looked for {', '.join(str(c) for c in candidates)}")


def _times(folder: Path, images: list[Path]) -> list[int]:
    """Nanoseconds since the first image of each, or nothing where the folder has no file of times.

    KITTI's images are numbered by the lines of that file, which is longer if some images were left out.
    """
    path = next(
        (p for p in (folder / "times.txt", folder / "image_02" / "timestamps.txt") if p.is_file()), None
    )
    if path is None:
        return []
    lines = read_text(path).splitlines()
    numbered = all(image.stem.isdigit() for image in images)
    times: list[int] = []
    for position, image in enumerate(images):
        index = int(image.stem) if numbered else position
        if index >= len(lines):
            raise UserError(
                f"{path} has {len(lines)} lines, the time of {image.name} would be line {index + 1}"
            )
        try:
            times.append(_nanoseconds(lines[index].strip()))
        except (ValueError, OverflowError) as error:
            raise UserError(f"{path}:{index + 1}: {lines[index]!r} is not a time ({error})") from error
        if position and times[-1] <= times[-2]:
            raise UserError(f"{path}:{index + 1}: {lines[index]!r} is not after the time of the image before")
    return [time - times[0] for time in times]


def _nanoseconds(text: str) -> int:
    """Of seconds (odometry), or of a date and time with nine decimals (raw)."""
    if ":" not in text:
        return round(float(text) * 1e9)
    seconds, _, decimals = text.partition(".")
    moment = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 1_000_000_000 + int(decimals.ljust(9, "0")[:9] or 0)
