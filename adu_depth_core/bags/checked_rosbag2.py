"""rosbag2 folders and files by rosbags' readers, with additional checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import zstandard
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from rosbags.rosbag2.reader import DirectoryReader

from adu_depth_core.bags.checked_mcap import CheckedMcapReader
from adu_depth_core.errors import UserError

MAX_MESSAGE = 1 << 30
"""Bytes of the largest compressed message that is unpacked."""


class _Directory(DirectoryReader):
    """The library's reader, which would unpack compressed messages to any size."""

    STORAGE_PLUGINS = DirectoryReader.STORAGE_PLUGINS | {"mcap": CheckedMcapReader}

    def open(self) -> None:
        super().open()
        self._packed = self.metadata.compression_mode == "message"
        if self._packed:
            self.metadata = self.metadata._replace(compression_mode=None)

    def messages(self, *arguments: Any, **names: Any) -> Iterator[tuple[Connection, int, bytes]]:
        for connection, time_ns, data in super().messages(*arguments, **names):
            yield connection, time_ns, _unpacked(data) if self._packed else data


class Rosbag2Reader(Reader):
    """The library's reader of a rosbag2 folder or one of its files."""

    STORAGE_PLUGINS = Reader.STORAGE_PLUGINS | {"dir": _Directory, ".mcap": CheckedMcapReader}

    @property
    def storages(self) -> list[Any]:
        """Readers of the bag's files."""
        return self.storage.storages if isinstance(self.storage, _Directory) else [self.storage]

    def check_metadata(self) -> None:
        """Compare the topics of ``metadata.yaml`` with those of the files: others would be read as empty.

        :raises UserError: if topics or numbers of messages differ
        """
        listed = _counts(self.connections)
        stored = sum((_counts(storage.connections) for storage in self.storages), Counter())
        for key in sorted((listed | stored).keys()):
            if listed[key] != stored[key]:
                topic, kind, _ = key
                raise UserError(
                    f"metadata.yaml of bag {self.path} has {listed[key]} messages on {topic} ({kind}), its "
                    f"files have {stored[key]}: it is damaged, or of other files; `ros2 bag reindex` "
                    f"rewrites it"
                )


def _counts(connections: Iterable[Connection]) -> Counter[tuple[str, str, str]]:
    """Messages by topic, type, and encoding with quality of service."""
    return Counter({(c.topic, c.msgtype, repr(c.ext)): c.msgcount for c in connections})


def _unpacked(data: bytes) -> bytes:
    size = zstandard.frame_content_size(data)  # rosbag2 requires it too
    if not 0 <= size <= MAX_MESSAGE:
        raise ValueError(f"a compressed message announces {size} bytes, must be at most {MAX_MESSAGE}")
    return zstandard.decompress(data)
