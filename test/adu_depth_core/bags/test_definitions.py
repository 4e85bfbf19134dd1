"""Bags may carry their own message definitions; those of standard ROS types must match ROS's."""

import time

import numpy as np
import pytest

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from adu_depth_core.bags.messages import IMAGE, TYPES, image_message
from adu_depth_core.bags.reader import BagReader

PICTURE = image_message(np.zeros((8, 8, 3), np.uint8), "rgb8", 7, "camera")
BOMB = ("uint8[] data", "string[3000000] data")


def definition(kind, *changes):
    text = TYPES.generate_msgdef(kind, ros_version=2)[0]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


def write(path, topics):
    """A bag of images on topics with one definition each."""
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, (kind, text) in topics.items():
            types = get_typestore(Stores.EMPTY)
            types.register(get_types_from_msg(text, kind))
            hashed = types.hash_rihs01(kind)
            connection = writer.add_connection(topic, kind, msgdef=text, rihs01=hashed)
            writer.write(connection, 7, TYPES.serialize_cdr(PICTURE, IMAGE))
    return path


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (BOMB, IMAGE),
        (("string encoding", "string<=20 encoding"), IMAGE),
        (("uint32 height\nuint32 width", "uint32 width\nuint32 height"), IMAGE),
        (("string frame_id", "string[2] frame_id"), "std_msgs/msg/Header"),
    ],
)
def test_another_definition_of_a_known_type_is_refused_at_once(tmp_path, change, part):
    path = write(tmp_path / "drive", {"/image": (IMAGE, definition(IMAGE, change))})
    started = time.process_time()
    with (
        BagReader(path) as bag,
        pytest.raises(UserError, match=rf"drive brings its own .*{part} \(for /image\)"),
    ):
        list(bag.messages())
    assert time.process_time() - started < 5


def test_another_definition_on_a_topic_that_is_not_read_does_no_harm(tmp_path):
    texts = {
        "/image": (IMAGE, definition(IMAGE)),
        "/sound": ("sensor_msgs/msg/Range", "string[3000000] data"),
    }
    with BagReader(write(tmp_path / "drive", texts)) as bag:
        assert [m.content.width for m in bag.messages(["/image"])] == [8]


def test_types_that_ros_does_not_know_are_as_the_bag_has_them(tmp_path):
    kind = "acme_msgs/msg/Thing"
    path = write(tmp_path / "drive", {"/thing": (kind, definition(IMAGE))})
    with BagReader(path) as bag:
        assert next(bag.messages()).content.height == 8


@pytest.mark.parametrize("changed", [False, True])
def test_definitions_of_ros_1_are_compared_with_those_of_ros_1(tmp_path, changed):
    types = get_typestore(Stores.ROS1_NOETIC)
    header = types.types["std_msgs/msg/Header"](0, PICTURE.header.stamp, "camera")
    content = {name: getattr(PICTURE, name) for name in PICTURE.__dataclass_fields__ if name[0] != "_"}
    picture = types.types[IMAGE](**(content | {"header": header}))
    text, _ = types.generate_msgdef(IMAGE)
    if changed:
        text = text.replace(*BOMB)
    own = get_typestore(Stores.EMPTY)
    own.register(get_types_from_msg(text, IMAGE))
    with Ros1Writer(tmp_path / "drive.bag") as writer:
        connection = writer.add_connection("/image", IMAGE, typestore=own)
        writer.write(connection, 7, types.serialize_ros1(picture, IMAGE))
    with BagReader(tmp_path / "drive.bag") as bag:
        if changed:
            with pytest.raises(UserError, match=IMAGE):
                list(bag.messages())
        else:
            assert [m.content.width for m in bag.messages()] == [8]
