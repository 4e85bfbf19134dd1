"""Reading a bag: raw messages in order of bag time, decoded on request."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability
from rosbags.serde import SerdeError
from rosbags.typesys.store import Typestore

from adu_depth_core.bags.messages import TYPES
from adu_depth_core.errors import UserError


@dataclass(frozen=True)
class BagMessage:
    """One message of a bag.

    :param topic: topic name
    :param type: message type such as ``sensor_msgs/msg/Image``
    :param time_ns: bag time in nanoseconds: when it was recorded
    :param data: the serialised message (CDR, with its encapsulation header)
    :param types: the bag's message definitions
    """

    topic: str
    type: str
    time_ns: int
    data: bytes
    types: Typestore

    @property
    def content(self) -> Any:
        """The message, decoded anew each time; fields as in ROS, arrays are NumPy arrays.

        :raises UserError: if the message is damaged
        """
        try:
            return self.types.deserialize_cdr(self.data, self.type)
        except SerdeError as error:
            raise UserError(
                f"message on {self.topic} at {self.time_ns} ns is not a {self.type}: {error}"
            ) from error


class BagReader:
    """Context manager that reads a rosbag2 folder, or an .mcap or .db3 file of one.

    :param path: the bag
    :raises UserError: if it is missing or is not a bag (on entering the ``with`` block)
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __enter__(self) -> BagReader:
        if not self.path.exists():
            raise UserError(f"bag {self.path} does not exist")
        if self.path.suffix == ".bag":
            raise UserError(
                f"{self.path} is a ROS 1 bag; convert it with: rosbags-convert --src {self.path} --dst DIR"
            )
        with self._errors():
            self._reader = AnyReader([self.path], default_typestore=TYPES)
            self._reader.open()
        return self

    def __exit__(self, *error: Any) -> None:
        self._reader.close()

    @property
    def topics(self) -> dict[str, str]:
        """Message type of each topic."""
        return {connection.topic: connection.msgtype for connection in self._reader.connections}

    @property
    def message_counts(self) -> dict[str, int]:
        """Number of messages of each topic."""
        return {topic: info.msgcount for topic, info in self._reader.topics.items()}

    @property
    def latched_topics(self) -> set[str]:
        """Topics recorded from publishers that keep their last messages for later subscribers."""
        return {
            connection.topic
            for connection in self._reader.connections
            if any(q.durability is QosDurability.TRANSIENT_LOCAL for q in connection.ext.offered_qos_profiles)
        }

    @property
    def start_ns(self) -> int:
        """Bag time of the first message in nanoseconds."""
        return self._reader.start_time

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from the first to the last message."""
        # AnyReader's end is one nanosecond after the last message.
        return max(0, self._reader.duration - 1)

    def require_topics(self, names: Collection[str]) -> None:
        """:raises UserError: if the bag lacks one of the topics, with those that it has"""
        missing = [name for name in names if name not in self.topics]
        if missing:
            present = ", ".join(f"{name} ({kind})" for name, kind in sorted(self.topics.items())) or "none"
            raise UserError(f"bag {self.path} has no topic {', '.join(missing)}; it has: {present}")

    def messages(self, names: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Messages in order of bag time, of the topics ``names`` or of all.

        :raises UserError: if the bag lacks one of the topics, or its content is damaged
        """
        if names is not None:
            self.require_topics(names)
        connections = [c for c in self._reader.connections if names is None or c.topic in names]
        with self._errors():
            for connection, time_ns, data in self._reader.messages(connections) if connections else ():
                yield BagMessage(connection.topic, connection.msgtype, time_ns, data, self._reader.typestore)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Says which bag it was. On damaged files the library raises whatever its parser trips over."""
        try:
            yield
        except Exception as error:
            raise UserError(f"bag {self.path} cannot be read, it may be damaged: {error}") from error
