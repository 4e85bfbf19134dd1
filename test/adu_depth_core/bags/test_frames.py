"""Depth, LiDAR and the right view are aligned with their image."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
from adu_depth_core.bags.frames import FrameReader, ReadingOptions
from adu_depth_core.bags.messages import (
    camera_info_message,
    compressed_image_message,
    image_message,
    point_cloud_message,
    transforms_message,
)
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)
LENS = np.array([-0.3, 0.0, 0.0, 0.0, 0.0])
STAMP = 1_000_000_000
LEFT, RIGHT = "left_optical_frame", "right_optical_frame"
POST, BACKGROUND = 5.0, 50.0

# A post at the left edge of the raw image, where distortion is largest.
IN_POST = np.zeros(CAMERA.size, bool)
IN_POST[:, :35] = True


def info_of(camera=CAMERA, lens=None, frame_id=LEFT, baseline=0.0, rotation=None):
    info = camera_info_message(camera, STAMP, frame_id, baseline)
    if lens is not None:
        info.d = lens
    if rotation is not None:
        info.r = rotation.ravel()
    return info


def picture(in_post=IN_POST):
    return np.repeat(np.where(in_post, np.uint8(250), np.uint8(50))[..., None], 3, axis=2)


def depth_of(in_post=IN_POST, unit=1.0, dtype=np.float32):
    return np.where(in_post, dtype(POST / unit), dtype(BACKGROUND / unit))


def image(pixels, frame_id=LEFT):
    encoding = {"float32": "32FC1", "uint16": "16UC1", "uint8": "rgb8"}[str(pixels.dtype)]
    return image_message(pixels, encoding, STAMP, frame_id)


def read(path, messages, truth=None, pair=False, camera_info=None):
    """The frames of a bag of these messages, and the reasons for skipped ones."""
    with BagWriter(path) as bag:
        for topic, message in messages.items():
            bag.write(topic, message, STAMP)
    with BagReader(path) as reader:
        topics = choose_topics(
            reader.topics, path.name, TopicOptions(camera_info=camera_info, truth=truth), pair
        )
    skipped = SkippedFrames()
    frames = list(FrameReader(path, topics, ReadingOptions(), skipped))
    return frames, " ".join(entry.reason for entry in skipped.summary())


def columns_of_the_post(frame):
    """Columns of the middle row that show the post in the image, and in the ground truth."""
    grey, truth = frame.image[32, :, 0], frame.truth[32]
    return np.flatnonzero(grey > 160).tolist(), np.flatnonzero(truth == np.float32(POST)).tolist()


@pytest.mark.parametrize(
    "depth",
    [depth_of(), depth_of(unit=1e-3, dtype=np.uint16)],
    ids=["metres", "millimetres"],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_depth_beside_a_raw_image_is_rectified_with_it(tmp_path, depth, compressed):
    if compressed:
        topic = "/camera/image_raw/compressed"
        photo = compressed_image_message(cv2.imencode(".png", picture())[1].tobytes(), "png", STAMP, LEFT)
    else:
        topic, photo = "/camera/image_raw", image(picture())
    messages = {"/camera/camera_info": info_of(lens=LENS), topic: photo, "/camera/depth": image(depth)}
    (frame,), reasons = read(tmp_path / "drive", messages)
    assert not reasons
    in_image, in_truth = columns_of_the_post(frame)
    assert len(in_image) not in (0, 35)  # the post has moved
    assert in_truth == in_image


def test_depth_in_the_other_byte_order_is_rectified_too(tmp_path):
    depth = image(depth_of())
    depth.data = depth.data.view("<f4").astype(">f4").view(np.uint8)
    depth.is_bigendian = 1
    messages = {"/camera/camera_info": info_of(lens=LENS), "/camera/image_raw": image(picture())}
    (frame,), reasons = read(tmp_path / "drive", {**messages, "/camera/depth": depth})
    assert not reasons
    in_image, in_truth = columns_of_the_post(frame)
    assert in_truth == in_image


def test_depth_that_says_that_it_is_rectified_is_left_alone(tmp_path):
    rectified = cv2.undistort(picture(), CAMERA.matrix, LENS)
    messages = {
        "/camera/camera_info": info_of(lens=LENS),
        "/camera/image_raw": image(picture()),
        "/camera/depth_registered/image_rect": image(depth_of(rectified[..., 0] > 150)),
    }
    (frame,), _ = read(tmp_path / "drive", messages)
    in_image, in_truth = columns_of_the_post(frame)
    assert in_truth == in_image


def test_depth_of_a_rectified_image_is_left_alone(tmp_path):
    """Its camera_info still describes the lens, as that of image_proc does."""
    messages = {
        "/camera/camera_info": info_of(lens=LENS),
        "/camera/image_rect": image(picture()),
        "/camera/depth": image(depth_of()),
    }
    (frame,), _ = read(tmp_path / "drive", messages)
    np.testing.assert_array_equal(frame.truth, depth_of())


@pytest.mark.parametrize("name", ["/direct/image_raw", "/corrected_later/image_raw"])
def test_rect_in_the_middle_of_a_word_does_not_make_an_image_rectified(tmp_path, name):
    space = name.rsplit("/", 1)[0]
    messages = {f"{space}/camera_info": info_of(lens=LENS), name: image(picture())}
    (frame,), _ = read(tmp_path / "drive", messages)
    assert np.count_nonzero(frame.image[32, :, 0] > 160) != 35


def aligned(depth, info):
    """A raw image, and depth in its own namespace, as depth cameras publish it."""
    return {
        "/camera/color/camera_info": info_of(lens=LENS),
        "/camera/color/image_raw": image(picture()),
        "/camera/aligned_depth_to_color/camera_info": info,
        "/camera/aligned_depth_to_color/image_raw": image(depth),
    }


def test_depth_is_rectified_by_a_calibration_of_its_own(tmp_path):
    (frame,), _ = read(tmp_path / "drive", aligned(depth_of(), info_of(lens=LENS)))
    in_image, in_truth = columns_of_the_post(frame)
    assert in_truth == in_image


def test_depth_without_a_lens_by_its_own_calibration_is_left_alone(tmp_path):
    rectified = cv2.undistort(picture(), CAMERA.matrix, LENS)
    (frame,), _ = read(tmp_path / "drive", aligned(depth_of(rectified[..., 0] > 150), info_of()))
    in_image, in_truth = columns_of_the_post(frame)
    assert in_truth == in_image


def test_depth_beside_the_image_has_the_calibration_that_was_named_for_the_image(tmp_path):
    """The camera_info in the same namespace is wrong, so another one is named."""
    messages = {
        "/camera/camera_info": info_of(Camera(80.0, 80.0, 79.5, 31.5, 160, 64)),
        "/corrected/camera_info": info_of(lens=LENS),
        "/camera/image_raw": image(picture()),
        "/camera/depth": image(depth_of()),
    }
    (frame,), reasons = read(tmp_path / "drive", messages, camera_info="/corrected/camera_info")
    assert not reasons
    in_image, in_truth = columns_of_the_post(frame)
    assert in_truth == in_image


def test_depth_of_another_camera_is_not_taken_for_that_of_the_image(tmp_path):
    frames, reasons = read(
        tmp_path / "drive", aligned(depth_of(), info_of(Camera(80.0, 80.0, 79.5, 31.5, 160, 64)))
    )
    assert not frames
    assert "fx 80" in reasons
    assert "register" in reasons


def test_depth_of_another_size_is_not_taken_for_that_of_the_image(tmp_path):
    messages = {
        "/camera/camera_info": info_of(lens=LENS),
        "/camera/image_raw": image(picture()),
        "/camera/depth": image(np.full((32, 80), 5.0, np.float32)),
    }
    frames, reasons = read(tmp_path / "drive", messages)
    assert not frames
    assert "of the image's size" in reasons


def about_y(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def test_lidar_is_seen_from_the_rectified_view(tmp_path):
    """Transforms lead to the raw camera; the calibration's R rotates it into the rectified view."""
    rotation = about_y(0.1)
    edge = np.array([0.5, 0.0, 10.0])  # in the raw camera frame
    points = np.stack([np.full(21, edge[0]), np.linspace(-1, 1, 21), np.full(21, edge[2])], axis=1)
    messages = {
        "/tf_static": transforms_message([(LEFT, "lidar", np.eye(4))], STAMP),
        "/camera/camera_info": info_of(lens=LENS, rotation=rotation),
        "/camera/image_raw": image(picture()),
        "/points": point_cloud_message(points.astype(np.float32), "xyz", STAMP, "lidar"),
    }
    (frame,), _ = read(tmp_path / "drive", messages, "lidar")
    (expected,), (z,) = CAMERA.project((rotation @ edge)[None])
    columns = np.nonzero(frame.truth)[1]
    assert set(columns) == {round(expected[0])}
    np.testing.assert_allclose(frame.truth[frame.truth > 0], z, rtol=1e-5)


def test_the_pose_is_that_of_the_rectified_view(tmp_path):
    rotation = about_y(0.1)
    world_from_camera = np.eye(4)
    world_from_camera[:3, 3] = 1.0, 2.0, 3.0
    messages = {
        "/tf": transforms_message([("odom", LEFT, world_from_camera)], STAMP),
        "/camera/camera_info": info_of(lens=LENS, rotation=rotation),
        "/camera/image_raw": image(picture()),
    }
    (frame,), _ = read(tmp_path / "drive", messages, "none")
    np.testing.assert_allclose(frame.world_from_camera[:3, :3], rotation.T, atol=1e-6)
    np.testing.assert_allclose(frame.world_from_camera[:3, 3], [1, 2, 3])


def pair_messages(left, right, left_info, right_info, name="image_rect"):
    return {
        "/camera/left/camera_info": left_info,
        f"/camera/left/{name}": image(left),
        "/camera/right/camera_info": right_info,
        f"/camera/right/{name}": image(right, RIGHT),
    }


def moved_principal_point(pixels):
    return Camera(CAMERA.fx, CAMERA.fy, CAMERA.cx + pixels, CAMERA.cy, CAMERA.width, CAMERA.height)


@pytest.mark.parametrize("offset", [-10.0, 10.0, 3.5])
def test_principal_points_of_a_pair_may_differ(tmp_path, textured_pair, offset):
    """10 m and a baseline of 0.5 m give 5 pixels of disparity, plus the principal point offset."""
    left, right = textured_pair(0, 5)
    # Column u of the left camera is column u - disparity + offset of the right one.
    turned = cv2.warpAffine(right, np.float64([[1, 0, offset], [0, 1, 0]]), (160, 64))
    right_info = info_of(moved_principal_point(offset), frame_id=RIGHT, baseline=0.5)
    (frame,), _ = read(tmp_path / "drive", pair_messages(left, turned, info_of(), right_info), "stereo")
    known = frame.truth[frame.truth > 0]
    assert len(known) > 0.5 * frame.truth.size
    assert np.median(known) == pytest.approx(10.0, rel=0.02)
    inner = (slice(4, -4), slice(20, -20))
    limit = 1 if offset == int(offset) else 40  # the half pixel is interpolated
    assert np.abs(frame.right[inner].astype(int) - right[inner]).max() <= limit
    assert frame.baseline == pytest.approx(0.5)


def test_raw_pairs_are_rectified_before_their_principal_points_are_compared(tmp_path, textured_pair):
    left, right = textured_pair(1, 5)
    right_info = info_of(moved_principal_point(10), LENS, RIGHT, 0.5)
    messages = pair_messages(left, right, info_of(lens=LENS), right_info, "image_raw")
    (frame,), _ = read(tmp_path / "drive", messages, "none", pair=True)
    camera = moved_principal_point(10)
    undistorted = cv2.undistort(right, camera.matrix, LENS)
    difference = frame.right[4:-4, 20:-20].astype(int) - undistorted[4:-4, 30:-10]
    assert np.abs(difference).mean() < 1.0


@pytest.mark.parametrize(
    ("camera", "complaint"),
    [
        (Camera(100.0, 100.0, 79.5, 33.5, 160, 64), "cy 33.5"),
        (Camera(100.0, 90.0, 79.5, 31.5, 160, 64), "fy 90"),
        (Camera(103.0, 100.0, 79.5, 31.5, 160, 64), "fx 103"),
    ],
)
def test_views_that_are_no_rectified_pair_are_refused(tmp_path, textured_pair, camera, complaint):
    right_info = info_of(camera, frame_id=RIGHT, baseline=0.5)
    frames, reasons = read(
        tmp_path / "drive", pair_messages(*textured_pair(0, 5), info_of(), right_info), "stereo"
    )
    assert not frames
    assert complaint in reasons
    assert "not a rectified pair" in reasons


def test_the_baseline_is_between_the_two_cameras_wherever_their_origin_is(tmp_path, textured_pair):
    """KITTI's projections are relative to a third camera, and so are those of bags made from them."""
    left_info, right_info = info_of(baseline=-0.06), info_of(frame_id=RIGHT, baseline=0.47)
    (frame,), _ = read(
        tmp_path / "drive", pair_messages(*textured_pair(0, 5), left_info, right_info), "none", pair=True
    )
    assert frame.baseline == pytest.approx(0.53)
