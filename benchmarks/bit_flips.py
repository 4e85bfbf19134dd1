"""Flip bits of small bags, one at a time, and count those that silently change the content.

    python benchmarks/bit_flips.py            # 400 flips per kind of bag, reproducible

docs/bags.md quotes the figures. Half of the flips are anywhere in the file, half in its first or last 3 kB,
which hold its structure.
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import StoragePlugin, Writer

from adu_depth_core.bags.messages import TYPES, camera_info_message, image_message
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError

CAMERA = Camera(50.0, 51.0, 23.5, 15.5, 48, 32)
END = 3000


def messages() -> Iterator[tuple[str, Any, int]]:
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 256, (32, 48, 3), np.uint8)
        stamp = 1_000_000_000 + i * 100_000_000
        yield "/camera/left/image_rect", image_message(pixels, "rgb8", stamp, "camera"), stamp
        yield "/camera/left/camera_info", camera_info_message(CAMERA, stamp, "camera"), stamp


def write_own(path: Path) -> Path:
    with BagWriter(path) as bag:
        for topic, message, stamp in messages():
            bag.write(topic, message, stamp)
    return path


def write_by_rosbags(path: Path, plugin: StoragePlugin) -> Path:
    with Writer(path, version=8, storage_plugin=plugin) as writer:
        connections: dict[str, Any] = {}
        for topic, message, stamp in messages():
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
            writer.write(connections[topic], stamp, TYPES.serialize_cdr(message, kind))
    return path


def write_by_mcap(path: Path, **options: Any) -> Path:
    path = path.with_suffix(".mcap")
    with path.open("wb") as file:
        writer = McapWriter(file, chunk_size=8000, **options)
        writer.start("ros2", "bit flips")
        channels: dict[str, int] = {}
        for topic, message, stamp in messages():
            kind = message.__msgtype__
            if topic not in channels:
                definition = TYPES.generate_msgdef(kind, ros_version=2)[0].encode()
                schema = writer.register_schema(kind, "ros2msg", definition)
                channels[topic] = writer.register_channel(topic, "cdr", schema)
            writer.add_message(channels[topic], stamp, bytes(TYPES.serialize_cdr(message, kind)), stamp)
        writer.finish()
    return path


KINDS: dict[str, Callable[[Path], Path]] = {
    "own": write_own,
    "MCAP, zstd chunks with CRC": lambda path: write_by_mcap(path, compression=CompressionType.ZSTD),
    "MCAP, lz4 chunks with CRC": lambda path: write_by_mcap(path, compression=CompressionType.LZ4),
    "MCAP, no chunks, data CRC": lambda path: write_by_mcap(
        path, compression=CompressionType.NONE, use_chunking=False, enable_data_crcs=True
    ),
    "MCAP without CRC": lambda path: write_by_rosbags(path, StoragePlugin.MCAP),
    "sqlite3": lambda path: write_by_rosbags(path, StoragePlugin.SQLITE3),
}


def read(path: Path) -> tuple[Any, str | None]:
    """Full content of a bag, and the reported damage."""
    with BagReader(path, salvage=True) as bag:
        about = bag.topics, bag.message_counts, bag.start_ns, bag.duration_ns, bag.latched_topics
        content = [(m.topic, m.type, m.time_ns, bytes(m.data)) for m in bag.messages() if m.content]
        return (about, content), bag.damage


def flip_bits(path: Path, count: int) -> Counter[str]:
    """Outcomes of ``count`` flips."""
    good, _ = read(path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    sizes = [file.stat().st_size for file in files]
    rng, outcomes = random.Random(11), Counter[str]()
    for number in range(count):
        anywhere = number % 2
        file = rng.choices(files, sizes)[0] if anywhere else rng.choice(files)
        whole = file.read_bytes()
        near = rng.randrange(min(END, len(whole)))
        position = rng.randrange(len(whole)) if anywhere else rng.choice([near, len(whole) - 1 - near])
        changed = bytearray(whole)
        changed[position] ^= 1 << rng.randrange(8)
        file.write_bytes(changed)
        try:
            content, damage = read(path)
        except UserError:
            outcomes["refused"] += 1
        else:
            outcomes["said" if damage else "no effect" if content == good else "UNNOTICED"] += 1
        file.write_bytes(whole)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flips", type=int, default=400)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    for kind, write in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            outcomes = flip_bits(write(Path(folder) / "drive"), arguments.flips)
        print(f"{kind:<28}", ", ".join(f"{outcomes[name]} {name}" for name in sorted(outcomes)), flush=True)


if __name__ == "__main__":
    main()
