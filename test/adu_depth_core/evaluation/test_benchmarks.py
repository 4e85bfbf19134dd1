import cv2
import numpy as np
import pytest

from adu_depth_core.datasets.kitti2015_scenes import place_of
from adu_depth_core.datasets.registry import KINDS, KITTI2015_HELD_OUT, KITTI2015_MORE_HELD_OUT
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import SPLITS, open_benchmark
from adu_depth_core.files import share_directory
from adu_depth_core.images import write_png16


@pytest.fixture
def root(tmp_path, write_kitti2015_scene):
    folder = tmp_path / "drive"
    for number in range(40):
        write_kitti2015_scene(folder, f"{number:06d}", (0, 0, 0), 5.0)
    return folder


def test_the_default_split_is_the_validation_scenes(root):
    benchmark = open_benchmark("kitti2015", root)
    assert (benchmark.dataset, benchmark.split, benchmark.subset) == ("kitti2015", "validation", "training")
    assert tuple(benchmark.frames) == KITTI2015_HELD_OUT.validation
    assert [sample.name for sample in benchmark.samples] == list(benchmark.frames)


def test_the_named_splits_share_no_scene_and_training_no_place(root):
    splits = {
        s: open_benchmark("kitti2015", root, s).frames for s in ("validation", "calibration", "training")
    }
    assert tuple(splits["calibration"]) == KITTI2015_HELD_OUT.calibration
    assert not set(splits["calibration"]) & set(splits["validation"])
    held_out = {place_of(scene) for part in ("validation", "calibration") for scene in splits[part]}
    places = {scene: place_of(scene) for scene in open_benchmark("kitti2015", root, "all").frames}
    assert splits["training"] == [scene for scene, place in places.items() if place not in held_out]


def test_a_file_lists_scenes(root, tmp_path):
    path = tmp_path / "scenes.txt"
    path.write_text("000007   # night\n\n# a comment\n000003\n", encoding="utf-8")
    benchmark = open_benchmark("kitti2015", root, str(path))
    assert list(benchmark.frames) == ["000007", "000003"]
    assert benchmark.split == str(path)


@pytest.mark.parametrize(
    ("text", "message"), [("", "lists no scene"), ("000001\n000002\n000001\n", "lists 000001 twice")]
)
def test_a_list_of_no_use_is_refused(root, tmp_path, text, message):
    path = tmp_path / "scenes.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"scenes.txt {message}"):
        open_benchmark("kitti2015", root, str(path))


def test_an_unknown_split_lists_the_known_ones(root):
    with pytest.raises(
        UserError, match="'valid' is neither one of validation, calibration, training, all nor a"
    ):
        open_benchmark("kitti2015", root, "valid")


def test_scenes_that_are_not_there_lead_to_split_all(tmp_path, write_kitti2015_scene):
    for scene in ("000004", "000100"):
        write_kitti2015_scene(tmp_path, scene, (0, 0, 0), 5.0)
    with pytest.raises(UserError, match=r"lacks 6 of the 7 .*000008.*--split all for the 2 scenes"):
        open_benchmark("kitti2015", tmp_path)
    assert list(open_benchmark("kitti2015", tmp_path, "all").frames) == ["000004", "000100"]


def test_missing_ground_truth_is_told_before_anything_is_evaluated(root):
    missing = root / "training" / "disp_noc_0" / "000008_10.png"
    missing.unlink()
    with pytest.raises(UserError, match=r"1 of 7 scenes have no ground truth: no .*000008_10.png"):
        open_benchmark("kitti2015", root)


def test_a_synthetic_drive_goes_by_its_folder_s_name_and_has_one_split(root):
    benchmark = open_benchmark("synthetic", root)
    assert (benchmark.dataset, benchmark.split) == ("drive", "all")
    assert len(benchmark.samples) == 40
    with pytest.raises(UserError, match="neither one of all nor"):
        open_benchmark("synthetic", root, "validation")


TEST_DRIVE, VALIDATION_DRIVE = "2011_09_26_drive_0002_sync", "2011_09_26_drive_0005_sync"


@pytest.fixture
def eigen_root(tmp_path, write_kitti_raw_frame):
    """Three test frames, the last without improved depth, as in the shipped lists."""
    for number in (5, 6, 7):
        write_kitti_raw_frame(tmp_path, TEST_DRIVE, number, "val", depth=number < 7)
    lines = [f"2011_09_26/{TEST_DRIVE} {number:010d} l\n" for number in (5, 6, 7)]
    (tmp_path / "test_files.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def test_eigen_test_frames_without_improved_depth_are_left_out_and_told(eigen_root):
    benchmark = open_benchmark("kitti_eigen", eigen_root)
    assert (benchmark.dataset, benchmark.split, benchmark.subset) == ("kitti_eigen", "test", "test")
    assert benchmark.frames == [f"{TEST_DRIVE}/{number:010d}" for number in (5, 6)]
    assert benchmark.unlabelled == [f"{TEST_DRIVE}/0000000007"]
    assert set(benchmark.drives.values()) == {TEST_DRIVE}
    assert [sample.depth is not None for sample in benchmark.samples] == [True, True]


def test_depth_that_was_not_unpacked_is_not_taken_for_frames_without_any(eigen_root):
    (eigen_root / "val" / TEST_DRIVE).rename(eigen_root / "val" / "elsewhere")
    with pytest.raises(UserError, match=r"3 of 3 scenes have no ground truth: no .*train.*0000000005.png"):
        open_benchmark("kitti_eigen", eigen_root)


def test_held_out_drives_that_are_not_there_are_named(eigen_root, write_kitti_raw_frame):
    write_kitti_raw_frame(eigen_root, VALIDATION_DRIVE, 5, "val")
    (eigen_root / "train_files.txt").write_text(f"2011_09_26/{VALIDATION_DRIVE} 5 l\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"lacks 2 of the 3 scenes of split 'validation': .*0079.*0026"):
        open_benchmark("kitti_eigen", eigen_root, "validation")
    assert open_benchmark("kitti_eigen", eigen_root, "all").frames == [f"{VALIDATION_DRIVE}/0000000005"]


def test_a_list_of_frames_can_be_given(eigen_root):
    path = eigen_root / "mine.txt"
    path.write_text(f"2011_09_26/{TEST_DRIVE} 6 l\n", encoding="utf-8")
    assert open_benchmark("kitti_eigen", eigen_root, files=path).frames == [f"{TEST_DRIVE}/0000000006"]


@pytest.fixture
def kitti_folder(tmp_path):
    """Three frames of a camera without a partner; the last has no depth."""
    root = tmp_path / "rig"
    for folder in ("image_2", "calib", "gt_depth"):
        (root / folder).mkdir(parents=True)
    (root / "calib.txt").write_text("P2: 150 0 79.5 0 0 140 31.5 0 0 0 1 0\n", encoding="utf-8")
    for name in ("a", "b", "c"):
        cv2.imwrite(str(root / "image_2" / f"{name}.jpg"), np.zeros((64, 160, 3), np.uint8))
    for name in ("a", "b"):
        write_png16(root / "gt_depth" / f"{name}.png", np.full((64, 160), 9.0, np.float32))
    return root


def test_frames_of_a_kitti_folder_without_depth_are_left_out_and_told(kitti_folder):
    benchmark = open_benchmark("kitti_folder", kitti_folder)
    assert (benchmark.dataset, benchmark.split, benchmark.frames) == ("rig", "all", ["a", "b"])
    assert benchmark.unlabelled == ["c"]


def test_a_list_of_one_s_own_may_not_hold_frames_without_depth(kitti_folder, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("b\n", encoding="utf-8")
    assert open_benchmark("kitti_folder", kitti_folder, str(path)).frames == ["b"]
    path.write_text("b\nc\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"1 of 2 scenes have no ground truth: no .*c\.png"):
        open_benchmark("kitti_folder", kitti_folder, str(path))


def test_the_error_for_unknown_frames_tells_names_that_there_are(kitti_folder, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("a_10\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"lacks 1 of the 1 scenes .*a_10 \(there is a, b, c\)"):
        open_benchmark("kitti_folder", kitti_folder, str(path))


def test_the_shipped_list_of_unseen_places_is_part_of_the_validation_scenes():
    path = share_directory() / "config" / "splits" / "kitti2015_more_unseen.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    scenes = {line.removesuffix("_10") for line in lines if not line.startswith("#")}
    assert len(scenes) == 12
    assert scenes < set(KITTI2015_MORE_HELD_OUT.validation)


@pytest.mark.parametrize("part", ["validation", "calibration"])
def test_a_folder_known_by_name_has_its_held_out_frames_as_splits(real_data, part):
    frames = open_benchmark("kitti_folder", real_data / "kitti2015_more", part).frames
    held_out = getattr(KITTI2015_MORE_HELD_OUT, part)
    assert [frame.removesuffix("_10") for frame in frames] == list(held_out)


def test_a_folder_that_holds_nothing_out_has_no_such_split(kitti_folder):
    with pytest.raises(UserError, match=r"'calibration': .*rig holds no frames out; .*kitti2015_more"):
        open_benchmark("kitti_folder", kitti_folder, "calibration")


@pytest.mark.parametrize("dataset", SPLITS)
def test_each_split_is_of_a_part_that_its_data_set_has(dataset):
    kind = KINDS[dataset]
    for split in SPLITS[dataset].values():
        assert split.subset in (kind.subsets or (None,))
        if split.part != "all" and dataset != "kitti_folder":  # there the folder decides
            assert split.subset == kind.subsets[0]
            assert kind.held_out
