"""Parts of a drive in order of time, and the role of each."""

import numpy as np
import pytest

pytest.importorskip("rosbags")
from adu_depth_core.bags import topics
from adu_depth_core.bags.frames import ReadingOptions
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.topic_choice import TopicOptions
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.stereo_folder import StereoFolder
from adu_depth_core.errors import UserError
from adu_depth_core.own_vehicle.drive_folders import DriveExtraction

CAMERA = Camera(200.0, 200.0, 79.5, 31.5, 160, 64)
BASELINE = 0.5


@pytest.fixture
def write_bag(tmp_path, textured_pair):
    def write(name="drive", frames=20, pair=True, depth=True, camera=CAMERA):
        with BagWriter(tmp_path / name) as bag:
            for number in range(frames):
                stamp = (number + 1) * 1_000_000_000
                left, right = textured_pair(number, 10)  # 10 m
                frame = topics.LEFT_FRAME
                bag.write(topics.LEFT_INFO, camera_info_message(camera, stamp, frame), stamp)
                bag.write(topics.LEFT_IMAGE, image_message(left, "rgb8", stamp, frame), stamp)
                if depth:
                    truth = np.full(camera.size, np.float32(10 + number))
                    truth[:10] = np.inf
                    bag.write(topics.LEFT_DEPTH, image_message(truth, "32FC1", stamp, frame), stamp)
                if pair:
                    frame = topics.RIGHT_FRAME
                    bag.write(topics.RIGHT_INFO, camera_info_message(camera, stamp, frame, BASELINE), stamp)
                    bag.write(topics.RIGHT_IMAGE, image_message(right, "rgb8", stamp, frame), stamp)
        return tmp_path / name

    return write


def extracted(card, out, *bags, **options):
    extraction = DriveExtraction(list(bags), TopicOptions(**options), ReadingOptions(), card)
    return extraction.write(out, lambda done: None)


def indices(folder):
    return [int(scene.split("_")[1]) for scene in StereoFolder(folder).scenes]


def test_parts_follow_each_other_with_a_gap_after_training(write_bag, card, tmp_path):
    found = extracted(card, tmp_path / "out", write_bag())
    assert (found.truth, found.pairs, found.camera) == ("depth", True, CAMERA)
    assert found.frames == {"drive": 13, "stopping": 3, "judging": 3}
    assert indices(tmp_path / "out" / "drive") == list(range(13))
    assert indices(tmp_path / "out" / "stopping") == [14, 15, 16]
    assert indices(tmp_path / "out" / "judging") == [17, 18, 19]
    sample = StereoFolder(tmp_path / "out" / "judging")[0]
    assert (sample.depth[20, 0], sample.depth[0, 0], sample.baseline) == (27.0, 0.0, BASELINE)


def test_long_drives_are_thinned_out_evenly(write_bag, card, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "adu_depth_core.own_vehicle.drive_folders.MOST_FRAMES", {"drive": 5, "stopping": 3, "judging": 3}
    )
    extracted(card, tmp_path / "out", write_bag(frames=40))
    chosen = indices(tmp_path / "out" / "drive")
    assert len(chosen) == 5
    assert chosen[0] == 0
    assert set(np.diff(chosen)) <= {5, 6}


def test_single_images_with_depth_need_no_pair(write_bag, card, tmp_path):
    found = extracted(card, tmp_path / "out", write_bag(pair=False))
    assert not found.pairs
    assert StereoFolder(tmp_path / "out" / "drive")[0].right is None


def test_pairs_without_depth_are_judged_by_stereo_matching_and_left_to_the_teacher(write_bag, card, tmp_path):
    found = extracted(card, tmp_path / "out", write_bag(depth=False))
    assert found.truth == "stereo"
    assert StereoFolder(tmp_path / "out" / "drive")[0].depth is None
    folder = StereoFolder(tmp_path / "out" / "judging")
    assert not folder.truth_path(folder.scenes[0]).exists()  # not measured: a pseudo-label, marked as such
    judged = folder[0].depth
    assert np.median(judged[judged > 0]) == pytest.approx(10.0, rel=0.05)


def test_a_drive_without_anything_true_is_refused(write_bag, card, tmp_path):
    with pytest.raises(UserError, match=r"neither depth nor LiDAR nor a stereo pair .* --camera-height"):
        extracted(card, tmp_path / "out", write_bag(pair=False, depth=False))


def test_too_few_images_are_refused(write_bag, card, tmp_path):
    with pytest.raises(UserError, match="8 images are too few to train on and to judge by"):
        extracted(card, tmp_path / "out", write_bag(frames=8))


def test_bags_of_two_cameras_are_refused(write_bag, card, tmp_path):
    other = write_bag("other", camera=Camera(210.0, 210.0, 79.5, 31.5, 160, 64))
    with pytest.raises(UserError, match="the camera changes at image 20"):
        extracted(card, tmp_path / "out", write_bag(), other)
