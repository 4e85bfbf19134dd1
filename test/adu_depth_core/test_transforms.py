from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from adu_depth_core.bags.messages import TRANSFORMS, quaternion, transforms_message
from adu_depth_core.transforms import ODOMETRY, TransformTree, rigid

SECOND = 1_000_000_000


def shift(x, y=0.0, z=0.0):
    return rigid(np.array([x, y, z], float), np.array([0.0, 0, 0, 1]))


def tree_of(static=(), moving=()):
    """``static``: (parent, child, matrix); ``moving``: the same, preceded by a stamp."""
    tree = TransformTree()
    tree.add(TRANSFORMS, transforms_message(static, 0), static=True)
    for stamp, *edge in moving:
        tree.add(TRANSFORMS, transforms_message([edge], stamp), static=False)
    return tree


@given(q=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_a_rotation_survives_its_quaternion(q):
    matrix = rigid(np.zeros(3), np.array(q))
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(rigid(np.zeros(3), quaternion(matrix[:3, :3])), matrix, atol=1e-7)


def test_a_quarter_turn_about_z_takes_x_to_y():
    matrix = rigid(np.zeros(3), np.array([0, 0, np.sqrt(0.5), np.sqrt(0.5)]))
    np.testing.assert_allclose(matrix[:3, :3] @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_sensors_on_different_branches_are_related_through_their_common_parent():
    tree = tree_of(
        [("base", "mast", shift(0, 0, 1)), ("mast", "lidar", shift(1)), ("base", "camera", shift(3))]
    )
    np.testing.assert_allclose(tree.between("camera", 0, "lidar", 0), shift(-2, 0, 1))


def test_motion_between_two_times_counts_and_is_interpolated():
    tree = tree_of(
        [("base", "lidar", np.eye(4)), ("base", "camera", np.eye(4))],
        [(i * SECOND // 10, "odom", "base", shift(i)) for i in range(3)],
    )
    np.testing.assert_allclose(tree.between("camera", SECOND // 10, "lidar", SECOND // 20), shift(-0.5))


def test_without_poses_at_the_time_the_mounting_still_holds():
    tree = tree_of(
        [("base", "lidar", shift(1)), ("base", "camera", np.eye(4))], [(5 * SECOND, "odom", "base", shift(9))]
    )
    np.testing.assert_allclose(tree.between("camera", 0, "lidar", 0), shift(1))
    with pytest.raises(LookupError, match=r"5\.000 s away"):
        tree.to_root("camera", 0)


def test_frames_that_nothing_connects_are_named():
    with pytest.raises(UserError, match=r"'camera' and 'lidar_top'"):
        tree_of([("base", "camera", np.eye(4))]).between("camera", 0, "lidar_top", 0)


def test_a_loop_is_an_error_and_not_an_endless_one():
    with pytest.raises(LookupError, match="loop"):
        tree_of([("a", "b", np.eye(4)), ("b", "a", np.eye(4))]).to_root("a", 0)


def test_poses_of_long_ago_are_forgotten():
    tree = tree_of(moving=[(second * SECOND, "odom", "base_link", shift(second)) for second in range(200)])
    with pytest.raises(LookupError):
        tree.to_root("base_link", 100 * SECOND)
    assert tree.to_root("base_link", 198 * SECOND)[2]


def odometry(stamp_ns, x, child="base"):
    """An Odometry message as in rclpy and rosbags, with the relevant fields."""
    sec, nanosec = divmod(stamp_ns, SECOND)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id="odom")
    pose = SimpleNamespace(
        position=SimpleNamespace(x=x, y=0.0, z=0.0), orientation=SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0)
    )
    return SimpleNamespace(header=header, child_frame_id=child, pose=SimpleNamespace(pose=pose))


def test_every_message_of_odometry_counts():
    tree = tree_of([("base", "camera", np.eye(4))])
    for i in range(3):
        tree.add(ODOMETRY, odometry(i * SECOND // 10, i), static=False)
    assert tree.to_root("camera", SECOND // 5)[1][0, 3] == 2


def test_transforms_take_the_place_of_odometry_of_the_same_frame():
    tree = tree_of()
    tree.add(ODOMETRY, odometry(0, 7.0), static=False)
    tree.add(TRANSFORMS, transforms_message([("map", "base", shift(1))], 0), static=False)
    tree.add(ODOMETRY, odometry(SECOND // 10, 8.0), static=False)
    root, pose, _ = tree.to_root("base", 0)
    assert (root, pose[0, 3]) == ("map", 1)


class TestMotion:
    """The camera's motion between two stamps."""

    def tree(self, until=10):
        return tree_of(
            [("base", "camera", shift(0, 0, 1))],
            [(i * SECOND // 10, "odom", "base", shift(i)) for i in range(until)]
            + [(i * SECOND // 10, "map", "odom", shift(0, 100 * (i == 5))) for i in range(until)],
        )

    def test_it_is_that_in_the_fixed_frame(self):
        motion = self.tree().motion("camera", 3 * SECOND // 10, 5 * SECOND // 10, "odom")
        np.testing.assert_allclose(motion, shift(2), atol=1e-12)
        jump = self.tree().motion("camera", 3 * SECOND // 10, 5 * SECOND // 10, "map")
        np.testing.assert_allclose(jump, shift(2, 100), atol=1e-12)

    def test_a_pose_that_is_late_is_extrapolated_for_a_tenth_of_a_second(self):
        tree = self.tree()
        motion = tree.motion("camera", 9 * SECOND // 10, 98 * SECOND // 100, "odom")
        np.testing.assert_allclose(motion, shift(0.8), atol=1e-9)
        with pytest.raises(LookupError, match="no pose of 'base'"):
            tree.motion("camera", 9 * SECOND // 10, 11 * SECOND // 10, "odom")

    def test_poses_a_millisecond_apart_do_not_multiply_their_noise(self):
        tree = tree_of(
            moving=[
                (i * SECOND // 1000, "odom", "base", shift(i / 1000 + 0.001 * (i % 2))) for i in range(100)
            ]
        )
        motion = tree.motion("base", 0, 149 * SECOND // 1000, "odom")
        assert motion[0, 3] == pytest.approx(0.149, abs=0.004)

    @pytest.mark.parametrize(("frame", "fixed"), [("camera", "earth"), ("lidar", "odom"), ("camera", "base")])
    def test_what_does_not_move_in_the_fixed_frame_has_none(self, frame, fixed):
        with pytest.raises(LookupError, match=f"{frame}.*{fixed}"):
            self.tree().motion(frame, 0, SECOND // 10, fixed)
