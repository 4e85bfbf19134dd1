"""Names of bags and their frames, and the source folder recorded in a bag.

``adu_depth extract`` names frames after their bag, their number and their stamp; ``adu_depth make-bag``
records the folder and the frames that the bag was made from. Model cards name training frames in the same
way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SOURCE_FOLDER, SOURCE_FRAMES = "adu_depth.folder", "adu_depth.frames"
"""Entries of a bag's metadata."""


def bag_name(path: Path) -> str:
    """Name of a bag: that of its folder, or of its file without the suffix."""
    return path.stem if path.suffix in (".mcap", ".db3", ".bag") else path.name


def frame_name(path: Path, index: int, stamp_ns: int) -> str:
    """Name of a bag's frame as a scene of a data set: ``BAG_INDEX_STAMP``.

    :param path: the bag
    :param index: number of the image in the bag
    :param stamp_ns: header stamp in nanoseconds
    """
    return f"{bag_name(path)}_{index:06d}_{stamp_ns}"


def source_note(folder: Path, frames: Sequence[str]) -> dict[str, str]:
    """Record of a bag's source folder, by the names in model cards.

    :param folder: a drive, or a part of a data set such as ``kitti2015/training``
    :param frames: names of its frames
    """
    folder = folder.resolve()
    name = f"{folder.parent.name}/{folder.name}" if folder.name in ("training", "testing") else folder.name
    return {SOURCE_FOLDER: name, SOURCE_FRAMES: " ".join(frames)}
