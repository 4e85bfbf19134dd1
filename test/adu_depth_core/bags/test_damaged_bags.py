"""Bit flips in bags are detected wherever there are checksums, and the loss is reported."""

import contextlib
import random
import struct

import numpy as np
import pytest
import yaml
import zstandard

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import StoragePlugin, Writer

from adu_depth_core.bags.messages import IMAGE, TYPES, image_message
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter

COUNT = 12


def messages():
    for i in range(COUNT):
        pixels = np.random.default_rng(i).integers(0, 256, (20, 30, 3), np.uint8)
        for topic in ("/left", "/right"):
            yield topic, image_message(pixels, "rgb8", 100 + i, "camera"), 100 + i


@pytest.fixture
def own_bag(tmp_path):
    """A bag written by this package."""
    with BagWriter(tmp_path / "drive") as bag:
        for topic, message, time in messages():
            bag.write(topic, message, time)
    return tmp_path / "drive"


@pytest.fixture
def make_mcap(tmp_path):
    """Writes an MCAP file of several chunks with the format's own writer and its options."""

    def make(**options):
        path = tmp_path / "other.mcap"
        with path.open("wb") as file:
            writer = McapWriter(file, **{"chunk_size": 4000, "compression": CompressionType.NONE, **options})
            writer.start("ros2", "test")
            definition = TYPES.generate_msgdef(IMAGE, ros_version=2)[0].encode()
            schema = writer.register_schema(IMAGE, "ros2msg", definition)
            channels = {topic: writer.register_channel(topic, "cdr", schema) for topic in ("/left", "/right")}
            for topic, message, time in messages():
                data = bytes(TYPES.serialize_cdr(message, IMAGE))
                writer.add_message(channels[topic], time, data, time)
            writer.finish()
        return path

    return make


def flip(path, position, bit=0):
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def read(path, salvage=True):
    """Content of a bag, and the reported damage."""
    with BagReader(path, salvage=salvage) as bag:
        about = sorted(bag.topics.items()), bag.message_counts, bag.start_ns, bag.duration_ns
        content = [(m.topic, m.time_ns, bytes(m.data)) for m in bag.messages()]
        return (about, content), bag.damage


def test_own_bags_have_checksums(own_bag):
    with (own_bag / "drive.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert len(list(reader.iter_messages())) == 2 * COUNT
        file.seek(0)
        chunks = [r for r in StreamReader(file, emit_chunks=True).records if type(r).__name__ == "Chunk"]
        file.seek(-12, 2)
        assert all(chunk.uncompressed_crc for chunk in chunks)
        assert struct.unpack("<I", file.read(4)) != (0,)


FLIPS = 80


@pytest.mark.parametrize("kind", ["own", "chunks", "zstd", "lz4", "not chunked"])
def test_no_flipped_bit_of_a_file_with_checksums_goes_unnoticed(kind, own_bag, make_mcap):
    options = {
        "chunks": {},
        "zstd": {"compression": CompressionType.ZSTD},
        "lz4": {"compression": CompressionType.LZ4},
        "not chunked": {"use_chunking": False, "enable_data_crcs": True},
    }
    path = own_bag if kind == "own" else make_mcap(**options[kind])
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    good, damage = read(path)
    assert damage is None
    rng = random.Random(1)
    unnoticed, said = [], 0
    for _ in range(FLIPS):
        file = rng.choice(files)
        whole = file.read_bytes()
        # Half of the flips hit the file structure.
        position = rng.choice(
            (rng.randrange(len(whole)), len(whole) - 1 - rng.randrange(min(1500, len(whole))))
        )
        flip(file, position, rng.randrange(8))
        try:
            content, damage = read(path)
        except UserError:
            pass
        else:
            said += damage is not None
            if damage is None and content != good:
                unnoticed.append((file.name, position))
        file.write_bytes(whole)
    assert unnoticed == []
    assert said > FLIPS / 10  # the others raise an error or leave the content unchanged


def test_a_damaged_chunk_is_left_out_and_counted(make_mcap):
    path = make_mcap()
    (_, good), _ = read(path)
    flip(path, path.stat().st_size // 2)
    (_, content), damage = read(path)
    lost = len(good) - len(content)
    assert 0 < lost < 6
    assert f"other.mcap is damaged: {lost} messages are skipped: their checksum fails" in damage
    assert [message for message in good if message in content] == content
    with pytest.raises(UserError, match=r"other\.mcap cannot be read.*chunk at byte .* is damaged"):
        read(path, salvage=False)


def test_of_a_bag_with_a_damaged_index_every_message_remains(own_bag):
    file = own_bag / "drive.mcap"
    good, _ = read(own_bag)
    content = file.read_bytes()
    flip(file, content.rindex(b"/left") + 1)  # the topic name in the summary
    found, damage = read(own_bag)
    assert found[1] == good[1]
    assert "drive.mcap has a damaged index (checksum)" in damage
    with pytest.raises(UserError, match=r"drive is damaged: drive\.mcap has a damaged index"):
        read(own_bag, salvage=False)


def test_a_damaged_index_and_a_damaged_chunk_cost_that_chunk(make_mcap):
    path = make_mcap()
    (_, good), _ = read(path)
    flip(path, path.stat().st_size // 2)
    flip(path, path.read_bytes().rindex(b"/left") + 1)
    (_, content), damage = read(path)
    assert 0 < len(good) - len(content) < 6
    assert [message for message in good if message in content] == content
    assert "has a damaged index (checksum) and 1 damaged chunks, which are left out" in damage


def messages_before_damage(path):
    """Number of messages that the format's own reader returns before it stops."""
    count = 0
    with path.open("rb") as file, contextlib.suppress(Exception):
        for record in StreamReader(file, validate_crcs=True).records:
            count += isinstance(record, Message)
    return count


def test_more_remains_than_the_format_s_own_reader_gives(make_mcap):
    """Justifies bags/mcap_salvage.py (docs/architecture.md): if this fails, use that reader instead."""
    whole = make_mcap().read_bytes()
    rng = random.Random(1)
    ours, theirs = [], []
    for _ in range(40):
        cut = bytearray(whole[: rng.randrange(len(whole) // 2, len(whole) - 40)])
        cut[rng.randrange(8, len(cut))] ^= 1
        path = make_mcap()
        path.write_bytes(cut)
        theirs.append(messages_before_damage(path))
        try:
            (_, content), _ = read(path)
            ours.append(len(content))
        except UserError:
            ours.append(0)
    print(f"messages of {2 * COUNT}: ours {np.mean(ours):.1f}, StreamReader {np.mean(theirs):.1f}")
    assert np.mean(ours) > 1.2 * np.mean(theirs)


def test_what_has_no_checksum_is_read_as_it_is(tmp_path):
    """Limits of detection, as stated in docs/bags.md: sqlite3, and MCAP without CRC."""
    for plugin in (StoragePlugin.SQLITE3, StoragePlugin.MCAP):
        path = tmp_path / plugin.name
        with Writer(path, version=8, storage_plugin=plugin) as writer:
            connection = writer.add_connection("/left", IMAGE, typestore=TYPES)
            message = image_message(np.full((20, 30), 7, np.uint8), "mono8", 1, "camera")
            writer.write(connection, 1, TYPES.serialize_cdr(message, IMAGE))
        file = next(f for f in path.iterdir() if f.suffix != ".yaml")
        flip(file, file.read_bytes().index(bytes([7] * 9)))
        (_, content), damage = read(path)
        assert damage is None
        assert bytes([6, 7, 7]) in content[0][2]


def test_metadata_of_other_files_is_refused(own_bag):
    metadata = own_bag / "metadata.yaml"
    original = metadata.read_text()
    for change in ("count", "topic", "type"):
        info = yaml.safe_load(original)
        topic = info["rosbag2_bagfile_information"]["topics_with_message_count"][0]
        if change == "count":
            topic["message_count"] += 1
        elif change == "topic":
            topic["topic_metadata"]["name"] = "/lefu"
        else:
            topic["topic_metadata"]["offered_qos_profiles"] = [{"history": 1, "depth": 9}]
        metadata.write_text(yaml.safe_dump(info))
        with pytest.raises(UserError, match=r"drive"):
            read(own_bag)
    metadata.write_text(original.replace("nanoseconds_since_epoch: 100", "nanoseconds_since_epoch: 7"))
    with BagReader(own_bag) as bag:
        assert (bag.start_ns, bag.duration_ns) == (100, COUNT - 1)  # from the messages


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_chunk_is_unpacked_no_further_than_it_announces(make_mcap, compression):
    """A decompression bomb: a few kB expand to gigabytes, here 1000 times the declared size."""
    path = make_mcap(compression=compression, enable_crcs=False)
    content = path.read_bytes()
    with path.open("rb") as file:
        index = make_reader(file).get_summary().chunk_indexes[0]
    announced = struct.pack("<QQ", index.compressed_size, index.uncompressed_size)
    smaller = struct.pack("<QQ", index.compressed_size, index.uncompressed_size // 1000)
    path.write_bytes(content.replace(announced, smaller))
    (_, content), damage = read(path)
    assert "messages are skipped" in damage
    with pytest.raises(UserError, match="holds other than the"):
        read(path, salvage=False)


def test_a_compressed_message_is_unpacked_only_to_a_sane_size(own_bag, tmp_path):
    packed = bytearray(zstandard.compress(bytes(3_000_000)))
    announced = struct.pack("<I", 3_000_000)
    at = packed.index(announced)
    for size, complaint in (
        (3_000_000, None),
        (3_000_000_000, "announces 3000000000 bytes, must be at most"),
    ):
        packed[at : at + 4] = struct.pack("<I", size)
        path = tmp_path / str(size)
        with BagWriter(path) as bag:
            bag.write_raw("/left", IMAGE, bytes(packed), 1)
        metadata = path / "metadata.yaml"
        info = yaml.safe_load(metadata.read_text())
        info["rosbag2_bagfile_information"] |= {"compression_mode": "MESSAGE", "compression_format": "zstd"}
        metadata.write_text(yaml.safe_dump(info))
        if complaint is None:
            assert read(path)[0][1] == [("/left", 1, bytes(size))]
        else:
            with pytest.raises(UserError, match=complaint):
                read(path)
