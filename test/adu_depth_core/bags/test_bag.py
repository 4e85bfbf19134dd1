"""Writer and reader round trips; errors that name the damage."""

import numpy as np
import pytest
import yaml

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from adu_depth_core.bags.messages import image_array, image_message, stamp_of, transforms_message
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter


def picture(value: int, stamp_ns: int):
    return image_message(np.full((4, 6), value, np.uint8), "mono8", stamp_ns, "camera")


@pytest.fixture
def bag(tmp_path):
    path = tmp_path / "drive"
    with BagWriter(path) as writer:
        writer.write("/tf_static", transforms_message([("a", "b", np.eye(4))], 5), 5)
        for i in range(3):
            writer.write("/image", picture(i, 1000 * i + 7), 1000 * i + 10)
            writer.write("/other", picture(9, 0), 1000 * i + 20)
    return path


def test_messages_come_back_in_order_of_time(bag):
    with BagReader(bag) as reader:
        assert reader.topics == {
            "/tf_static": "tf2_msgs/msg/TFMessage",
            "/image": "sensor_msgs/msg/Image",
            "/other": "sensor_msgs/msg/Image",
        }
        assert reader.message_counts == {"/tf_static": 1, "/image": 3, "/other": 3}
        assert (reader.start_ns, reader.duration_ns) == (5, 2015)
        assert [m.time_ns for m in reader.messages()] == [5, 10, 20, 1010, 1020, 2010, 2020]
        images = list(reader.messages(["/image"]))
    assert [image_array(m.content)[0, 0] for m in images] == [0, 1, 2]
    assert [stamp_of(m.content) for m in images] == [7, 1007, 2007]


def test_raw_messages_are_copied_byte_for_byte(bag, tmp_path):
    with BagReader(bag) as source, BagWriter(tmp_path / "copy") as copy:
        for message in source.messages():
            copy.write_raw(message.topic, message.type, message.data, message.time_ns)
    with BagReader(bag) as source, BagReader(tmp_path / "copy") as copied:
        for left, right in zip(source.messages(), copied.messages(), strict=True):
            assert (left.topic, left.time_ns, left.data) == (right.topic, right.time_ns, right.data)


def test_static_transforms_are_latched_in_the_bags_metadata(bag):
    info = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert info["storage_identifier"] == "mcap"
    qos = {
        t["topic_metadata"]["name"]: yaml.safe_load(t["topic_metadata"]["offered_qos_profiles"] or "[]")
        for t in info["topics_with_message_count"]
    }
    assert [q["durability"] for q in qos["/tf_static"]] == [1]  # RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
    assert qos["/image"] == []
    with BagReader(bag) as reader:
        assert reader.latched_topics == {"/tf_static"}


def test_an_error_while_writing_leaves_nothing(tmp_path):
    def write_and_fail():
        with BagWriter(tmp_path / "drive") as writer:
            writer.write("/image", picture(0, 0), 0)
            raise RuntimeError("out of frames")

    with pytest.raises(RuntimeError, match="out of frames"):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bag_is_replaced_only_on_request(bag):
    with pytest.raises(UserError, match="exists already"):
        BagWriter(bag)
    with BagWriter(bag, overwrite=True) as writer:
        writer.write("/image", picture(0, 0), 0)
    with BagReader(bag) as reader:
        assert reader.message_counts == {"/image": 1}


def test_a_folder_that_is_not_a_bag_is_never_replaced(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(UserError, match="not a bag"):
        BagWriter(tmp_path, overwrite=True)
    assert (tmp_path / "holiday.jpg").exists()


def test_an_unknown_message_type_is_named(tmp_path):
    with pytest.raises(UserError, match="acme_msgs/msg/Thing"), BagWriter(tmp_path / "drive") as writer:
        writer.write_raw("/thing", "acme_msgs/msg/Thing", b"\0\1\0\0", 0)


def test_a_missing_topic_is_named_with_those_that_are_there(bag):
    with BagReader(bag) as reader, pytest.raises(UserError, match=r"/camera.*it has.*/image"):
        list(reader.messages(["/camera"]))


@pytest.mark.parametrize("content", [None, b"", b"not a bag", b"\x89MCAP0\r\n"])
def test_what_is_not_a_bag_is_named(tmp_path, content):
    path = tmp_path / "drive.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"drive\.mcap"), BagReader(path):
        pass


def test_a_bag_cut_short_is_named(bag):
    storage = bag / "drive.mcap"
    storage.write_bytes(storage.read_bytes()[:-200])
    with pytest.raises(UserError, match="drive"), BagReader(bag) as reader:
        list(reader.messages())


def test_a_damaged_message_is_named(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.write_raw("/image", "sensor_msgs/msg/Image", b"\0\1\0\0\1\2", 3)
    with BagReader(tmp_path / "drive") as reader, pytest.raises(UserError, match=r"/image at 3 ns"):
        _ = next(reader.messages()).content
