import pytest

from adu_depth_core.datasets.kitti2015_scenes import VALIDATION_SCENES
from adu_depth_core.datasets.recordings import KITTI_LICENCE, origin_of
from adu_depth_core.datasets.registry import SYNTHETIC_LICENCE
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.leakage import check_leakage
from adu_depth_core.model_card import ModelCard, read_card


def card_trained_on(*entries: dict) -> ModelCard:
    training = {"data": list(entries)} if entries else {}
    return ModelCard("mine", "student", "none", 192, 640, 370.0, 1.0, 80.0, 1.2, training=training)


KITTI = {"name": "kitti2015", "split": "training", "scenes": ["000000", "000001", "000002"]}
SYNTHETIC = {"name": "synthetic_drives", "frames": 400, "licence": SYNTHETIC_LICENCE}


def test_frames_the_model_never_saw_pass():
    leakage = check_leakage(card_trained_on(SYNTHETIC, KITTI), "kitti2015", "training", ["000006", "000008"])
    assert leakage.known
    assert leakage.trained == []
    assert leakage.warnings == []


def test_training_frames_are_refused_and_listed():
    with pytest.raises(
        UserError, match=r"trained on 2 of the 3 frames .*\(000002, 000000\)\. .*--allow-training"
    ):
        check_leakage(
            card_trained_on(SYNTHETIC, KITTI), "kitti2015", "training", ["000002", "000006", "000000"]
        )


def test_allowed_training_frames_are_reported():
    leakage = check_leakage(card_trained_on(KITTI), "kitti2015", "training", ["000001", "000006"], allow=True)
    assert leakage.known
    assert leakage.trained == ["000001"]
    assert "mine was trained on 1 of the 2 frames" in leakage.warnings[0]


def test_frames_of_all_entries_of_a_data_set_count():
    entries = [{"name": "kitti2015", "scenes": ["000001"]}, {"name": "kitti2015", "scenes": ["000004"]}]
    leakage = check_leakage(
        card_trained_on(*entries), "kitti2015", "training", ["000001", "000004"], allow=True
    )
    assert leakage.trained == ["000001", "000004"]


@pytest.mark.parametrize(("dataset", "split"), [("kitti2012", "training"), ("kitti2015", "testing")])
def test_the_same_name_in_another_data_set_or_split_is_another_frame(dataset, split):
    assert check_leakage(card_trained_on(KITTI), dataset, split, ["000000"]).trained == []


def test_a_card_without_training_data_is_reported_as_unknown():
    leakage = check_leakage(card_trained_on(), "kitti2015", "training", ["000000"])
    assert not leakage.known
    assert "does not say what it was trained on" in leakage.warnings[0]


def test_a_card_that_lists_no_frames_is_reported_as_unknown():
    entry = {"name": "kitti2015", "split": "training", "frames": 200}
    leakage = check_leakage(card_trained_on(entry), "kitti2015", "training", ["000000"])
    assert not leakage.known
    assert "but not on which frames" in leakage.warnings[0]


def test_a_model_of_the_official_split_is_not_judged_on_the_eigen_test():
    card = card_trained_on({"name": "kitti_official", "split": "training"})
    with pytest.raises(UserError, match="491 of the 652 Eigen test frames"):
        check_leakage(card, "kitti_eigen", "test", ["frame"])
    leakage = check_leakage(card, "kitti_eigen", "test", ["frame"], allow=True)
    assert leakage.trained == ["frame"]
    assert check_leakage(card, "kitti_eigen", "validation", ["frame"]).trained == []


def test_a_model_of_the_eigen_split_may_be_judged_on_the_eigen_test():
    card = card_trained_on({"name": "kitti_eigen", "split": "training", "scenes": ["other"]})
    assert check_leakage(card, "kitti_eigen", "test", ["frame"]).warnings == []


def test_frames_that_the_uncertainty_was_fitted_on_are_reported():
    card = ModelCard(
        *("mine", "student", "none", 192, 640, 370.0, 1.0, 80.0, 1.2),
        training={
            "data": [KITTI],
            "calibration": {"data": "kitti2015", "scales": {"000006": 1.1, "000013": 1.3}},
        },
    )
    leakage = check_leakage(card, "kitti2015", "training", ["000004", "000006"])
    assert leakage.trained == []
    assert leakage.calibrated == ["000006"]
    assert leakage.warnings == []
    assert check_leakage(card, "synthetic", "training", ["000006"]).calibrated == []


DRIVES = {
    f"2011_09_26_drive_000{drive}_sync/{n:010d}": f"2011_09_26_drive_000{drive}_sync"
    for drive in (1, 2)
    for n in (5, 6)
}


@pytest.mark.parametrize("trained_on", ["kitti_eigen", "kitti_official"])
def test_a_drive_that_was_trained_on_is_refused_whichever_data_set_it_came_from(trained_on):
    entry = {"name": trained_on, "split": "training", "drives": ["2011_09_26_drive_0002_sync"]}
    with pytest.raises(UserError, match=r"places of 2 of the 4 frames .*\(2011_09_26_drive_0002_sync\)"):
        check_leakage(card_trained_on(entry), "kitti_eigen", "validation", list(DRIVES), drives=DRIVES)
    other = {frame: drive for frame, drive in DRIVES.items() if "0001" in drive}
    leakage = check_leakage(card_trained_on(entry), "kitti_eigen", "validation", list(other), drives=other)
    assert leakage.known
    assert leakage.trained == []


@pytest.mark.parametrize(
    ("trained_on", "dataset"), [("kitti2015", "kitti_eigen"), ("kitti_eigen", "kitti2015")]
)
def test_data_sets_cut_from_the_same_recordings_leave_a_doubt(trained_on, dataset):
    entry = {"name": trained_on, "split": "training", "drives": ["x"], "scenes": ["y"]}
    if trained_on == "kitti2015":
        del entry["drives"]
    drives = {"a": "b"} if dataset == "kitti_eigen" else None
    leakage = check_leakage(card_trained_on(entry), dataset, "test", ["a"], drives=drives)
    assert not leakage.known
    assert f"{trained_on}, which is cut from the same recordings as {dataset}" in leakage.warnings[0]


def test_sequences_of_drivingstereo_s_weather_frames_count_as_trained_on():
    entry = {"name": "drivingstereo", "split": "training", "drives": ["2018-10-19-09-30-39"]}
    drives = {"2018-10-19-09-30-39_x": "2018-10-19-09-30-39"}
    with pytest.raises(UserError, match="places of 1 of the 1 frames"):
        check_leakage(card_trained_on(entry), "drivingstereo", "sunny", list(drives), drives=drives)


def test_kitti_2015_scenes_are_compared_by_drive_where_the_devkit_names_it():
    entry = {"name": "kitti_eigen", "split": "training", "drives": ["2011_09_26_drive_0005_sync"]}
    drives = {"000000": "2011_09_26_drive_0005_sync", "000004": "2011_09_26_drive_0009_sync"}
    with pytest.raises(UserError, match="places of 1 of the 2 frames"):
        check_leakage(card_trained_on(entry), "kitti2015", "training", list(drives), drives=drives)
    assert check_leakage(
        card_trained_on(entry), "kitti2015", "training", ["000004"], drives={"000004": drives["000004"]}
    ).known
    partly = check_leakage(
        card_trained_on(entry), "kitti2015", "training", ["000004", "000005"], drives={"000004": "x"}
    )
    assert not partly.known


def test_scenes_of_one_data_set_are_compared_by_scene_even_if_their_drives_are_known():
    entry = {**KITTI, "drives": ["2011_09_26_drive_0005_sync"]}
    leakage = check_leakage(
        card_trained_on(entry),
        "kitti2015",
        "training",
        ["000004"],
        drives={"000004": "2011_09_26_drive_0005_sync"},
    )
    assert (leakage.known, leakage.trained) == (True, [])


def folder(name: str, *scenes: str, **entry) -> dict:
    """A card's entry for a folder in KITTI layout, as in cards that predate the key ``kind``."""
    listed = {"scenes": list(scenes)} if scenes else {}
    return {"name": name, "licence": KITTI_LICENCE, "frames": len(scenes), **listed, **entry}


@pytest.mark.parametrize(
    "name", ["kitti_object_mono", "kitti_object_stereo_unlabelled", "kitti_raw_mono", "kitti_grey_pairs"]
)
def test_kitti_folders_whose_drives_are_not_known_leave_a_doubt(name):
    leakage = check_leakage(
        card_trained_on(KITTI, folder(name, "000011")), "kitti2015", "training", ["000006"]
    )
    assert not leakage.known
    assert f"{name}, which is cut from the same recordings as kitti2015" in leakage.warnings[0]


def test_the_shipped_cards_do_not_pass_as_known(shipped_model):
    card = read_card(shipped_model)
    leakage = check_leakage(card, "kitti2015", "training", VALIDATION_SCENES[:7], allow=True)
    assert not leakage.known
    assert leakage.trained == list(VALIDATION_SCENES[:7])  # 000005 and 000004 show the same street
    more = [f"{scene}_10" for scene in VALIDATION_SCENES[7:]]
    leakage = check_leakage(card, "kitti2015_more", "", more, allow=True, kind="kitti_folder")
    assert not leakage.known
    assert leakage.trained == []


def test_a_folder_whose_name_is_not_known_cannot_be_told():
    card = card_trained_on(KITTI)
    leakage = check_leakage(card, "my_drive", "", ["000006"], kind="kitti_folder")
    assert not leakage.known
    assert "kitti2015, whose recordings are not known, nor whether my_drive is of them" in leakage.warnings[0]
    card = card_trained_on(folder("my_drive", "a"))
    assert not check_leakage(card, "kitti2015", "training", ["000006"]).known
    assert not check_leakage(card, "pandaset_002", "", ["00_front_camera"], kind="kitti_folder").known


@pytest.mark.parametrize(
    ("dataset", "kind"),
    [("pandaset_002", "kitti_folder"), ("ddad_dgp", "kitti_folder"), ("monday", "stereo_folder")],
)
def test_other_recordings_are_known_to_be_others(dataset, kind):
    leakage = check_leakage(card_trained_on(KITTI, SYNTHETIC), dataset, "", ["a"], kind=kind)
    assert (leakage.known, leakage.trained) == (True, [])


def test_the_scenes_of_kitti_2015_go_by_their_numbers_in_whatever_folder_they_lie():
    card = card_trained_on(folder("kitti2015_more", "000054_10", "000074_10"))
    with pytest.raises(UserError, match=r"places of 2 of the 3 frames .*\(scene 54, scenes 72 to 74\)"):
        check_leakage(card, "kitti2015", "training", ["000054", "000061", "000072"])
    assert check_leakage(card, "kitti2015", "training", ["000061"]).known


def test_a_neighbouring_scene_is_none_to_be_judged_on():
    card = card_trained_on({"name": "kitti2015", "split": "training", "scenes": ["000015"]})
    leakage = check_leakage(card, "kitti2015", "training", ["000006", "000014", "000018"], allow=True)
    assert leakage.trained == ["000014"]
    assert "places of 1 of the 3 frames to evaluate (scenes 13 to 17)" in leakage.warnings[0]


@pytest.mark.parametrize("scenes", [(), ("000000", "000001")])
def test_a_folder_of_one_drive_is_known_whether_its_frames_are_listed_or_not(scenes):
    drive = "2011_10_03_drive_0034_sync"
    card, frame = card_trained_on(folder("kitti_odometry_02", *scenes)), f"{drive}/0000000004"
    with pytest.raises(UserError, match=rf"places of 1 of the 1 frames .*\({drive}\)"):
        check_leakage(card, "kitti_eigen", "test", [frame], drives={frame: drive})
    other = "2011_09_26_drive_0002_sync"
    frame = f"{other}/0000000004"
    assert check_leakage(card, "kitti_eigen", "test", [frame], drives={frame: other}).known


def test_raw_pairs_tell_their_drives():
    card = card_trained_on(folder("kitti_raw_pairs", "d0005_000031", "d0048_000000"))
    with pytest.raises(UserError, match="2011_09_26_drive_0005_sync"):
        check_leakage(card, "kitti2015", "training", ["000002"])
    assert not check_leakage(card, "kitti2015", "training", ["000006"]).known
    with pytest.raises(UserError, match="drive_0048"):
        check_leakage(card, "kitti_raw_pairs", "", ["d0048_000002", "d0023_000000"], kind="kitti_folder")
    unlabelled = card_trained_on(folder("kitti_raw_pairs_unlabelled", "a_000000"))
    with pytest.raises(UserError, match="scene 105"):
        check_leakage(unlabelled, "kitti2015_more", "", ["000105_10"], kind="kitti_folder")


def test_every_folder_of_the_data_at_hand_is_known(real_data):
    roots = [root.parent for root in real_data.rglob("image_2") if "kitti2015" not in root.parts]
    assert roots
    assert [root.name for root in roots if origin_of(root.name) is None] == []
