"""Comparison of a bag's own message definitions with those that this package supports."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from adu_depth_core.bags.messages import TYPES


@functools.cache
def known_types(is_ros2: bool) -> Typestore:
    """The definitions that messages are understood by."""
    return TYPES if is_ros2 else get_typestore(Stores.ROS1_NOETIC)


def differing_type(name: str, own: Typestore, known: Typestore) -> str | None:
    """The type, ``name`` or one inside it, whose fields a bag defines otherwise than ROS does; None if none.

    A bag's definitions determine how its bytes are expanded: the decoder of ``string[3000000]`` alone
    takes gigabytes. Types that ROS does not know are not compared.
    """
    for part in _parts(name, own, set()):
        if part in known.fielddefs and own.fielddefs[part][1] != known.fielddefs[part][1]:
            return part
    return None


def _parts(name: str, types: Typestore, seen: set[str]) -> Iterator[str]:
    if name in seen or name not in types.fielddefs:
        return
    seen.add(name)
    yield name
    for _, (kind, detail) in types.fielddefs[name][1]:
        if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
            kind, detail = detail[0]
        if kind == Nodetype.NAME:
            yield from _parts(detail, types, seen)
