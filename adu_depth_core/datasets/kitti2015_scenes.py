"""Held-out scenes of KITTI 2015, and groups of scenes that show the same place.

Scenes go by the benchmark's numbers, ``000008``, in whatever folder they lie; ``000008_10`` and ``_11``, as
image files are called, are the same scene.
"""

from __future__ import annotations

import re

VALIDATION_SCENES = (
    *("000004", "000008", "000014", "000019", "000023", "000034", "000038"),
    *("000054", "000061", "000065", "000070", "000072", "000073", "000074", "000085", "000086", "000088"),
    *("000106", "000109", "000110", "000120", "000121", "000128", "000141", "000144"),
)
"""Scenes that the accuracy is measured on."""

CALIBRATION_SCENES = (
    *("000002", "000006", "000013", "000020", "000024"),
    *("000056", "000064", "000069", "000111", "000130", "000145"),
)
"""Scenes that only the uncertainty scale is fitted on."""

FIRST_LATER_SCENE = "000043"
"""First scene of ``kitti2015_more``; ``kitti2015`` has the labelled scenes before it."""

GROUPS = (
    *((4, 5), (7, 12), (13, 17), (18, 20), (22, 26), (27, 29), (30, 33), (34, 42), (43, 53), (55, 56)),
    *((57, 59), (67, 68), (72, 74), (75, 76), (77, 81), (85, 86), (89, 98), (107, 108), (109, 110)),
    *((112, 117), (118, 119), (120, 121), (122, 127), (146, 147)),
)
"""First and last scene of each run of scenes that show one place, some of them nearly the same picture."""

_SCENE = re.compile(r"(\d{6})(?:_1[01])?")


def scene_of(frame: str) -> str:
    """The scene's number ``000008`` of a frame ``000008`` or ``000008_10``; other names as they are."""
    match = _SCENE.fullmatch(frame)
    return match[1] if match else frame


def place_of(frame: str) -> str:
    """The place that a scene shows: ``scenes 7 to 12`` or, where it has no neighbour, ``scene 6``.

    :param frame: ``000008`` or ``000008_10``; another name is a place of its own
    """
    scene = scene_of(frame)
    if not scene.isdecimal():
        return scene
    number = int(scene)
    for first, last in GROUPS:
        if first <= number <= last:
            return f"scenes {first} to {last}"
    return f"scene {number}"
