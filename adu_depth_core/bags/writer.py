"""Atomic writing of a bag, with checksums."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mcap.writer
from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionMode, StoragePlugin, Writer

import adu_depth_core
from adu_depth_core.bags.messages import TYPES
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically

LATCHED_TOPICS = ("/tf_static",)
"""Topics whose last message every later subscriber must get."""

DEFAULT_START_NS = 1_000_000_000
"""Stamp of the first frame of data without dates. Not 0, which means "no time" in ROS."""

_FOREVER = QosTime(9223372036, 854775807)  # RMW_DURATION_INFINITE
_LATCHED = Qos(
    history=QosHistory.KEEP_LAST,
    depth=1,
    reliability=QosReliability.RELIABLE,
    durability=QosDurability.TRANSIENT_LOCAL,
    deadline=_FOREVER,
    lifespan=_FOREVER,
    liveliness=QosLiveliness.AUTOMATIC,
    liveliness_lease_duration=_FOREVER,
    avoid_ros_namespace_conventions=False,
)


class _ChecksummedMcap:
    """MCAP storage whose chunks and summary have a CRC, which rosbags' own omits.

    :param path: folder of the bag
    :param compression: is none
    """

    def __init__(self, path: Path, compression: CompressionMode) -> None:
        self.path = path / f"{path.name}.mcap"
        self._file = self.path.open("xb")
        self._mcap = mcap.writer.Writer(self._file, compression=mcap.writer.CompressionType.NONE)
        self._mcap.start("ros2", f"adu_depth-{adu_depth_core.__version__}")
        self._schemas: dict[str, int] = {}
        self._channels: dict[int, int] = {}

    def add_msgtype(self, connection: Connection) -> None:
        definition = connection.msgdef.data.encode()
        self._schemas[connection.msgtype] = self._mcap.register_schema(
            connection.msgtype, "ros2msg", definition
        )

    def add_connection(self, connection: Connection, offered_qos_profiles: str) -> None:
        self._channels[connection.id] = self._mcap.register_channel(
            connection.topic,
            connection.ext.serialization_format,
            self._schemas[connection.msgtype],
            {"offered_qos_profiles": offered_qos_profiles},
        )

    def write(self, connection: Connection, timestamp: int, data: bytes | memoryview) -> None:
        self._mcap.add_message(self._channels[connection.id], timestamp, data, timestamp)

    def close(self, version: int, metadata: str) -> None:
        self._mcap.add_metadata("rosbag2", {"serialized_metadata": metadata})
        self._mcap.finish()
        self._file.close()

    def abort(self) -> None:
        self._file.close()


class _Writer(Writer):
    STORAGE_PLUGINS = Writer.STORAGE_PLUGINS | {StoragePlugin.MCAP: _ChecksummedMcap}


class BagWriter:
    """Context manager that writes a rosbag2 with MCAP storage.

    The bag appears under its name when the ``with`` block ends; if it ends with an error nothing is left.

    :param path: folder of the bag
    :param overwrite: replace a bag that is there already
    :param custom_data: further entries of ``metadata.yaml``
    :raises UserError: if ``path`` exists and is not a bag, or is one and ``overwrite`` is False
    """

    def __init__(
        self, path: Path | str, overwrite: bool = False, custom_data: Mapping[str, str] | None = None
    ) -> None:
        self.path = Path(path)
        self._custom_data = custom_data or {}
        if self.path.exists() and not (overwrite and (self.path / "metadata.yaml").is_file()):
            kind = "bag" if (self.path / "metadata.yaml").is_file() else "file or folder that is not a bag"
            raise UserError(f"{self.path} exists already (a {kind}); remove it or choose another name")
        self._overwrite = overwrite
        self.message_counts: dict[str, int] = {}
        self._connections: dict[str, Connection] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> BagWriter:
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(write_atomically(self.path, self._overwrite))
            # Version 8 of the metadata is read by Jazzy and by Humble; 9 is not by Humble.
            writer = _Writer(temporary, version=8, storage_plugin=StoragePlugin.MCAP)
            for key, value in self._custom_data.items():
                writer.set_custom_data(key, value)
            self._writer = stack.enter_context(writer)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        """Append a message built by ``messages``; ``time_ns`` is when it was received, or its stamp."""
        message_type = message.__msgtype__
        self.write_raw(topic, message_type, TYPES.serialize_cdr(message, message_type), time_ns)

    def write_raw(self, topic: str, message_type: str, data: bytes | memoryview, time_ns: int) -> None:
        """Append a message that is serialised already (CDR, with its encapsulation header).

        :raises UserError: if the definition of the message type is not known
        """
        connection = self._connections.get(topic)
        if connection is None:
            if message_type not in TYPES.fielddefs:
                raise UserError(
                    f"{topic}: {message_type} is not one of ROS 2's own message types, cannot record it"
                )
            connection = self._connections[topic] = self._writer.add_connection(
                topic,
                message_type,
                typestore=TYPES,
                offered_qos_profiles=[_LATCHED] if topic in LATCHED_TOPICS else [],
            )
            self.message_counts[topic] = 0
        self._writer.write(connection, time_ns, data)
        self.message_counts[topic] += 1
