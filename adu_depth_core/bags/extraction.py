"""Training data from bags: rectified stereo pairs and depth, subsampled while the vehicle stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adu_depth_core.bags.frames import BagFrame, FrameReader
from adu_depth_core.bags.provenance import frame_name
from adu_depth_core.bags.skipped import Skipped, SkippedFrames
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import CALIBRATION, write_calibration, write_sample
from adu_depth_core.errors import UserError
from adu_depth_core.stillness import stands_still

SPLIT = {"training": (0.0, 0.7), "calibration": (0.74, 0.86), "validation": (0.9, 1.0)}
"""Parts of a drive that is split: shares of its images, in order of time. What is between is left out: there
neighbouring frames show the same street."""


@dataclass(frozen=True)
class Extraction:
    """Result of the extraction from a bag.

    :param frames_read: images in the bag that were read
    :param written: frames that were written
    :param without_motion: frames skipped for lack of motion
    :param skipped: frames that could not be used
    :param depth_frames: written frames with depth
    :param damage: reason why reading ended early, or None
    :param parts: number of frames of each part of ``SPLIT``; empty without split
    """

    frames_read: int
    written: int
    without_motion: int
    skipped: tuple[Skipped, ...]
    depth_frames: int
    damage: str | None
    parts: dict[str, int] = field(default_factory=dict)


class MotionFilter:
    """Lets a frame pass if the camera has moved since the last one that did.

    Where poses are known the camera must have travelled ``metres`` or turned ``degrees``; elsewhere the
    image must not be static.
    """

    def __init__(self, metres: float, degrees: float) -> None:
        self._metres = metres
        self._degrees = degrees
        self._last: BagFrame | None = None

    def passes(self, frame: BagFrame) -> bool:
        """True if the frame shows something new; the next ones are then compared with it."""
        if self._last is not None and not self._moved(self._last, frame):
            return False
        self._last = frame
        return True

    def _moved(self, before: BagFrame, now: BagFrame) -> bool:
        if not self._metres:
            return True
        if before.world_from_camera is None or now.world_from_camera is None:
            return before.camera != now.camera or not stands_still(before.image, now.image)
        motion = np.linalg.inv(before.world_from_camera) @ now.world_from_camera
        turned = np.degrees(np.arccos(np.clip((np.trace(motion[:3, :3]) - 1) / 2, -1, 1)))
        return bool(np.linalg.norm(motion[:3, 3]) >= self._metres or turned >= self._degrees)


def extract(
    reader: FrameReader,
    skipped: SkippedFrames,
    out: Path,
    motion: MotionFilter,
    on_frame: Callable[[int], None],
    frames: Iterable[BagFrame] | None = None,
    split_images: int | None = None,
) -> Extraction:
    """Write the frames of a bag to a stereo folder, or to one for each part of ``SPLIT``.

    :param reader: frames with their right image
    :param skipped: counter of the frames that the reader skips
    :param out: the folder
    :param on_frame: called with the number of images that are done
    :param frames: the reader's frames, where they are made elsewhere
    :param split_images: number of images in the bag, to split it; None not to
    :raises UserError: if no frame could be written, of a split none of a part, or the camera changes within
        the bag
    """
    left_out = with_depth = 0
    folders = {"": out} if split_images is None else {part: out / part for part in SPLIT}
    counts = dict.fromkeys(folders, 0)
    calibration: tuple[Camera, float] | None = None
    for frame in reader if frames is None else frames:
        on_frame(frame.index + 1)
        if calibration is None:
            calibration = frame.camera, frame.baseline
            for folder in folders.values():
                write_calibration(folder / CALIBRATION, *calibration)
        elif frame.camera != calibration[0]:
            raise UserError(
                f"{reader.path}: the camera changes at image {frame.index} from {calibration[0]} to "
                f"{frame.camera}: a stereo folder has one camera"
            )
        part = "" if split_images is None else _part(frame.index, split_images)
        if part is None:
            continue
        if not motion.passes(frame):
            left_out += 1
            continue
        name = frame_name(reader.path, frame.index, frame.stamp_ns)
        write_sample(
            folders[part], Sample(name, frame.image, frame.right, frame.truth, frame.camera, frame.baseline)
        )
        counts[part] += 1
        with_depth += frame.truth is not None
    if not (written := sum(counts.values())):
        reasons = [f"{entry.frames} skipped: {entry.reason}" for entry in skipped.summary()]
        reasons += [reader.damage] if reader.damage else []
        raise UserError(
            f"no stereo pair of {reader.path.name} could be extracted; "
            + ("; ".join(reasons) or f"there is no message on {reader.topics.image}")
        )
    if empty := [part for part, count in counts.items() if not count]:
        raise UserError(
            f"{reader.path.name}: --split leaves no frame for {' and '.join(empty)}, {written} for the rest; "
            "record a longer drive, write more of it (--min-motion), or extract a drive for each part"
        )
    parts = {} if split_images is None else counts
    return Extraction(
        reader.images_read, written, left_out, skipped.summary(), with_depth, reader.damage, parts
    )


def _part(index: int, images: int) -> str | None:
    """The part of ``SPLIT`` that an image is of, if it is of one."""
    for part, (begin, end) in SPLIT.items():
        if math.ceil(begin * images) <= index < math.floor(end * images):  # at least one frame apart
            return part
    return None
