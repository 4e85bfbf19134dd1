"""Published data sets and folders by name: the recordings they are cut from, and the places they show.

Two data sets that are cut from the same recordings may hold the same picture under two names. *Places* reveal
this, in one of two systems: the drive of the raw recordings, or the scenes of KITTI 2015
(``kitti2015_scenes``), which are finer. A frame may have a place in one, in both or in neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adu_depth_core.datasets import drivingstereo, kitti_raw
from adu_depth_core.datasets.kitti2015_scenes import place_of, scene_of

SCENES, DRIVES = "KITTI 2015 scenes", "drives"
"""Systems of places, the finer one first."""

Places = Mapping[str, frozenset[str]]
"""Places by their system."""

KITTI_LICENCE = "CC BY-NC-SA 3.0 (KITTI, non-commercial)"
DRIVINGSTEREO_LICENCE = "MIT (DrivingStereo)"

UNKNOWN = ""
"""Recordings that are not known: they may be any."""


def _nowhere(frame: str) -> Places:
    return {}


@dataclass(frozen=True)
class Origin:
    """Origin of the frames of a data set.

    :param recordings: whose recordings they are cut from; ``UNKNOWN`` may be any
    :param licence: of the images, as model cards name it; empty where it is not known
    :param places: the places of a frame, by its name, as far as they are known
    :param systems: those in which every frame's place is known
    """

    recordings: str
    licence: str = ""
    places: Callable[[str], Places] = _nowhere
    systems: frozenset[str] = field(default_factory=frozenset)

    def may_share_frames(self, other: Origin) -> bool:
        """False only if both are known to be of different recordings."""
        return self.recordings == other.recordings or UNKNOWN in (self.recordings, other.recordings)


def origin_of(name: str, split: str = "") -> Origin | None:
    """The origin of a data set or folder by its name in model cards; None for a name that is not known.

    A folder of KITTI's raw recordings has the name of its drive.

    :param split: the publisher's part, where the data set has several
    """
    if re.fullmatch(r"\d{4}_\d\d_\d\d_drive_\d{4}_sync", name):
        return _kitti(_drives(lambda frame: name), DRIVES)
    return _ORIGINS.get(f"{name}/{split}") or _ORIGINS.get(name)


def _drives(drive_of: Callable[[str], str | None]) -> Callable[[str], Places]:
    def places(frame: str) -> Places:
        drive = drive_of(frame)
        return {DRIVES: frozenset({drive})} if drive else {}

    return places


def _sightings(scenes: Mapping[str, tuple[int, ...]]) -> Callable[[str], Places]:
    """Of frames of other folders that show places of KITTI 2015."""

    def places(frame: str) -> Places:
        seen = scenes.get(frame) or scenes.get("*")
        return {SCENES: frozenset(place_of(f"{scene:06d}") for scene in seen)} if seen else {}

    return places


def _kitti2015_places(frame: str) -> Places:
    places = {SCENES: frozenset({place_of(frame)})}
    if scene_of(frame) in ("000002", "000003"):
        places[DRIVES] = frozenset({"2011_09_26_drive_0005_sync"})
    return places


def _raw_pair_drive(frame: str) -> str | None:
    match = re.fullmatch(r"d(\d{4})_\d+", frame)
    return f"2011_09_26_drive_{match[1]}_sync" if match else None


def _kitti(places: Callable[[str], Places] = _nowhere, *systems: str) -> Origin:
    return Origin("KITTI", KITTI_LICENCE, places, frozenset(systems))


_ORIGINS = {
    "kitti2015": _kitti(_kitti2015_places, SCENES),
    "kitti2015/testing": _kitti(_sightings({"000004": (1,)})),
    "kitti2015_more": _kitti(_kitti2015_places, SCENES),
    "kitti2012": _kitti(),
    "kitti_eigen": _kitti(_drives(kitti_raw.drive_of), DRIVES),
    "kitti_official": _kitti(_drives(kitti_raw.drive_of), DRIVES),
    "kitti_raw_pairs": _kitti(_drives(_raw_pair_drive), DRIVES),
    "kitti_raw_pairs_unlabelled": _kitti(_sightings({"*": (105,)}), SCENES),
    "kitti_raw_mono": _kitti(),
    # The drives of KITTI's odometry sequences, by the odometry devkit's readme.txt.
    "kitti_odometry_02": _kitti(_drives(lambda frame: "2011_10_03_drive_0034_sync"), DRIVES),
    "kitti_odometry_04_drive": _kitti(_drives(lambda frame: "2011_09_30_drive_0016_sync"), DRIVES),
    "kitti_grey_pairs": _kitti(),
    "kitti_object_000008": _kitti(),
    "kitti_object_stereo_unlabelled": _kitti(),
    # Frames that show a place of KITTI 2015: found by matching image features, confirmed by eye.
    "kitti_object_mono": _kitti(_sightings({"000002": (144,), "000004": (58,), "000005": (57,)})),
    "kitti_object_lidar_pairs": _kitti(_sightings({"000007": (106,), "000009": (110, 111)})),
    "kitti_object_lidar_mono": _kitti(
        _sightings({"000012": (43,), "000016": (89,), "000017": (43,), "000038": (120,)})
    ),
    "drivingstereo": Origin(
        "DrivingStereo",
        DRIVINGSTEREO_LICENCE,
        _drives(drivingstereo.drive_of),
        frozenset({DRIVES}),
    ),
    "pandaset_002": Origin("PandaSet", "CC BY 4.0 (PandaSet)"),
    "zod_lowres": Origin("ZOD", "CC BY-SA 4.0 (ZOD)"),
    "kitti360": Origin("KITTI-360", "CC BY-NC-SA 3.0 (KITTI-360, non-commercial)"),
    "radiate_fog": Origin("RADIATE", "CC BY-NC-SA 4.0 (RADIATE, non-commercial)"),
    "ddad_dgp": Origin("DDAD", "CC BY-NC-SA 4.0 (DDAD, non-commercial)"),
    "sustechpoints": Origin("SUSTechPOINTS", "none stated (SUSTechPOINTS)"),
}
"""By name in model cards: a data set's own, or a folder's. ``NAME/SPLIT`` is one part of a data set."""
