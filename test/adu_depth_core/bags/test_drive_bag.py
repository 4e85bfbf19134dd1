import dataclasses

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.synthetic.frame import DriveFrame, Rig

pytest.importorskip("rosbags")
from adu_depth_core.bags import topics
from adu_depth_core.bags.drive_bag import DriveBagWriter
from adu_depth_core.bags.messages import image_array, point_cloud_array, stamp_of
from adu_depth_core.bags.reader import BagReader

CAMERA = Camera(50.0, 50.0, 3.5, 1.5, 8, 4)
# Optical axes (x right, y down, z forward) in vehicle axes (x forward, y left, z up).
BASE_FROM_LEFT = np.array([[0, 0, 1, 1.5], [-1, 0, 0, 0.25], [0, -1, 0, 1.6], [0, 0, 0, 1.0]])


def frame(index: int) -> DriveFrame:
    rng = np.random.default_rng(index)
    depth = rng.uniform(1, 80, (4, 8)).astype(np.float32)
    depth[0] = np.inf
    pose = np.eye(4)
    pose[0, 3] = index
    return DriveFrame(
        index=index,
        stamp_ns=index * 100_000_000,
        left=rng.integers(0, 256, (4, 8, 3), dtype=np.uint8),
        right=rng.integers(0, 256, (4, 8, 3), dtype=np.uint8),
        depth=depth,
        points=rng.uniform(0, 1, (5, 4)).astype(np.float32),
        world_from_base=pose,
    )


RIG = Rig(CAMERA, 0.54, BASE_FROM_LEFT, np.eye(4))


@pytest.fixture
def by_topic(tmp_path):
    with DriveBagWriter(tmp_path / "drive", RIG) as writer:
        for i in range(3):
            writer.write(frame(i))
    messages = {}
    with BagReader(tmp_path / "drive") as reader:
        for message in reader.messages():
            messages.setdefault(message.topic, []).append(message.content)
    return messages


def test_every_frame_is_there_with_one_stamp(by_topic):
    assert len(by_topic.pop(topics.TF_STATIC)) == 1
    poses = by_topic.pop(topics.TF)
    assert [p.transforms[0].transform.translation.x for p in poses] == [0, 1, 2]
    assert len(by_topic) == 6
    for messages in by_topic.values():
        assert [stamp_of(m) for m in messages] == [1_000_000_000, 1_100_000_000, 1_200_000_000]


def test_images_depth_and_points_are_those_of_the_drive(by_topic):
    for i in range(3):
        expected = frame(i)
        np.testing.assert_array_equal(image_array(by_topic[topics.LEFT_IMAGE][i]), expected.left)
        np.testing.assert_array_equal(image_array(by_topic[topics.RIGHT_IMAGE][i]), expected.right)
        np.testing.assert_array_equal(image_array(by_topic[topics.LEFT_DEPTH][i]), expected.depth)
        points = point_cloud_array(by_topic[topics.LIDAR][i], ("x", "y", "z", "intensity"))
        np.testing.assert_array_equal(points, expected.points)


def test_camera_infos_describe_the_pair(by_topic):
    left, right = by_topic[topics.LEFT_INFO][0], by_topic[topics.RIGHT_INFO][0]
    for info in (left, right):
        assert camera_from_info(info, info.width, info.height) == CAMERA
    assert (left.p[3], right.p[3]) == (0, pytest.approx(-50 * 0.54))
    assert left.header.frame_id == by_topic[topics.LEFT_IMAGE][0].header.frame_id == topics.LEFT_FRAME
    assert right.header.frame_id == by_topic[topics.RIGHT_IMAGE][0].header.frame_id == topics.RIGHT_FRAME


def test_static_transforms_hold_the_rig_together(by_topic):
    edges = {
        (t.header.frame_id, t.child_frame_id): t.transform for t in by_topic[topics.TF_STATIC][0].transforms
    }
    assert set(edges) == {
        ("base_link", "camera_left_optical_frame"),
        ("camera_left_optical_frame", "camera_right_optical_frame"),
        ("base_link", "lidar"),
    }
    assert edges["camera_left_optical_frame", "camera_right_optical_frame"].translation.x == 0.54
    left = edges["base_link", "camera_left_optical_frame"]
    assert (left.translation.x, left.translation.y, left.translation.z) == (1.5, 0.25, 1.6)
    # The quaternion of REP 103's optical frame: -90 degrees about x after -90 degrees about z.
    rotation = left.rotation
    np.testing.assert_allclose([rotation.x, rotation.y, rotation.z, rotation.w], [-0.5, 0.5, -0.5, 0.5])


def test_a_drive_without_lidar_has_no_point_clouds(tmp_path):
    with DriveBagWriter(tmp_path / "drive", RIG) as writer:
        writer.write(dataclasses.replace(frame(0), points=np.empty((0, 4), np.float32)))
    with BagReader(tmp_path / "drive") as reader:
        assert topics.LIDAR not in reader.topics
