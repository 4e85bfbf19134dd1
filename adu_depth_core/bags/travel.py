"""Distance that a vehicle travels, from odometry or speeds in a bag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.bags.calibrations import header_stamp
from adu_depth_core.bags.messages import ODOMETRY
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.errors import UserError
from adu_depth_core.transforms import MAX_GAP_NS

TWISTS = ("geometry_msgs/msg/TwistStamped", "geometry_msgs/msg/TwistWithCovarianceStamped")

KINDS = (ODOMETRY, *TWISTS)
"""Message types that tell how far the vehicle travels, best first: places do not drift between two images."""

_COMMANDED = "cmd"
"""Part of the names of topics with speeds that were asked for, not driven."""


@dataclass(frozen=True)
class Travel:
    """Places of a vehicle over time; of speeds, the distance along its way.

    :param stamps: nanoseconds, rising, int64 ``(N,)``
    :param places: metres ``(N, 3)``
    """

    stamps: np.ndarray
    places: np.ndarray

    def between(self, start_ns: int, end_ns: int) -> float | None:
        """Metres between two times; None where messages are missing for half a second or more."""
        here, there = self._at(start_ns), self._at(end_ns)
        return None if here is None or there is None else float(np.linalg.norm(there - here))

    def _at(self, stamp_ns: int) -> np.ndarray | None:
        after = int(np.searchsorted(self.stamps, stamp_ns))
        if after < len(self.stamps) and self.stamps[after] == stamp_ns:
            return self.places[after]
        if not 0 < after < len(self.stamps) or self.stamps[after] - self.stamps[after - 1] > MAX_GAP_NS:
            return None
        share = (stamp_ns - self.stamps[after - 1]) / (self.stamps[after] - self.stamps[after - 1])
        place: np.ndarray = (1 - share) * self.places[after - 1] + share * self.places[after]
        return place


def travel_topic(types: Mapping[str, str], bag: str, named: str | None = None) -> str | None:
    """The topic that tells how far the vehicle travels; None without any.

    :param types: message type of each topic of the bag
    :param bag: its name, for errors
    :param named: by the user
    :raises UserError: if the named one is missing or of another type
    """
    if named is not None and types.get(named) not in KINDS:
        has = ", ".join(f"{name} ({kind})" for name, kind in sorted(types.items()))
        raise UserError(f"bag {bag} has no speed topic {named} of type {' or '.join(KINDS)}; it has: {has}")
    found = (
        name for kind in KINDS for name in sorted(types) if types[name] == kind and _COMMANDED not in name
    )
    return named or next(found, None)


def read_travel(path: Path, topic: str) -> Travel:
    """Read a topic of one of ``KINDS``.

    Speeds are integrated by trapezoids, from one message to the next; their direction does not matter.

    :raises UserError: if the bag cannot be opened, or the topic has fewer than two messages, or a value is
        not finite
    """
    stamps: list[int] = []
    values: list[tuple[float, float, float]] = []
    with BagReader(path, salvage=True) as reader:
        for message in reader.messages({topic}):
            content, stamp = message.content, header_stamp(message)
            if stamps and stamp <= stamps[-1]:
                continue
            if message.type == ODOMETRY:
                vector = content.pose.pose.position
            else:
                twist = content.twist
                vector = (twist.twist if hasattr(twist, "twist") else twist).linear
            stamps.append(stamp)
            values.append((vector.x, vector.y, vector.z))
        kind = reader.topics[topic]
    if len(stamps) < 2 or not np.isfinite(values).all():
        raise UserError(
            f"{path.name}: {topic} has {len(stamps)} usable messages, or values that are not finite"
        )
    times, places = np.array(stamps, np.int64), np.array(values, np.float64)
    if kind != ODOMETRY:
        speed = np.linalg.norm(places, axis=1)
        steps = np.diff(times) / 1e9 * (speed[1:] + speed[:-1]) / 2
        places = np.zeros_like(places)
        places[1:, 0] = np.cumsum(steps)
    return Travel(times, places)
