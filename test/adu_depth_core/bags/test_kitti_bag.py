"""Conversion of folders in each KITTI layout to bags."""

import cv2
import numpy as np
import pytest

from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from adu_depth_core.bags import topics
from adu_depth_core.bags.kitti_bag import write_kitti_bag
from adu_depth_core.bags.messages import image_array, point_cloud_array, stamp_of
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.datasets.kitti_sequence import find_frames
from adu_depth_core.images import write_png16

P2 = "50 0 3.5 20 0 50 1.5 0.2 0 0 1 0.002"
P3 = "50 0 3.5 -5 0 50 1.5 2.2 0 0 1 0.002"  # baseline (20 - -5) / 50 = 0.5 m
OBJECT = f"P2: {P2}\nP3: {P3}\n"
RAW = f"calib_time: 09-Jan-2012 13:57:47\nP_rect_02: {P2}\nP_rect_03: {P3}\n"


def write_image(path, value=0, size=(4, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(value).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), image)
    return image[..., ::-1]


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def odometry(tmp_path):
    """Three stereo frames, the second at 0.1036117 s."""
    folder = tmp_path / "02"
    for i in range(3):
        write_image(folder / "image_2" / f"{i:06d}.png", i)
        write_image(folder / "image_3" / f"{i:06d}.png", 10 + i)
    write_text(folder / "calib.txt", OBJECT)
    write_text(folder / "times.txt", "0.000000e+00\n1.036117e-01\n2.073529e-01\n3.1e-01\n")
    return folder


def read(path):
    messages = {}
    with BagReader(path) as bag:
        for message in bag.messages():
            messages.setdefault(message.topic, []).append(message.content)
    return messages


def test_an_odometry_folder_becomes_a_stereo_bag_with_its_times(odometry, tmp_path):
    counts = write_kitti_bag(find_frames(odometry), tmp_path / "bag")
    messages = read(tmp_path / "bag")
    assert counts == {topic: len(found) for topic, found in messages.items()}
    assert counts.pop(topics.TF_STATIC) == 1
    assert set(counts.values()) == {3}
    assert set(counts) == {topics.LEFT_IMAGE, topics.LEFT_INFO, topics.RIGHT_IMAGE, topics.RIGHT_INFO}
    for topic in counts:
        assert [stamp_of(m) for m in messages[topic]] == [1_000_000_000, 1_103_611_700, 1_207_352_900]
    left, right = messages[topics.LEFT_INFO][0], messages[topics.RIGHT_INFO][0]
    camera = camera_from_info(left, left.width, left.height)
    assert (camera.fx, camera.cx, left.width, left.height) == (50, 3.5, 8, 4)
    assert (left.p[3], right.p[3]) == (0, pytest.approx(-25.0))
    assert messages[topics.TF_STATIC][0].transforms[0].transform.translation.x == pytest.approx(0.5)
    pixels = cv2.imread(str(odometry / "image_2" / "000001.png"))
    np.testing.assert_array_equal(image_array(messages[topics.LEFT_IMAGE][1]), pixels)
    assert messages[topics.LEFT_IMAGE][1].encoding == "bgr8"


def test_a_subset_of_a_sequence_keeps_its_own_times(odometry):
    (odometry / "image_2" / "000001.png").unlink()
    assert [frame.time_ns for frame in find_frames(odometry)] == [0, 207_352_900]


def test_a_rate_replaces_the_times(odometry, tmp_path):
    write_kitti_bag(find_frames(odometry), tmp_path / "bag", rate=4.0, start_ns=0)
    stamps = [stamp_of(m) for m in read(tmp_path / "bag")[topics.LEFT_IMAGE]]
    assert stamps == [0, 250_000_000, 500_000_000]


def test_a_raw_drive_is_understood(tmp_path):
    drive = tmp_path / "2011_09_26" / "2011_09_26_drive_0001_sync"
    for i in range(2):
        write_image(drive / "image_02" / "data" / f"{i:010d}.png")
    times = "2011-09-26 13:02:25.964389445\n2011-09-26 13:02:26.064499200\n"
    write_text(drive / "image_02" / "timestamps.txt", times)
    write_text(drive.parent / "calib_cam_to_cam.txt", RAW)
    write_kitti_bag(find_frames(drive), tmp_path / "bag")
    messages = read(tmp_path / "bag")
    assert set(messages) == {topics.LEFT_IMAGE, topics.LEFT_INFO}
    assert [stamp_of(m) for m in messages[topics.LEFT_IMAGE]] == [1_000_000_000, 1_100_109_755]


@pytest.mark.parametrize(
    ("calibration", "text"), [("calib/000004_10.txt", OBJECT), ("calib_cam_to_cam/000004.txt", RAW)]
)
def test_a_folder_with_a_calibration_for_each_frame_is_understood(tmp_path, calibration, text):
    write_image(tmp_path / "image_2" / "000004_10.jpg")
    write_text(tmp_path / calibration, text)
    (frame,) = find_frames(tmp_path)
    assert (frame.calibration, frame.right, frame.time_ns) == (tmp_path / calibration, None, None)
    assert write_kitti_bag([frame], tmp_path / "bag") == {topics.LEFT_IMAGE: 1, topics.LEFT_INFO: 1}


def test_compressed_images_are_the_files_themselves(odometry, tmp_path):
    write_kitti_bag(find_frames(odometry), tmp_path / "bag", compressed=True)
    message = read(tmp_path / "bag")[topics.LEFT_IMAGE + "/compressed"][2]
    assert message.data.tobytes() == (odometry / "image_2" / "000002.png").read_bytes()
    assert message.format == "png"


def break_size(folder):
    write_image(folder / "image_2" / "000002.png", size=(4, 6))


def break_image(folder):
    (folder / "image_2" / "000001.png").write_bytes(b"not a png")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda f: (f / "calib.txt").unlink(), r"no calibration for .*000000\.png"),
        (lambda f: (f / "calib.txt").write_text("P0: 1\n"), r"calib\.txt: no P2"),
        (lambda f: (f / "calib.txt").write_text(f"P2: {P2}\n"), r"no P3.* right image"),
        (lambda f: (f / "calib.txt").write_text("P2:" + " 0" * 12), r"calib\.txt: .*not calibrated"),
        (lambda f: (f / "image_3" / "000001.png").unlink(), r"lacks 1 of 3 right images, first 000001\.png"),
        (lambda f: [p.unlink() for p in (f / "image_2").iterdir()], "holds no image"),
        (lambda f: (f / "image_2").rename(f / "pictures"), r"no folder image_2 .*pictures"),
        (lambda f: (f / "times.txt").write_text("0\n0.1\n"), "has 2 lines.* line 3"),
        (lambda f: (f / "times.txt").write_text("0\nsoon\n1\n"), r"times\.txt:2: 'soon'"),
        (lambda f: (f / "times.txt").write_text("0\n1\n1\n"), r"times\.txt:3: .* not after"),
        (break_size, r"000002\.png is 4x6, .* 4x8"),
        (break_image, r"000001\.png: not a readable image"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_and_no_bag_is_left(odometry, tmp_path, damage, complaint):
    damage(odometry)
    with pytest.raises(UserError, match=complaint):
        write_kitti_bag(find_frames(odometry), tmp_path / "bag")
    assert not (tmp_path / "bag").exists()


def test_a_real_kitti_sequence_becomes_a_bag(real_data, tmp_path):
    counts = write_kitti_bag(find_frames(real_data / "kitti_odometry_02")[:3], tmp_path / "bag")
    assert counts[topics.LEFT_IMAGE] == counts[topics.RIGHT_IMAGE] == 3
    info = read(tmp_path / "bag")[topics.RIGHT_INFO][0]
    assert (info.width, info.height, info.k[0]) == (1241, 376, pytest.approx(718.856))
    assert -info.p[3] == pytest.approx(718.856 * 0.5323, rel=1e-3)  # the rig's colour baseline


def write_scans(folder, lines=()):
    """One scan per image with a single point, 10 m ahead of the scanner, which looks along x."""
    for i in range(3):
        path = folder / "velodyne" / f"{i:06d}.bin"
        path.parent.mkdir(exist_ok=True)
        np.array([[10 + i, 0, 0, 0.5]], "<f4").tofile(path)
    write_text(folder / "calib.txt", OBJECT + "\n".join(lines))


def test_scans_lie_where_the_calibration_has_the_scanner(odometry, tmp_path):
    write_scans(odometry, ["R0_rect: 1 0 0 0 1 0 0 0 1", "Tr_velo_to_cam: 0 -1 0 0 0 0 -1 -0.1 1 0 0 -0.3"])
    write_kitti_bag(find_frames(odometry), tmp_path / "bag")
    messages = read(tmp_path / "bag")
    assert len(messages[topics.LIDAR]) == 3
    np.testing.assert_allclose(point_cloud_array(messages[topics.LIDAR][2]), [[12, 0, 0]])
    edges = {edge.child_frame_id: edge for edge in messages[topics.TF_STATIC][0].transforms}
    assert set(edges) == {topics.RIGHT_FRAME, topics.LIDAR_FRAME}
    place = edges[topics.LIDAR_FRAME].transform.translation
    # inv(K) * P2[:, 3] = ((20 - 3.5 * 0.002) / 50, (0.2 - 1.5 * 0.002) / 50, 0.002)
    assert (place.x, place.y, place.z) == pytest.approx((0.39986, -0.1 + 0.00394, -0.3 + 0.002))


def test_scans_need_a_place(odometry, tmp_path):
    write_scans(odometry)
    with pytest.raises(UserError, match=r"calib.txt: no Tr_velo_to_cam line .* remove the scans"):
        write_kitti_bag(find_frames(odometry), tmp_path / "bag")


def test_a_scan_that_is_cut_off_is_named(odometry, tmp_path):
    write_scans(odometry, ["Tr: 0 -1 0 0 0 0 -1 0 1 0 0 0"])
    (odometry / "velodyne" / "000001.bin").write_bytes(b"123")
    with pytest.raises(UserError, match=r"000001.bin is not a KITTI scan: its 3 bytes"):
        write_kitti_bag(find_frames(odometry), tmp_path / "bag")


def test_depth_goes_along_with_unknown_pixels_as_nan(odometry, tmp_path):
    depth = np.zeros((4, 8), np.float32)
    depth[1, 2] = 12.5
    write_png16(odometry / "gt_depth" / "000001.png", depth)
    write_kitti_bag(find_frames(odometry), tmp_path / "bag")
    (message,) = read(tmp_path / "bag")[topics.LEFT_DEPTH]
    np.testing.assert_array_equal(image_array(message), np.where(depth > 0, depth, np.nan))
