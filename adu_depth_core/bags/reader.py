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

from adu_depth_core.bags.checked_mcap import CheckedMcapReader, damaged_part
from adu_depth_core.bags.checked_rosbag2 import Rosbag2Reader
from adu_depth_core.bags.definitions import differing_type, known_types
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
            # Given bytes, the library would copy the whole message.
            return self.types.deserialize_cdr(memoryview(self.data), self.type)
        except SerdeError as error:
            raise UserError(
                f"message on {self.topic} at {self.time_ns} ns is not a {self.type}: {error}"
            ) from error


class BagReader:
    """Context manager that reads a rosbag2 folder, an .mcap or .db3 file of one, or a ROS 1 .bag file.

    Messages of ROS 1 come as their ROS 2 counterparts. The checksums of MCAP files are checked.

    :param path: the bag
    :param salvage: recover damaged MCAP files and report the losses in ``damage``, instead of refusing the
        bag: truncated files, and files with a damaged index or damaged chunks
    :raises UserError: if it is missing or is not a bag, or its ``metadata.yaml`` is not of its files (on
        entering the ``with`` block)
    """

    def __init__(self, path: Path | str, salvage: bool = False) -> None:
        self.path = Path(path)
        self._salvage = salvage
        self._damage: list[str] = []
        self._checked: list[CheckedMcapReader] = []
        self._stack = contextlib.ExitStack()
        self._migrated: dict[str, object] = {}

    def __enter__(self) -> BagReader:
        if not self.path.exists():
            raise UserError(f"bag {self.path} does not exist")
        with contextlib.ExitStack() as stack, self._errors():
            paths = [self.path]
            damaged = {file: part for file in _mcap_files(self.path) if (part := _damaged_part(file))}
            unfinished = self.path.is_dir() and not (self.path / "metadata.yaml").is_file()
            if self._salvage and _mcap_files(self.path) and (damaged or unfinished):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adu_depth_salvage_"))
                paths = self._mended(damaged, Path(folder))
            elif damaged:
                file, part = next(iter(damaged.items()))
                raise UserError(f"bag {self.path} is damaged: {file.name} {part}")
            self._open(paths, stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    @property
    def damage(self) -> str | None:
        """Losses of a damaged bag, as far as it was read; None without any."""
        lost = sum(storage.lost for storage in self._checked)
        parts = self._damage + ([f"{lost} messages are skipped: their checksum fails"] if lost else [])
        return f"bag {self.path} is damaged: {'; '.join(parts)}" if parts else None

    def _open(self, paths: list[Path], stack: contextlib.ExitStack) -> None:
        self._reader = AnyReader(paths, default_typestore=TYPES)
        if self._reader.is2:
            self._reader.readers = [Rosbag2Reader(path) for path in paths]
        self._reader.open()
        stack.callback(self._reader.close)
        for reader in self._reader.readers:
            if isinstance(reader, Rosbag2Reader):
                reader.check_metadata()
                self._checked += [s for s in reader.storages if isinstance(s, CheckedMcapReader)]
        for storage in self._checked:
            storage.leaves_out_damage = self._salvage
        # The library writes and compiles decoders for each typestore: where the bag's definitions are the
        # common ones, those of the last bag serve again.
        own = self._reader.typestore
        common = all(TYPES.fielddefs.get(name) == fields for name, fields in own.fielddefs.items())
        self._types = TYPES if common else own

    def _mended(self, damaged: dict[Path, str], folder: Path) -> list[Path]:
        """The bag's MCAP files, those that can be repaired replaced by repaired copies in ``folder``."""
        files = []
        for file in _mcap_files(self.path):
            part = damaged.get(file)
            if part in (_CUT_SHORT, _INDEX):
                lost = salvage(file, folder / file.name)
                part += f" ({lost.bytes} bytes at its end are no whole message)" if part == _CUT_SHORT else ""
                part += f" and {lost.chunks} damaged chunks, which are left out" if lost.chunks else ""
                file = folder / file.name
            if part:
                self._damage.append(f"{file.name} {part}")
            files.append(file)
        if not damaged:
            self._damage.append("it has no metadata.yaml")
        logger.warning("%s; reading what is there", self.damage)
        return files

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
        """Custom data from ``metadata.yaml``; empty for bags without."""
        metadata = self.path / "metadata.yaml"
        if not metadata.is_file():
            return {}
        with self._errors():
            content = yaml.safe_load(metadata.read_text(encoding="utf-8"))
            return dict(content["rosbag2_bagfile_information"].get("custom_data") or {})

    @property
    def start_ns(self) -> int:
        """Bag time of the first message in nanoseconds."""
        return min(start for start, _ in self._spans)

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from the first to the last message."""
        # A span's end is one nanosecond after the last message.
        return max(0, max(end for _, end in self._spans) - 1 - self.start_ns)

    @property
    def _spans(self) -> list[tuple[int, int]]:
        """Start and end of the bag's files: unlike ``metadata.yaml`` those know the times of the messages."""
        parts: list[Any] = []
        for reader in self._reader.readers:
            rosbag2 = isinstance(reader, Rosbag2Reader)
            parts += [storage.metadata for storage in reader.storages] if rosbag2 else [reader]
        return [(part.start_time, part.end_time) for part in parts]

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
        self._check_definitions(connections)
        with self._errors():
            for connection, time_ns, data in self._reader.messages(connections) if connections else ():
                yield self._message(connection, time_ns, data)

    def _check_definitions(self, connections: Collection[Connection]) -> None:
        """:raises UserError: if the bag defines a message type that is known otherwise"""
        for connection in connections:
            own = self._reader.typestore
            if part := differing_type(connection.msgtype, own, known_types(self._reader.is2)):
                raise UserError(
                    f"bag {self.path} brings its own definition of {part} (for {connection.topic}), which "
                    "differs from that of ROS: it cannot be read; record the bag with the usual messages"
                )

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
        """Adds the bag's name to an error. On damaged files the library raises arbitrary errors of its
        parser."""
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


_CUT_SHORT, _INDEX, _DATA = (
    "was cut short",
    "has a damaged index (checksum)",
    "has a damaged data section (checksum)",
)


def _mcap_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.mcap"))
    return [path] if path.suffix == ".mcap" else []


def _damaged_part(file: Path) -> str | None:
    if is_cut_short(file):
        return _CUT_SHORT
    return {"index": _INDEX, "data section": _DATA, None: None}[damaged_part(file)]
