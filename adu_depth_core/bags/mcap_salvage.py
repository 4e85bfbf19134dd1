"""What is left of an MCAP file that was cut short, as when power fails while recording."""

from __future__ import annotations

import shutil
from pathlib import Path

_MAGIC = b"\x89MCAP0\r\n"
_DATA_END, _FOOTER = 0x0F, 0x02
_RECORD_HEADER = 9
"""Bytes of opcode and length before each record's content (https://mcap.dev/spec)."""


def is_cut_short(path: Path) -> bool:
    """Whether a file begins as MCAP but does not end so."""
    with path.open("rb") as file:
        begins = file.read(len(_MAGIC)) == _MAGIC
        file.seek(-min(len(_MAGIC), path.stat().st_size), 2)
        return begins and file.read() != _MAGIC


def salvage(path: Path, target: Path) -> int:
    """Copy the whole records of a file and close it properly, without index: readers scan it.

    :param path: MCAP file whose end is missing
    :param target: file to write
    :return: bytes at the end of ``path`` that belong to no whole record
    :raises ValueError: if not even its beginning is that of an MCAP file
    """
    size = path.stat().st_size
    with path.open("rb") as source:
        if source.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{path} does not begin as an MCAP file does")
        end = len(_MAGIC)
        while end + _RECORD_HEADER <= size:
            source.seek(end)
            header = source.read(_RECORD_HEADER)
            after = end + _RECORD_HEADER + int.from_bytes(header[1:], "little")
            if after > size or header[0] in (_DATA_END, _FOOTER):
                break
            end = after
    with target.open("wb") as copy:
        with path.open("rb") as source:
            shutil.copyfileobj(source, copy)
        copy.truncate(end)
        copy.seek(end)
        # Checksums and offsets of 0 mean that there are none.
        copy.write(bytes([_DATA_END]) + (4).to_bytes(8, "little") + bytes(4))
        copy.write(bytes([_FOOTER]) + (20).to_bytes(8, "little") + bytes(20) + _MAGIC)
    return size - end
