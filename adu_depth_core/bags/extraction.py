"""Training data from bags: rectified stereo pairs and depth, thinned out where the vehicle stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.bags.frames import BagFrame, FrameReader
from adu_depth_core.bags.provenance import frame_name
from adu_depth_core.bags.skipped import Skipped, SkippedFrames
from adu_depth_core.bags.stillness import stands_still
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import CALIBRATION, write_calibration, write_sample
from adu_depth_core.errors import UserError


@dataclass(frozen=True)
class Extraction:
    """What came of a bag.

    :param frames_read: images in the bag that were read
    :param written: frames that were written
    :param without_motion: frames left out because too little had moved
    :param skipped: frames that could not be used
    :param depth_frames: written frames with depth
    :param damage: why reading ended early, or None
    """

    frames_read: int
    written: int
    without_motion: int
    skipped: tuple[Skipped, ...]
    depth_frames: int
    damage: str | None


class MotionFilter:
    """Lets a frame pass if the camera has moved since the last one that did.

    Where poses are known the camera must have travelled ``metres`` or turned ``degrees``; elsewhere the
    picture must not stand still.
    """

    def __init__(self, metres: float, degrees: float) -> None:
        self._metres = metres
        self._degrees = degrees
        self._last: BagFrame | None = None

    def passes(self, frame: BagFrame) -> bool:
        """Whether the frame shows something new; then the next are compared with it."""
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
) -> Extraction:
    """Write the frames of a bag to a stereo folder.

    :param reader: frames with their right image
    :param skipped: where the reader counts what it skips
    :param out: the folder
    :param on_frame: called with the number of images that are done
    :param frames: the reader's frames, where they are made elsewhere
    :raises UserError: if no frame could be written, or the camera changes within the bag
    """
    written = left_out = with_depth = 0
    calibration: tuple[Camera, float] | None = None
    for frame in reader if frames is None else frames:
        on_frame(frame.index + 1)
        if calibration is None:
            calibration = frame.camera, frame.baseline
            write_calibration(out / CALIBRATION, *calibration)
        elif frame.camera != calibration[0]:
            raise UserError(
                f"{reader.path}: the camera changes at image {frame.index} from {calibration[0]} to "
                f"{frame.camera}: a stereo folder has one camera"
            )
        if not motion.passes(frame):
            left_out += 1
            continue
        name = frame_name(reader.path, frame.index, frame.stamp_ns)
        write_sample(out, Sample(name, frame.image, frame.right, frame.truth, frame.camera, frame.baseline))
        written += 1
        with_depth += frame.truth is not None
    if not written:
        reasons = [f"{entry.frames} skipped: {entry.reason}" for entry in skipped.summary()]
        reasons += [reader.damage] if reader.damage else []
        raise UserError(
            f"no stereo pair of {reader.path.name} could be extracted; "
            + ("; ".join(reasons) or f"there is no message on {reader.topics.image}")
        )
    return Extraction(reader.images_read, written, left_out, skipped.summary(), with_depth, reader.damage)
