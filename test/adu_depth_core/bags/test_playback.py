import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rosbags")
from adu_depth_core.bags.messages import TYPES, image_message, stamp_of, transforms_message
from adu_depth_core.bags.playback import Playback
from adu_depth_core.bags.reader import BagMessage

TIMES = st.integers(0, 2_000_000_000 * 10**9)
PLAYBACK = Playback(bag_start_ns=1_000_000_000, wall_start_ns=1_700_000_000_250_000_000)


def as_read(message, big_endian: bool = False) -> BagMessage:
    kind = message.__msgtype__
    data = bytes(TYPES.serialize_cdr(message, kind, little_endian=not big_endian))
    return BagMessage("/topic", kind, 0, data, TYPES)


@given(TIMES, TIMES, st.integers(0, 3600 * 10**9))
def test_at_rate_one_time_is_shifted_and_can_be_shifted_back(bag_start, wall_start, elapsed):
    playback = Playback(bag_start, wall_start)
    assert playback.wall_ns(bag_start + elapsed) == wall_start + elapsed
    assert playback.bag_ns(playback.wall_ns(bag_start + elapsed)) == bag_start + elapsed


def test_at_rate_two_a_second_of_the_bag_takes_half_a_second():
    playback = Playback(bag_start_ns=10**9, wall_start_ns=50 * 10**9, rate=2.0)
    assert playback.wall_ns(2 * 10**9) == 50_500_000_000
    assert playback.bag_ns(50_500_000_000) == 2 * 10**9


@pytest.mark.parametrize("big_endian", [False, True])
def test_only_the_stamp_of_an_image_changes(big_endian):
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    message = as_read(image_message(image, "mono8", 1_100_000_007, "camera"), big_endian)
    changed = TYPES.deserialize_cdr(PLAYBACK.restamped(message), message.type)
    assert stamp_of(changed) == 1_700_000_000_350_000_007
    expected = image_message(image, "mono8", stamp_of(changed), "camera")
    assert TYPES.serialize_cdr(changed, message.type) == TYPES.serialize_cdr(expected, message.type)


def test_the_stamp_of_every_transform_changes():
    message = as_read(transforms_message([("a", "b", np.eye(4)), ("a", "c", np.eye(4))], 1_100_000_000))
    transforms = TYPES.deserialize_cdr(PLAYBACK.restamped(message), message.type).transforms
    assert [stamp_of(t) for t in transforms] == [1_700_000_000_350_000_000] * 2
    assert [t.child_frame_id for t in transforms] == ["b", "c"]


def test_a_message_without_a_stamp_stays_as_it_is():
    message = as_read(TYPES.types["geometry_msgs/msg/Vector3"](x=1.0, y=2.0, z=3.0))
    assert PLAYBACK.restamped(message) == message.data
