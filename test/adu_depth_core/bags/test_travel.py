"""Distance travelled between two times, from odometry or speeds."""

import numpy as np
import pytest

pytest.importorskip("rosbags")
from corridor import message

from adu_depth_core.bags.messages import ODOMETRY
from adu_depth_core.bags.travel import TWISTS, Travel, read_travel, travel_topic
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.errors import UserError

SECOND = 1_000_000_000


def header(stamp):
    sec, nanosec = divmod(stamp, SECOND)
    return message(
        "std_msgs/msg/Header", stamp=message("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)
    )


def vector(kind, x, y=0.0):
    return message(f"geometry_msgs/msg/{kind}", x=x, y=y)


def odometry(stamp, x, y):
    pose = message("geometry_msgs/msg/Pose", position=vector("Point", x, y))
    pose = message("geometry_msgs/msg/PoseWithCovariance", pose=pose)
    return message(ODOMETRY, header=header(stamp), pose=pose)


def speed(kind, stamp, x, y=0.0):
    twist = message("geometry_msgs/msg/Twist", linear=vector("Vector3", x, y))
    if kind == TWISTS[1]:
        twist = message("geometry_msgs/msg/TwistWithCovariance", twist=twist)
    return message(kind, header=header(stamp), twist=twist)


def test_odometry_gives_the_distance_between_places(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        for number in range(5):
            stamp = SECOND + number * SECOND // 10
            bag.write("/odom", odometry(stamp, 3.0 * number, 4.0 * number), stamp)
    travel = read_travel(tmp_path / "bag", "/odom")
    assert travel.between(SECOND, SECOND + SECOND // 10) == pytest.approx(5.0)
    assert travel.between(SECOND + SECOND // 20, SECOND + SECOND // 4) == pytest.approx(10.0)


@pytest.mark.parametrize("kind", TWISTS)
def test_speeds_are_integrated(tmp_path, kind):
    """Speed rises from 0 to 2 m/s in two seconds: 1 m in the first 1.41 s, 2 m in all."""
    with BagWriter(tmp_path / "bag") as bag:
        for number in range(21):
            stamp = SECOND + number * SECOND // 10
            bag.write("/speed", speed(kind, stamp, number / 10 * 0.6, number / 10 * 0.8), stamp)
    travel = read_travel(tmp_path / "bag", "/speed")
    assert travel.between(SECOND, 3 * SECOND) == pytest.approx(2.0)
    assert travel.between(SECOND, SECOND + int(1.414 * SECOND)) == pytest.approx(1.0, abs=0.01)


def test_gaps_and_ends_tell_nothing():
    stamps = np.array([0, 100, 200, 900], np.int64) * SECOND // 1000
    travel = Travel(stamps, np.column_stack([np.arange(4.0), np.zeros((4, 2))]))
    assert travel.between(0, stamps[2]) == pytest.approx(2.0)
    assert travel.between(0, SECOND // 2) is None
    assert travel.between(0, SECOND) is None
    assert travel.between(-1, stamps[1]) is None


def test_odometry_is_chosen_before_speeds_and_commands_never():
    types = {
        "/a/speed": TWISTS[0],
        "/odom": ODOMETRY,
        "/cmd_vel": TWISTS[0],
        "/image": "sensor_msgs/msg/Image",
    }
    assert travel_topic(types, "bag") == "/odom"
    del types["/odom"]
    assert travel_topic(types, "bag") == "/a/speed"
    assert travel_topic(types, "bag", "/cmd_vel") == "/cmd_vel"
    del types["/a/speed"]
    assert travel_topic(types, "bag") is None
    with pytest.raises(UserError, match=r"no speed topic /image of type nav_msgs.*it has: /cmd_vel"):
        travel_topic(types, "bag", "/image")


def test_one_message_is_too_few(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/odom", odometry(SECOND, 0.0, 0.0), SECOND)
    with pytest.raises(UserError, match="bag: /odom has 1 usable messages"):
        read_travel(tmp_path / "bag", "/odom")
