"""Reading a bag: raw messages in order of bag time, decoded on request."""

from __future__ import annotations

import contextlib
import functools
import logging
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rosbags.convert.converter import STATIC_MSGTYPE_RENAMES, migrate_bytes
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection, ConnectionExtRosbag1, QosDurability
from rosbags.serde import SerdeError
from rosbags.typesys.store import Typestore

from adu_depth_core.bags.mcap_salvage import is_cut_short, salvage
from adu_depth_core.bags.messages import TYPES
from adu_depth_core.errors import UserError

logger = logging.getLogger(__name__)


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

    @functools.cached_property
    def content(self) -> Any:
        """The message; fields as in ROS, arrays are NumPy arrays that share the memory of ``data``.

        :raises UserError: if the message is damaged
        """
        try:
            # Of bytes the library would copy the whole message.
            return self.types.deserialize_cdr(memoryview(self.data), self.type)
        except SerdeError as error:
            raise UserError(
                f"message on {self.topic} at {self.time_ns} ns is not a {self.type}: {error}"
            ) from error


class BagReader:
    """Context manager that reads a rosbag2 folder, an .mcap or .db3 file of one, or a ROS 1 .bag file.

    Messages of ROS 1 come as their ROS 2 counterparts.

    :param path: the bag
    :param salvage_cut_files: read what is left of MCAP files that were cut short, with a warning, instead of
        refusing the bag
    :raises UserError: if it is missing or is not a bag (on entering the ``with`` block)
    """

    def __init__(self, path: Path | str, salvage_cut_files: bool = False) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        """What was lost of a bag that was cut short."""
        self._salvage_cut_files = salvage_cut_files
        self._stack = contextlib.ExitStack()
        self._migrated: dict[str, object] = {}

    def __enter__(self) -> BagReader:
        if not self.path.exists():
            raise UserError(f"bag {self.path} does not exist")
        with contextlib.ExitStack() as stack, self._errors():
            try:
                self._open([self.path])
            except Exception:
                if not (self._salvage_cut_files and _is_damaged(self.path)):
                    raise
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adu_depth_salvage_"))
                self._open(self._storage_files(Path(folder)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._reader.close()
        self._stack.close()

    def _open(self, paths: list[Path]) -> None:
        self._reader = AnyReader(paths, default_typestore=TYPES)
        self._reader.open()
        # The library writes and compiles decoders for each typestore: where the bag's definitions are the
        # common ones, those of the last bag serve again.
        own = self._reader.typestore
        common = all(TYPES.fielddefs.get(name) == fields for name, fields in own.fielddefs.items())
        self._types = TYPES if common else own

    def _storage_files(self, folder: Path) -> list[Path]:
        """The bag's MCAP files, those without an end replaced by mended copies in ``folder``."""
        files = sorted(self.path.glob("*.mcap")) if self.path.is_dir() else [self.path]
        mended, lost = [], 0
        for file in files:
            if is_cut_short(file):
                lost += salvage(file, folder / file.name)
                file = folder / file.name
            mended.append(file)
        self.damage = f"bag {self.path} was cut short ({lost} bytes at its end are no whole message)"
        logger.warning("%s; reading what is there", self.damage)
        return mended

    @property
    def topics(self) -> dict[str, str]:
        """Message type of each topic."""
        return {connection.topic: _ros2_type(connection) for connection in self._reader.connections}

    @property
    def message_counts(self) -> dict[str, int]:
        """Number of messages of each topic."""
        return {topic: info.msgcount for topic, info in self._reader.topics.items()}

    @property
    def latched_topics(self) -> set[str]:
        """Topics recorded from publishers that keep their last messages for later subscribers."""
        return {connection.topic for connection in self._reader.connections if _is_latched(connection)}

    @property
    def custom_data(self) -> dict[str, str]:
        """What the bag's writer noted in ``metadata.yaml``; empty for bags without."""
        metadata = self.path / "metadata.yaml"
        if not metadata.is_file():
            return {}
        with self._errors():
            content = yaml.safe_load(metadata.read_text(encoding="utf-8"))
            return dict(content["rosbag2_bagfile_information"].get("custom_data") or {})

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
                yield self._message(connection, time_ns, data)

    def _message(self, connection: Connection, time_ns: int, data: bytes) -> BagMessage:
        kind = _ros2_type(connection)
        if not isinstance(connection.ext, ConnectionExtRosbag1):
            return BagMessage(connection.topic, kind, time_ns, data, self._types)
        if kind not in TYPES.fielddefs:
            raise UserError(f"{connection.topic}: {connection.msgtype} of ROS 1 is not known in ROS 2")
        types = self._reader.typestore
        converted = migrate_bytes(
            types, TYPES, connection.msgtype, kind, self._migrated, data, src_is2=False, dst_is2=True
        )
        return BagMessage(connection.topic, kind, time_ns, bytes(converted), TYPES)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Says which bag it was. On damaged files the library raises whatever its parser trips over."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"bag {self.path} cannot be read, it may be damaged: {error}") from error


def _ros2_type(connection: Connection) -> str:
    return STATIC_MSGTYPE_RENAMES.get(connection.msgtype, connection.msgtype)


def _is_latched(connection: Connection) -> bool:
    if isinstance(connection.ext, ConnectionExtRosbag1):
        return bool(connection.ext.latching)
    return any(q.durability is QosDurability.TRANSIENT_LOCAL for q in connection.ext.offered_qos_profiles)


def _is_damaged(path: Path) -> bool:
    """Whether a bag's index was missing or a file has no end, as when recording was not ended properly."""
    if path.is_dir():
        files = sorted(path.glob("*.mcap"))
        return bool(files) and (not (path / "metadata.yaml").is_file() or any(map(is_cut_short, files)))
    return path.suffix == ".mcap" and is_cut_short(path)
