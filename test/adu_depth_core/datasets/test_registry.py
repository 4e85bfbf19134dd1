import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.datasets.kitti2015_scenes import CALIBRATION_SCENES, VALIDATION_SCENES
from adu_depth_core.datasets.registry import (
    KINDS,
    HeldOut,
    dataset_name,
    drives_of,
    held_out_of,
    licence_of,
    open_dataset,
)
from adu_depth_core.errors import UserError

NUMBERS = st.lists(st.integers(0, 99), unique=True)


@given(scenes=NUMBERS, validation=st.integers(0, 4), calibration=st.integers(5, 9), every=st.integers(1, 4))
def test_held_out_groups_share_no_frame_with_training(scenes, validation, calibration, every):
    names = [f"{number // 10}/{number}" for number in scenes]
    held_out = HeldOut((str(validation),), (str(calibration),), lambda name: name.partition("/")[0], every)
    parts = {part: held_out.part(part, names) for part in ("training", "validation", "calibration")}
    drives = {part: {name.partition("/")[0] for name in frames} for part, frames in parts.items()}
    assert not drives["training"] & (drives["validation"] | drives["calibration"])
    assert drives["validation"] <= {str(validation)}
    left_out = [name for name in names if name.partition("/")[0] == str(validation)]
    assert len(parts["validation"]) == -(-len(left_out) // every)


def test_an_option_that_a_kind_does_not_have_is_refused(tmp_path, write_kitti2015_scene):
    write_kitti2015_scene(tmp_path, "000000", (0, 0, 0), 5.0)
    assert open_dataset("kitti2015", tmp_path).scenes == ["000000"]
    with pytest.raises(UserError, match="subset 'test' is unknown to kitti2015: choose training, testing"):
        open_dataset("kitti2015", tmp_path, subset="test")
    with pytest.raises(UserError, match="size 'full' is unknown to kitti2015: it has none"):
        open_dataset("kitti2015", tmp_path, size="full")
    with pytest.raises(UserError, match=r"kitti2015 takes no list of frames \(x\); kitti_eigen does"):
        open_dataset("kitti2015", tmp_path, files="x")


def test_published_data_sets_have_one_name_and_folders_their_own(tmp_path):
    assert dataset_name("kitti_eigen", tmp_path / "data") == "kitti_eigen"
    assert dataset_name("stereo_folder", tmp_path / "monday") == "monday"


def test_frames_of_the_raw_recordings_know_their_drives(tmp_path, write_kitti_raw_frame):
    drive = "2011_09_26_drive_0002_sync"
    write_kitti_raw_frame(tmp_path, drive, 5, "train")
    frames = open_dataset("kitti_official", tmp_path)
    assert drives_of("kitti_official", frames) == {f"{drive}/0000000005": drive}


def test_kitti_2015_knows_its_drives_by_the_devkit(tmp_path, write_kitti2015_scene):
    for scene in ("000000", "000001", "000002"):
        write_kitti2015_scene(tmp_path, scene, (0, 0, 0), 5.0)
    assert drives_of("kitti2015", open_dataset("kitti2015", tmp_path)) == {}
    mapping = tmp_path / "devkit" / "mapping" / "train_mapping.txt"
    mapping.parent.mkdir(parents=True)
    drives = [f"2011_09_26_drive_000{number}_sync" for number in (5, 9)]
    mapping.write_text(f"2011_09_26 {drives[0]} 0000000010\n\n2011_09_26 {drives[1]} 0000000110\n")
    known = drives_of("kitti2015", open_dataset("kitti2015", tmp_path))
    assert known == {"000000": drives[0], "000002": drives[1]}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_names_its_licence_and_holds_out_disjoint_groups(kind):
    assert KINDS[kind].licence
    held_out = KINDS[kind].held_out
    if held_out:
        assert not set(held_out.validation) & set(held_out.calibration)
        assert KINDS[kind].subsets[0] == "training"


def test_held_out_scenes_of_kitti_2015_lie_in_two_folders(tmp_path):
    folders = [
        held_out_of("kitti2015", tmp_path),
        held_out_of("kitti_folder", tmp_path / "kitti2015_more"),
    ]
    for part, scenes in (("validation", VALIDATION_SCENES), ("calibration", CALIBRATION_SCENES)):
        assert (*folders[0].groups(part), *folders[1].groups(part)) == scenes
    assert held_out_of("kitti_folder", tmp_path / "of_my_own") is None
    known = held_out_of("kitti_folder", tmp_path / "kitti_object_mono")
    assert not known.groups("validation") + known.groups("calibration")
    assert known.part("training", ["000001", "000002"]) == ["000001"]  # the latter shows scene 144
    # A folder with all 200 scenes must not train on places of the other folder either.
    every = [f"{number:06d}" for number in range(200)]
    assert folders[0].part("training", every) == folders[1].part("training", every)
    assert "000107" in folders[0].part("training", every)
    assert not {"000009", "000055", "000073"} & {*folders[0].part("training", every)}
    assert folders[1].part("calibration", ["000056_10", "000057_10"]) == ["000056_10"]


def test_the_licence_of_a_known_folder_is_that_of_its_recordings(tmp_path):
    assert licence_of("kitti_folder", tmp_path / "kitti_raw_pairs").startswith("CC BY-NC-SA 3.0 (KITTI")
    assert licence_of("kitti_folder", tmp_path / "pandaset_002") == "CC BY 4.0 (PandaSet)"
    assert licence_of("kitti_folder", tmp_path / "radiate_fog").startswith("CC BY-NC-SA 4.0 (RADIATE")
