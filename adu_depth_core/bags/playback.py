"""Stamps of a bag that is played in the present."""

from __future__ import annotations

from dataclasses import dataclass

from adu_depth_core.bags.messages import TRANSFORMS
from adu_depth_core.bags.reader import BagMessage

_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Playback:
    """Mapping from bag time to wall time.

    :param bag_start_ns: a time in the bag, nanoseconds
    :param wall_start_ns: when that time is played, nanoseconds of the system clock
    :param rate: seconds of the bag in a second of the wall's clock
    """

    bag_start_ns: int
    wall_start_ns: int
    rate: float = 1.0

    def wall_ns(self, bag_ns: int) -> int:
        """Wall time of a bag time; at rate 1 this adds a constant."""
        return self.wall_start_ns + round((bag_ns - self.bag_start_ns) / self.rate)

    def bag_ns(self, wall_ns: int) -> int:
        """Bag time of a wall time."""
        return self.bag_start_ns + round((wall_ns - self.wall_start_ns) * self.rate)

    def restamped(self, message: BagMessage) -> bytes:
        """The serialised message with its header stamps moved by ``wall_ns``.

        A message that begins with its header is patched instead of decoded, because images are large: in
        CDR the stamp follows the four bytes of encapsulation. Messages without a stamp stay as they are.
        """
        if message.type == TRANSFORMS:
            content = message.types.deserialize_cdr(message.data, message.type)
            for transform in content.transforms:
                stamp = transform.header.stamp
                stamp.sec, stamp.nanosec = divmod(self.wall_ns(stamp.sec * _SECOND + stamp.nanosec), _SECOND)
            return bytes(message.types.serialize_cdr(content, message.type))
        if not _begins_with_header(message):
            return message.data
        data = message.data
        order = "little" if data[1] & 1 else "big"
        sec, nanosec = (int.from_bytes(data[i : i + 4], order) for i in (4, 8))
        stamp = divmod(self.wall_ns(sec * _SECOND + nanosec), _SECOND)
        return b"".join([data[:4], *(part.to_bytes(4, order) for part in stamp), data[12:]])


def _begins_with_header(message: BagMessage) -> bool:
    fields = message.types.fielddefs[message.type][1]
    return bool(fields) and fields[0][1][1] == "std_msgs/msg/Header"
