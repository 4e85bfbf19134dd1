"""KITTI's raw recordings by the Eigen lists and by the official split."""

import pickle
import shutil

import cv2
import numpy as np
import pytest

from adu_depth_core.datasets.kitti_eigen import KittiEigen, read_list
from adu_depth_core.datasets.kitti_official import KittiOfficial
from adu_depth_core.errors import UserError
from adu_depth_core.images import write_png16

DRIVES = {"2011_09_26_drive_0001_sync": "train", "2011_09_26_drive_0002_sync": "val"}
SCENES = [f"{drive}/{number:010d}" for drive in DRIVES for number in (5, 6)]
BTS = "{date}/{drive}/image_02/data/{number:010d}.png {truth} 721.5377\n"


@pytest.fixture
def root(tmp_path, write_kitti_raw_frame):
    """Two drives of two frames each; the last frame has no depth map, as the test list states."""
    lines = {"train": "", "val": ""}
    for drive, part in DRIVES.items():
        for number in (5, 6):
            labelled = (part, number) != ("val", 6)
            write_kitti_raw_frame(tmp_path, drive, number, part, depth=labelled)
            truth = f"{drive}/proj_depth/groundtruth/image_02/{number:010d}.png" if labelled else "None"
            lines[part] += BTS.format(date=drive[:10], drive=drive, number=number, truth=truth)
    (tmp_path / "eigen_train_files_with_gt.txt").write_text(lines["train"], encoding="utf-8")
    (tmp_path / "eigen_test_files_with_gt.txt").write_text(lines["val"], encoding="utf-8")
    return tmp_path


def check_sample(sample):
    assert sample.left.shape == sample.right.shape == (64, 160, 3)
    np.testing.assert_array_equal(sample.left[:, 5:], sample.right[:, :-5])  # 5 pixels of disparity
    assert (sample.camera.fx, sample.camera.cx, sample.baseline) == (150.0, 79.5, 0.5)
    np.testing.assert_array_equal(sample.depth, np.full((64, 160), 15.0, np.float32))


@pytest.mark.parametrize("dataset", [KittiEigen, KittiOfficial])
def test_a_labelled_pair_is_read(root, dataset):
    frames = dataset(root)
    assert frames.scenes == SCENES[:2]
    assert [sample.name for sample in frames] == SCENES[:2]
    check_sample(frames[1])
    assert frames.truth_path(SCENES[0]).is_file()


def test_a_frame_of_the_list_without_depth_is_unlabelled(root):
    frames = KittiEigen(root, subset="test")
    assert frames[0].depth is not None
    assert frames[1].depth is None
    assert not frames.truth_path(SCENES[3]).is_file()
    assert frames.truth_path(SCENES[3]).parent.is_dir()


def test_both_formats_of_lists_name_the_same_pairs(tmp_path):
    drive = "2011_09_26/2011_09_26_drive_0001_sync"
    bts, monodepth = tmp_path / "bts.txt", tmp_path / "monodepth.txt"
    bts.write_text(
        f"{drive}/image_02/data/0000000069.png None 721.5\n/{drive}/image_03/data/0000000006.png x 1\n"
    )
    monodepth.write_text(f"{drive} 0000000069 l\n\n{drive} 6 l\n{drive} 6 r\n")
    expected = [f"2011_09_26_drive_0001_sync/{number:010d}" for number in (69, 6)]
    assert read_list(bts) == read_list(monodepth) == expected


def test_a_line_of_another_format_is_named(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("2011_09_26/2011_09_26_drive_0001_sync 1 l\nimage 0\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"list.txt:2: 'image 0' is neither a line of a BTS list"):
        read_list(path)


def test_a_list_of_ones_own_can_be_given(root):
    path = root / "mine.txt"
    path.write_text("2011_09_26/2011_09_26_drive_0002_sync 5 l\n", encoding="utf-8")
    assert KittiEigen(root, files=path).scenes == [SCENES[2]]


def test_a_missing_list_says_where_to_get_it(root):
    (root / "eigen_test_files_with_gt.txt").unlink()
    with pytest.raises(
        UserError, match=r"eigen_test_files_with_gt.txt or test_files.txt.*cleinc/bts.*holds 2011"
    ):
        KittiEigen(root, subset="test")
    (root / "splits").mkdir()
    (root / "splits" / "test_files.txt").write_text("2011_09_26/2011_09_26_drive_0002_sync 6 l\n")
    assert KittiEigen(root, subset="test").scenes == [SCENES[3]]


@pytest.mark.parametrize(
    "depth", ["depth/train", "depth", "2011_09_26"], ids=["apart", "merged", "monodepth2"]
)
def test_depth_may_lie_where_the_community_puts_it(root, depth):
    (root / depth).mkdir(parents=True, exist_ok=True)
    if depth == "2011_09_26":
        shutil.move(root / "train" / "2011_09_26_drive_0001_sync" / "proj_depth", root / SCENES[0][:10] / "x")
        shutil.move(root / SCENES[0][:10] / "x", root / depth / "2011_09_26_drive_0001_sync" / "proj_depth")
    else:
        shutil.move(root / "train" / "2011_09_26_drive_0001_sync", root / depth)
    check_sample(KittiEigen(root)[0])


def test_recordings_may_lie_in_raw(root):
    (root / "raw").mkdir()
    shutil.move(root / "2011_09_26", root / "raw")
    check_sample(KittiEigen(root)[0])


def test_a_drive_that_is_not_there_says_what_was_expected_and_found(root):
    shutil.rmtree(root / "2011_09_26" / "2011_09_26_drive_0001_sync")
    with pytest.raises(
        UserError, match=r"expect the folder .*drive_0001_sync/image_02/data.* holds 2011_09_26, ei"
    ):
        KittiEigen(root)[0]


def test_a_recording_without_right_images_is_incomplete(root):
    shutil.rmtree(root / "2011_09_26" / "2011_09_26_drive_0001_sync" / "image_03")
    with pytest.raises(UserError, match=r"holds image_02: the right images image_03/data are missing"):
        KittiEigen(root)[0]


def test_images_converted_to_jpeg_are_read(root):
    folder = root / "2011_09_26" / "2011_09_26_drive_0001_sync" / "image_02" / "data"
    cv2.imwrite(str(folder / "0000000005.jpg"), cv2.imread(str(folder / "0000000005.png")))
    (folder / "0000000005.png").unlink()
    assert KittiEigen(root)[0].left.shape == (64, 160, 3)


def test_the_official_split_follows_from_the_folders(root):
    assert KittiOfficial(root, subset="validation").scenes == [SCENES[2]]
    with pytest.raises(UserError, match=r"lacks the scenes a/b"):
        KittiOfficial(root, ["a/b"])
    shutil.rmtree(root / "val")
    with pytest.raises(
        UserError, match=r"depth split \(validation\) expects the folder .*val or .*depth.val"
    ):
        KittiOfficial(root, subset="validation")


def test_the_official_selection_is_read(tmp_path, textured_pair):
    folder = tmp_path / "depth_selection" / "val_selection_cropped"
    for name in ("image", "groundtruth_depth", "intrinsics"):
        (folder / name).mkdir(parents=True)
    drive, frame = "2011_09_26_drive_0002_sync", "0000000005_image_03"
    cv2.imwrite(str(folder / "image" / f"{drive}_image_{frame}.png"), textured_pair(0, 4, 352, 1216)[0])
    write_png16(
        folder / "groundtruth_depth" / f"{drive}_groundtruth_depth_{frame}.png", np.full((352, 1216), 9.0)
    )
    (folder / "intrinsics" / f"{drive}_image_{frame}.txt").write_text("721.5 0.0 596.6 0.0 721.5 149.9 0 0 1")
    frames = KittiOfficial(tmp_path, subset="selection")
    assert frames.scenes == [f"{drive}/{frame}"]
    sample = frames[0]
    assert (sample.right, sample.baseline, sample.camera.cx) == (None, None, 596.6)
    assert sample.depth[0, 0] == 9.0
    assert frames.truth_path(frames.scenes[0]).is_file()


def test_readers_can_be_sent_to_loading_processes(root):
    frames = KittiEigen(root)
    check_sample(frames[0])
    check_sample(pickle.loads(pickle.dumps(frames))[0])
