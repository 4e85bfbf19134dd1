"""The same messages in every kind of bag: storage, compression, split, ROS 1, truncated."""

import numpy as np
import pytest
import yaml

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from adu_depth_core.bags.mcap_salvage import is_cut_short
from adu_depth_core.bags.messages import (
    CAMERA_INFO,
    IMAGE,
    TYPES,
    camera_info_message,
    image_array,
    image_message,
    stamp_of,
)
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info

COUNT = 5
CAMERA = Camera(50.0, 51.0, 9.5, 4.5, 20, 10)


def messages(first=0, last=COUNT):
    for i in range(first, last):
        pixels = np.random.default_rng(i).integers(0, 256, (300, 400, 3), np.uint8)
        yield "/image", image_message(pixels, "rgb8", 10 + i, "camera"), 10 + i
        yield "/camera_info", camera_info_message(CAMERA, 10 + i, "camera"), 10 + i


def write(path, compression=None, plugin=StoragePlugin.MCAP, **span):
    writer = Writer(path, version=8, storage_plugin=plugin)
    if compression is not None:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic, message, stamp in messages(**span):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
            writer.write(connections[topic], stamp, TYPES.serialize_cdr(message, kind))
    return path


def write_split(path):
    """Two files of one bag, as `ros2 bag record --max-bag-size` writes them."""
    write(path, last=3)
    write(path.with_name("rest"), first=3)
    rest = path.with_name("rest") / "rest.mcap"
    rest.rename(path / "drive_1.mcap")
    metadata = yaml.safe_load((path / "metadata.yaml").read_text())
    info = metadata["rosbag2_bagfile_information"]
    info["relative_file_paths"].append("drive_1.mcap")
    info["message_count"] = 2 * COUNT
    info["duration"]["nanoseconds"] = COUNT - 1
    for topic in info["topics_with_message_count"]:
        topic["message_count"] = COUNT
    (path / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    return path


def write_ros1(path):
    path = path.with_suffix(".bag")
    types = get_typestore(Stores.ROS1_NOETIC)
    with Ros1Writer(path) as writer:
        connections = {}
        for topic, message, stamp in messages():
            old = to_ros1(types, message)
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, old.__msgtype__, typestore=types)
            writer.write(connections[topic], stamp, types.serialize_ros1(old, old.__msgtype__))
    return path


def to_ros1(types, message):
    """The ROS 1 message with the same content: upper-case matrices, and a sequence number in the header."""
    kind = getattr(message, "__msgtype__", None)
    if kind is None:
        return message
    values = {}
    for name, _ in types.fielddefs[kind][1]:
        value = 0 if name == "seq" else getattr(message, name if hasattr(message, name) else name.lower())
        values[name] = to_ros1(types, value)
    return types.types[kind](**values)


WRITERS = {
    "mcap": write,
    "sqlite3": lambda path: write(path, plugin=StoragePlugin.SQLITE3),
    "compressed messages": lambda path: write(path, CompressionMode.MESSAGE, StoragePlugin.SQLITE3),
    "compressed file": lambda path: write(path, CompressionMode.FILE, StoragePlugin.SQLITE3),
    "compressed chunks": lambda path: write(path, CompressionMode.STORAGE),
    "split": write_split,
    "ROS 1": write_ros1,
    "one file": lambda path: write(path) / "drive.mcap",
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_content_is_the_same_however_it_is_stored(tmp_path, kind):
    with BagReader(WRITERS[kind](tmp_path / "drive")) as reader:
        assert reader.topics == {"/image": IMAGE, "/camera_info": CAMERA_INFO}
        assert reader.message_counts == {"/image": COUNT, "/camera_info": COUNT}
        assert (reader.start_ns, reader.duration_ns) == (10, COUNT - 1)
        read = [(m.topic, m.content, m.time_ns) for m in reader.messages()]
    images = [content for topic, content, _ in read if topic == "/image"]
    expected = [message for topic, message, _ in messages() if topic == "/image"]
    assert [stamp_of(image) for image in images] == [10 + i for i in range(COUNT)]
    for image, wanted in zip(images, expected, strict=True):
        np.testing.assert_array_equal(image_array(image), image_array(wanted))
    infos = [content for topic, content, _ in read if topic == "/camera_info"]
    assert {camera_from_info(info, info.width, info.height) for info in infos} == {CAMERA}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_of_a_bag_cut_short_the_first_messages_remain(tmp_path, share):
    with BagWriter(tmp_path / "drive") as bag:
        for topic, message, stamp in messages(0, 20):
            bag.write(topic, message, stamp)
    file = tmp_path / "drive" / "drive.mcap"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    (tmp_path / "drive" / "metadata.yaml").unlink()  # written last
    assert is_cut_short(file)
    with pytest.raises(UserError, match="drive"), BagReader(tmp_path / "drive"):
        pass
    with BagReader(tmp_path / "drive", salvage=True) as reader:
        assert "cut short" in reader.damage
        stamps = [m.time_ns for m in reader.messages(["/image"])]
    assert stamps == [10 + i for i in range(len(stamps))]
    assert 20 * share - 6 <= len(stamps) <= 20
    assert file.read_bytes() == whole[: int(len(whole) * share)]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_bag_may_be_out_of_order(tmp_path, share):
    """Recorders with several threads write messages a little out of order."""
    image = np.random.default_rng(0).integers(0, 256, (480, 800, 3), dtype=np.uint8)  # about one chunk each
    shuffled = [3, 1, 2, 0, 5, 4, 8, 6, 7, 9, 11, 10]
    with BagWriter(tmp_path / "drive") as bag:
        for stamp in shuffled:
            bag.write("/image", image_message(image, "rgb8", 100 + stamp, "camera"), 100 + stamp)
            bag.write("/camera_info", camera_info_message(CAMERA, 100 + stamp, "camera"), 100 + stamp)
    file = tmp_path / "drive" / "drive.mcap"
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with BagReader(tmp_path / "drive", salvage=True) as reader:
        stamps = [m.time_ns - 100 for m in reader.messages(["/image"])]
    assert stamps == sorted(shuffled[: len(stamps)])
    assert len(shuffled) * share - 3 <= len(stamps) < len(shuffled)


def test_a_whole_bag_is_not_mended(tmp_path):
    with BagReader(write(tmp_path / "drive"), salvage=True) as reader:
        assert reader.damage is None
