"""Synchronises images with the messages of other topics while a bag is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from adu_depth_core.bags.reader import BagMessage

HOLD_NS = 500_000_000
"""Bag time for which an image waits for later messages; other messages are kept twice as long."""


class Synchronizer:
    """Holds images until every message that may match them was read. Memory is bounded by bag time.

    :param image: topic of the images
    :param partners: other topics
    """

    def __init__(self, image: str, partners: tuple[str, ...]) -> None:
        self._image = image
        self._held: deque[BagMessage] = deque()
        self._partners: dict[str, deque[BagMessage]] = {topic: deque() for topic in partners}

    def add(self, message: BagMessage | None) -> Iterator[tuple[BagMessage, dict[str, list[BagMessage]]]]:
        """Take the next message in order of bag time; None at the end of the bag.

        :return: images whose wait is over, each with the messages of every partner topic around it
        """
        while self._held and (message is None or self._held[0].time_ns < message.time_ns - HOLD_NS):
            yield self._held.popleft(), {topic: list(kept) for topic, kept in self._partners.items()}
        if message is None:
            return
        if message.topic == self._image:
            self._held.append(message)
        else:
            kept = self._partners[message.topic]
            kept.append(message)
            while kept[0].time_ns < message.time_ns - 2 * HOLD_NS:
                kept.popleft()
