"""What is left of an MCAP file that was cut short, as when power fails while recording."""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _CHUNK, _MESSAGE_INDEX, _CHUNK_INDEX, _STATISTICS, _DATA_END = 0x02, 0x06, 0x07, 0x08, 0x0B, 0x0F
_RECORD_HEADER = 9
"""Bytes of opcode and length before each record's content (https://mcap.dev/spec)."""

_INDEX_HEADER, _INDEX_ENTRY = 15, 16
"""Bytes of a message index record around its entries, and of each entry."""


@dataclass
class _Chunk:
    """A chunk of a file, and where the indices of its channels are.

    :param times: time of its first and last message in nanoseconds
    :param offset: where its record begins
    :param end: where that ends
    :param sizes: compressed and uncompressed
    """

    times: tuple[int, int]
    offset: int
    end: int
    compression: bytes
    sizes: tuple[int, int]
    indices_end: int
    indices: dict[int, int] = field(default_factory=dict)


def is_cut_short(path: Path) -> bool:
    """Whether a file begins as MCAP but does not end so."""
    with path.open("rb") as file:
        begins = file.read(len(_MAGIC)) == _MAGIC
        file.seek(-min(len(_MAGIC), path.stat().st_size), 2)
        return begins and file.read() != _MAGIC


def salvage(path: Path, target: Path) -> int:
    """Copy the whole records of a file and close it properly, with an index of its chunks.

    Without index readers take messages in the order of the file, and refuse those that are not in order of
    time, as the messages of a recorder with several threads are.

    :param path: MCAP file whose end is missing
    :param target: file to write
    :return: bytes at the end of ``path`` that belong to no whole record
    :raises ValueError: if not even its beginning is that of an MCAP file
    """
    size = path.stat().st_size
    with path.open("rb") as source:
        if source.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{path} does not begin as an MCAP file does")
        end, chunks = _whole_records(source, size)
    with target.open("wb") as copy:
        with path.open("rb") as source:
            shutil.copyfileobj(source, copy)
        copy.truncate(end)
        copy.seek(end)
        # Checksums and offsets of 0 mean that there are none.
        copy.write(_record(_DATA_END, bytes(4)))
        summary = 0
        if channels := {channel for chunk in chunks for channel in chunk.indices}:
            summary = copy.tell()
            # Readers count for themselves where the summary has no channels.
            copy.write(_record(_STATISTICS, bytes(46)))
            _complete(chunks[-1], channels)
            for chunk in chunks:
                copy.write(_chunk_index(chunk))
        copy.write(_record(_FOOTER, struct.pack("<QQI", summary, 0, 0)) + _MAGIC)
    return size - end


def _whole_records(source: BinaryIO, size: int) -> tuple[int, list[_Chunk]]:
    """Where the last whole record ends, and the chunks until there."""
    end, chunks = len(_MAGIC), []
    while end + _RECORD_HEADER <= size:
        source.seek(end)
        header = source.read(_RECORD_HEADER)
        after = end + _RECORD_HEADER + int.from_bytes(header[1:], "little")
        if after > size or header[0] in (_DATA_END, _FOOTER):
            break
        if header[0] == _CHUNK:
            start, stop, uncompressed, _, letters = struct.unpack("<QQQII", source.read(32))
            compression = source.read(letters)
            (compressed,) = struct.unpack("<Q", source.read(8))
            chunks.append(_Chunk((start, stop), end, after, compression, (compressed, uncompressed), after))
        elif header[0] == _MESSAGE_INDEX and chunks:
            chunks[-1].indices[int.from_bytes(source.read(2), "little")] = end
            chunks[-1].indices_end = after
        end = after
    return end, chunks


def _complete(chunk: _Chunk, channels: set[int]) -> None:
    """Say of the last chunk, whose indices may be cut off, that it has messages of every channel.

    Readers take from the places of indices only which channels a chunk has, so there need not be any.
    """
    for channel in sorted(channels - chunk.indices.keys()):
        chunk.indices[channel] = chunk.indices_end
        chunk.indices_end += _INDEX_HEADER + _INDEX_ENTRY


def _chunk_index(chunk: _Chunk) -> bytes:
    """Index record of a chunk."""
    offsets = b"".join(struct.pack("<HQ", *item) for item in chunk.indices.items())
    content = struct.pack("<QQQQ", *chunk.times, chunk.offset, chunk.end - chunk.offset)
    content += struct.pack("<I", len(offsets)) + offsets
    content += struct.pack("<QI", chunk.indices_end - chunk.end, len(chunk.compression)) + chunk.compression
    return _record(_CHUNK_INDEX, content + struct.pack("<QQ", *chunk.sizes))


def _record(opcode: int, content: bytes) -> bytes:
    return bytes([opcode]) + len(content).to_bytes(8, "little") + content
