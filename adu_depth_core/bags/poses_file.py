"""Poses of the camera from a text file in TUM format, which evo and many SLAM systems write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.transforms import Track

LAST_S = 2**33
"""Seconds; larger stamps are in another unit."""


def read_poses(path: Path) -> Track:
    """Read lines of ``stamp tx ty tz qx qy qz qw``: seconds, metres, quaternion; the camera in the world.

    The camera's axes are those of its optical frame (x right, y down, z forward). Empty lines and those that
    begin with # are skipped.

    :return: ``world_from_camera`` over time
    :raises UserError: if the file is missing, or a line has other content
    """
    track = Track("world", kept_ns=None)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: missing or not a text file: {error}") from error
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            seconds, _, nanoseconds = line.split()[0].partition(".")
            values = np.array([float(text) for text in line.split()])
            # Not by way of a float, whose 53 bits are too few for nanoseconds since 1970.
            stamp = int(seconds) * 1_000_000_000 + int(nanoseconds.ljust(9, "0")[:9])
        except ValueError:
            values, stamp = np.empty(0), 0
        if len(values) != 8 or not np.isfinite(values).all() or not np.any(values[4:]) or values[0] > LAST_S:
            raise UserError(
                f"{path}, line {number}: {line.strip()[:60]!r} is not 'stamp tx ty tz qx qy qz qw' "
                "(TUM format; the stamp in seconds, with a decimal point)"
            )
        track.add(stamp, values[1:4], values[4:])
        count += 1
    if not count:
        raise UserError(f"{path}: has no poses")
    return track
