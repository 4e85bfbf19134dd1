"""Reading MCAP files with their checksums (https://mcap.dev/spec), and no more memory than they declare.

Three things of a file may have a CRC: each chunk of messages, the summary that says where the chunks are, and
the data section as a whole. Where a recorder wrote none (its field is 0) nothing can be checked.
"""

from __future__ import annotations

import heapq
import io
import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from lz4.frame import LZ4FrameDecompressor
from mcap.data_stream import ReadDataStream
from mcap.records import Chunk, McapRecord, Message
from mcap.stream_reader import breakup_chunk
from rosbags.interfaces import Connection
from rosbags.rosbag2.storage_mcap import ChunkInfo, McapReader
from zstandard import ZstdDecompressor

_FOOTER_AND_MAGIC = 37
"""Bytes at the end of a file: opcode, length, start of summary and of its offsets, CRC, magic."""

_DATA_END = 13
"""Bytes of the record before the summary that closes the data section: opcode, length, CRC."""

_RECORD_HEADER = 9
_BLOCK = 1 << 24

_MAX_CHUNK = 1 << 30
"""Bytes of the largest chunk that is unpacked. Recorders close a chunk after about a megabyte."""

_Entry = tuple[int, int, int, Connection | None, bytes]
"""A message: time in ns, offset of its chunk and place in it, which give the order; topic, content."""


def damaged_part(path: Path) -> str | None:
    """The part of an MCAP file that does not have its checksum: ``index`` or ``data section``, or None.

    A data section that has a checksum of its own (few recorders write one) is read from end to end for it.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        footer = file.seek(max(0, size - _FOOTER_AND_MAGIC))
        end = file.read()
        if len(end) < _FOOTER_AND_MAGIC:
            return None
        start, _, crc = struct.unpack_from("<QQI", end, _RECORD_HEADER)
        start = start or footer
        if crc and (start > footer or _crc(file, start, size - 12) != crc):
            return "index"
        file.seek(max(0, start - _DATA_END))
        opcode, length, crc = struct.unpack("<BQI", file.read(_DATA_END).ljust(_DATA_END, b"\0"))
        if (opcode, length) == (0x0F, 4) and crc and _crc(file, 0, start - _DATA_END) != crc:
            return "data section"
    return None


def _crc(file: BinaryIO, start: int, end: int) -> int:
    file.seek(start)
    crc = 0
    while start < end and (block := file.read(min(_BLOCK, end - start))):
        crc = zlib.crc32(block, crc)
        start += len(block)
    return crc


class CheckedMcapReader(McapReader):
    """The library's reader, whose damaged chunks may be left out.

    :param path: MCAP file
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.leaves_out_damage = False
        """Skip the messages of a damaged chunk instead of raising ValueError."""
        self.lost = 0
        """Messages of damaged chunks that were left out, by the file's index."""

    def messages(
        self, connections: Collection[Connection], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Messages in order of time; of files without an index in their own, as the library has it."""
        if not self.chunks:
            yield from super().messages(connections, start, stop)
            return
        wanted = {connection.id: connection for connection in connections}
        chunks = [chunk for chunk in self.chunks if wanted.keys() & chunk.channel_count.keys()]
        sources = (self._entries(chunk, wanted) for chunk in chunks)
        for time, _, _, connection, data in heapq.merge(*sources, key=_order):
            if connection and (start is None or time >= start) and (stop is None or time < stop):
                yield connection, time, data

    def _entries(self, chunk: ChunkInfo, wanted: Mapping[int, Connection]) -> Iterator[_Entry]:
        """Messages of a chunk in order of time, after a mark: only when that is reached is the chunk read."""
        yield chunk.message_start_time, -1, -1, None, b""
        try:
            records = chunk_records(
                self.bio,
                chunk.chunk_start_offset,
                chunk.chunk_length,
                chunk.compression,
                chunk.uncompressed_size,
            )
        except Exception as error:  # any error of decompression or parsing
            if not self.leaves_out_damage:
                raise ValueError(
                    f"the chunk at byte {chunk.chunk_start_offset} is damaged: {error}"
                ) from error
            self.lost += sum(chunk.channel_count.get(id, 0) for id in wanted)
            return
        entries = [
            (record.log_time, chunk.chunk_start_offset, place, wanted[record.channel_id], record.data)
            for place, record in enumerate(records)
            if isinstance(record, Message) and record.channel_id in wanted
        ]
        yield from sorted(entries, key=_order)


def chunk_records(file: BinaryIO, offset: int, length: int, compression: str, size: int) -> list[McapRecord]:
    """Records of a chunk: schemas, channels and messages.

    :param offset: start of the chunk's record
    :param length: bytes of that record
    :param compression: none (empty), zstd or lz4
    :param size: bytes that the chunk announces to hold when unpacked; no more are unpacked
    :raises Exception: any error of decompression or parsing if it is damaged; ValueError if it holds
        other than it announces, or has not its checksum
    """
    if max(length, size) > _MAX_CHUNK:
        raise ValueError(f"it announces {size} bytes, more than {_MAX_CHUNK}")
    file.seek(offset + _RECORD_HEADER)
    chunk = Chunk.read(ReadDataStream(io.BytesIO(file.read(length - _RECORD_HEADER))))
    if compression == "zstd":
        chunk.data = ZstdDecompressor().stream_reader(chunk.data).read(size + 1)
    elif compression == "lz4":
        chunk.data = LZ4FrameDecompressor().decompress(chunk.data, max_length=size + 1)
    elif compression:
        raise ValueError(f"its compression {compression!r} is unknown")
    if len(chunk.data) != size:
        raise ValueError(f"it holds other than the {size} bytes that it announces")
    chunk.compression = ""
    return breakup_chunk(chunk, validate_crc=True)


def _order(entry: _Entry) -> tuple[int, int, int]:
    return entry[:3]
