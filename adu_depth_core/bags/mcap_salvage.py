"""Recovery of an MCAP file that was truncated, as by a power failure, or whose index is damaged."""

from __future__ import annotations

import contextlib
import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mcap.data_stream import RecordBuilder
from mcap.records import Channel, ChunkIndex, DataEnd, Footer, Message, Schema, Statistics

from adu_depth_core.bags.checked_mcap import chunk_records

_MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _CHUNK, _DATA_END = 0x02, 0x06, 0x0F
_RECORD_HEADER = 9
"""Bytes of opcode and length before each record's content (https://mcap.dev/spec)."""

_INDEX_HEADER, _INDEX_ENTRY = 15, 16
"""Bytes of a message index record around its entries, and of each entry."""

_LONGEST_NAME = 32
"""Letters of the name of a compression; all that are known have fewer."""


@dataclass(frozen=True)
class Loss:
    """Unreadable parts of a file.

    :param bytes: at its end, of no whole record
    :param chunks: that are damaged
    """

    bytes: int
    chunks: int


def is_cut_short(path: Path) -> bool:
    """True if a file has MCAP's header but lacks its footer."""
    with path.open("rb") as file:
        begins = file.read(len(_MAGIC)) == _MAGIC
        file.seek(-min(len(_MAGIC), path.stat().st_size), 2)
        return begins and file.read() != _MAGIC


def salvage(path: Path, target: Path) -> Loss:
    """Copy the intact records of a file and close it properly, with an index of its valid chunks.

    Without index readers take messages in the order of the file, and refuse those that are not in order of
    time, as the messages of a recorder with several threads are.

    :param path: MCAP file whose end or index is missing or damaged
    :param target: file to write
    :raises ValueError: if not even its beginning is that of an MCAP file
    """
    size = path.stat().st_size
    summary = _Summary()
    with path.open("rb") as source:
        if source.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{path} does not begin as an MCAP file does")
        end, chunks = len(_MAGIC), 0
        for opcode, start, end in _whole_records(source, size):
            if opcode == _CHUNK:
                chunks += 1
                with contextlib.suppress(Exception):  # any error in a damaged chunk: skip it
                    summary.add_chunk(source, start, end)
        with target.open("wb") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy)
            copy.truncate(end)
            copy.seek(end)
            copy.write(summary.after(end))
    return Loss(size - end, chunks - len(summary.chunks))


def _whole_records(source: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """Opcode, start and end of the records of the data section."""
    end = len(_MAGIC)
    while end + _RECORD_HEADER <= size:
        source.seek(end)
        header = source.read(_RECORD_HEADER)
        start, end = end, end + _RECORD_HEADER + int.from_bytes(header[1:], "little")
        if end > size or header[0] in (_DATA_END, _FOOTER):
            return
        yield header[0], start, end


class _Summary:
    """The end of a file: what its chunks hold and where they are. Its checksums are 0, which means none."""

    def __init__(self) -> None:
        self.chunks: list[ChunkIndex] = []
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._counts: Counter[int] = Counter()

    def add_chunk(self, file: BinaryIO, start: int, end: int) -> None:
        """Take in the chunk whose record is from ``start`` to ``end``; raises what ``chunk_records`` does."""
        file.seek(start + _RECORD_HEADER + 16)
        size, _, letters = struct.unpack("<QII", file.read(16))
        compression = file.read(min(letters, _LONGEST_NAME)).decode()
        counts: Counter[int] = Counter()
        times = []
        for record in chunk_records(file, start, end - start, compression, size):
            if isinstance(record, Schema):
                self._schemas[record.id] = record
            elif isinstance(record, Channel):
                self._channels[record.id] = record
            elif isinstance(record, Message):
                counts[record.channel_id] += 1
                times.append(record.log_time)
        # Readers take from the places of a chunk's indices only which channels it has and how often, so there
        # need not be any.
        places, after = {}, end
        for channel, count in counts.items():
            places[channel] = after
            after += _INDEX_HEADER + _INDEX_ENTRY * count
        self._counts += counts
        self.chunks.append(
            ChunkIndex(
                message_start_time=min(times, default=0),
                message_end_time=max(times, default=0),
                chunk_start_offset=start,
                chunk_length=end - start,
                message_index_offsets=places,
                message_index_length=after - end,
                compression=compression,
                compressed_size=end - start - _RECORD_HEADER - 40 - len(compression),
                uncompressed_size=size,
            )
        )

    def after(self, end: int) -> bytes:
        """Everything that follows on a data section of ``end`` bytes."""
        builder = RecordBuilder()
        DataEnd(0).write(builder)
        start = end + builder.count if self.chunks else 0
        if self.chunks:
            self._statistics().write(builder)
            for record in (*self._schemas.values(), *self._channels.values(), *self.chunks):
                record.write(builder)
        Footer(start, 0, 0).write(builder)
        return builder.end() + _MAGIC

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=dict(self._counts),
            chunk_count=len(self.chunks),
            message_count=sum(self._counts.values()),
            message_start_time=min(chunk.message_start_time for chunk in self.chunks),
            message_end_time=max(chunk.message_end_time for chunk in self.chunks),
            metadata_count=0,
            schema_count=len(self._schemas),
        )
