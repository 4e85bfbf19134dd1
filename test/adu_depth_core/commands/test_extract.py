"""A drive past a wall: every frame has a stereo pair, depth and a pose."""

import cv2
import numpy as np
import pytest

from adu_depth_core.cli import main

pytest.importorskip("rosbags")
from adu_depth_core.bags import topics
from adu_depth_core.bags.drive_bag import DriveBagWriter
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.labelling import Matching
from adu_depth_core.datasets.stereo_folder import StereoFolder
from adu_depth_core.synthetic.frame import DriveFrame, Rig

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)
# Optical axes (x right, y down, z forward) in vehicle axes (x forward, y left, z up).
BASE_FROM_LEFT = np.array([[0, 0, 1, 1.5], [-1, 0, 0, 0.0], [0, -1, 0, 1.6], [0, 0, 0, 1.0]])
RIG = Rig(CAMERA, 0.5, BASE_FROM_LEFT, np.eye(4))


def frame(index, step):
    rng = np.random.default_rng(index)
    pose = np.eye(4)
    pose[0, 3] = index * step
    y, z = np.meshgrid(np.linspace(-4, 4, 30), np.linspace(0.5, 2.5, 10))
    points = np.stack([np.full(y.size, 11.5), y.ravel(), z.ravel(), np.zeros(y.size)], 1).astype(np.float32)
    return DriveFrame(
        index=index,
        stamp_ns=index * 100_000_000,
        left=rng.integers(0, 256, (64, 160, 3), dtype=np.uint8),
        right=rng.integers(0, 256, (64, 160, 3), dtype=np.uint8),
        depth=np.full((64, 160), 10.0, np.float32),
        points=points,
        world_from_base=pose,
    )


@pytest.fixture
def drive(tmp_path):
    def write(step=1.0, frames=4):
        with DriveBagWriter(tmp_path / "drive", RIG) as bag:
            for i in range(frames):
                bag.write(frame(i, step))
        return str(tmp_path / "drive")

    return write


def extract(bag, out, *options):
    return main(["extract", bag, "--out", str(out), *options])


def test_pairs_calibration_and_depth_arrive(drive, tmp_path, capsys):
    assert extract(drive(), tmp_path / "data") == 0
    dataset = StereoFolder(tmp_path / "data")
    assert dataset.camera == CAMERA
    assert dataset.baseline == pytest.approx(0.5)
    assert dataset.scenes == [f"drive_{i:06d}_{1_000_000_000 + i * 100_000_000}" for i in range(4)]
    for i, sample in enumerate(dataset):
        np.testing.assert_array_equal(sample.left, frame(i, 1).left)
        np.testing.assert_array_equal(sample.right, frame(i, 1).right)
        np.testing.assert_array_equal(sample.depth, 10.0)
    assert "4 pairs of 4 images, 4 with depth" in capsys.readouterr().out


def test_lidar_becomes_sparse_depth_of_the_camera(drive, tmp_path):
    assert extract(drive(), tmp_path / "data", "--truth", "lidar") == 0
    depth = StereoFolder(tmp_path / "data")[0].depth
    assert 200 < np.count_nonzero(depth) <= 300
    # The wall is 11.5 m ahead of the LiDAR, which is 1.5 m behind the camera.
    np.testing.assert_array_equal(depth[depth > 0], 10.0)


@pytest.mark.parametrize(("options", "kept"), [(("--min-motion", "0.5"), 2), (("--min-motion", "0"), 7)])
def test_frames_without_enough_motion_are_left_out(drive, tmp_path, options, kept, capsys):
    assert extract(drive(step=0.1, frames=7), tmp_path / "data", *options) == 0
    assert len(StereoFolder(tmp_path / "data")) == kept
    assert ("too little motion" in capsys.readouterr().out) == (kept < 7)


def test_without_poses_a_standing_picture_is_written_once(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 160, 3), dtype=np.uint8)
    with BagWriter(tmp_path / "drive") as bag:
        for i in range(3):
            stamp = 1_000_000_000 + i * 100_000_000
            for side, baseline in (("left", 0.0), ("right", 0.5)):
                space, name = f"/camera/{side}", f"camera_{side}_optical_frame"
                bag.write(f"{space}/camera_info", camera_info_message(CAMERA, stamp, name, baseline), stamp)
                bag.write(f"{space}/image_rect", image_message(image, "rgb8", stamp, name), stamp)
    assert extract(str(tmp_path / "drive"), tmp_path / "data") == 0
    (sample,) = StereoFolder(tmp_path / "data")
    assert sample.depth is None


def test_raw_images_and_their_depth_are_rectified(tmp_path):
    grid = np.full((64, 160, 3), 255, np.uint8)
    grid[:, ::16] = 0
    depth = np.where(grid[..., 0], np.float32(8.0), np.float32(2.0))
    distortion = np.array([-0.3, 0.1, 0.0, 0.0, 0.0])
    with BagWriter(tmp_path / "drive") as bag:
        for side, baseline in (("left", 0.0), ("right", 0.5)):
            space, name = f"/camera/{side}", f"camera_{side}_optical_frame"
            info = camera_info_message(CAMERA, 1_000_000_000, name, baseline)
            info.d = distortion
            bag.write(f"{space}/camera_info", info, 1_000_000_000)
            bag.write(f"{space}/image_raw", image_message(grid, "rgb8", 1_000_000_000, name), 1_000_000_000)
        of_left = image_message(depth, "32FC1", 1_000_000_000, "camera_left_optical_frame")
        bag.write("/camera/left/depth", of_left, 1_000_000_000)
    assert extract(str(tmp_path / "drive"), tmp_path / "data") == 0
    (sample,) = StereoFolder(tmp_path / "data")
    expected = cv2.undistort(grid, CAMERA.matrix, distortion)
    assert np.abs(sample.left.astype(int) - expected).mean() < 1.0
    assert np.abs(sample.left.astype(int) - grid).mean() > 5.0
    on_a_line, between = sample.left[..., 0] < 100, sample.left[..., 0] > 155
    assert on_a_line.sum() > 400
    np.testing.assert_array_equal(sample.depth[on_a_line], 2.0)
    np.testing.assert_array_equal(sample.depth[between], 8.0)


def test_both_views_have_one_camera_in_the_folder(tmp_path, textured_pair):
    """The right camera's principal point is 10 pixels to the right: 10 m once became 6.67 m or invalid."""
    right_camera = Camera(100.0, 100.0, 89.5, 31.5, 160, 64)
    with BagWriter(tmp_path / "drive") as bag:
        for side, image, camera, baseline in zip(
            ("left", "right"), textured_pair(3, 5), (CAMERA, right_camera), (0.0, 0.5), strict=True
        ):
            space, name = f"/camera/{side}", f"camera_{side}_optical_frame"
            if side == "right":
                image = cv2.warpAffine(image, np.float64([[1, 0, 10], [0, 1, 0]]), (160, 64))
            bag.write(f"{space}/camera_info", camera_info_message(camera, 9, name, baseline), 9)
            bag.write(f"{space}/image_rect", image_message(image, "rgb8", 9, name), 9)
    assert extract(str(tmp_path / "drive"), tmp_path / "data") == 0
    (sample,) = StereoFolder(tmp_path / "data")
    assert sample.camera == CAMERA
    label = Matching().label(sample)
    assert np.count_nonzero(label) > 0.5 * label.size
    assert np.median(label[label > 0]) == pytest.approx(10.0, rel=0.02)


def test_nothing_is_left_where_nothing_could_be_extracted(tmp_path, capsys):
    with BagWriter(tmp_path / "drive") as bag:
        for side in ("left", "right"):
            space, name = f"/camera/{side}", f"camera_{side}_optical_frame"
            bag.write(f"{space}/camera_info", camera_info_message(CAMERA, 9, name), 9)
            bag.write(
                f"{space}/image_rect", image_message(np.zeros((64, 160, 3), np.uint8), "rgb8", 9, name), 9
            )
    assert extract(str(tmp_path / "drive"), tmp_path / "data") == 1
    assert "P[0,3]" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_bag_without_a_right_image_is_refused(tmp_path, capsys):
    with BagWriter(tmp_path / "drive") as bag:
        bag.write(topics.LEFT_IMAGE, image_message(np.zeros((4, 4, 3), np.uint8), "rgb8", 9, "left"), 9)
    assert extract(str(tmp_path / "drive"), tmp_path / "data") == 1
    assert "no right image" in capsys.readouterr().err


def test_an_existing_folder_is_never_replaced(drive, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert extract(drive(), tmp_path / "data") == 1
    assert "exists already" in capsys.readouterr().err


def test_a_drive_is_split_in_order_of_time_with_gaps(drive, tmp_path, capsys):
    out = tmp_path / "data"
    assert extract(drive(frames=25), out, "--split", "--truth", "none") == 0
    indexes = {
        part: [int(scene.split("_")[1]) for scene in StereoFolder(out / part).scenes]
        for part in ("training", "calibration", "validation")
    }
    assert indexes["training"] == list(range(17))
    assert indexes["calibration"] == [19, 20]
    assert indexes["validation"] == [23, 24]
    printed = capsys.readouterr().out
    assert "21 pairs of 25 images" in printed
    assert "training 17, calibration 2, validation 2" in printed


def test_a_drive_that_is_too_short_to_split_leaves_nothing(drive, tmp_path, capsys):
    assert extract(drive(frames=4), tmp_path / "data", "--split") == 1
    assert "--split" in (error := capsys.readouterr().err)
    assert "calibration" in error
    assert not (tmp_path / "data").exists()
