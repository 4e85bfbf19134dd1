import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.leakage import check_leakage
from adu_depth_core.model_card import ModelCard


def card_trained_on(*entries: dict) -> ModelCard:
    training = {"data": list(entries)} if entries else {}
    return ModelCard("mine", "student", "none", 192, 640, 370.0, 1.0, 80.0, 1.2, training=training)


KITTI = {"name": "kitti2015", "split": "training", "scenes": ["000000", "000001", "000002"]}
SYNTHETIC = {"name": "synthetic_drives", "frames": 400}


def test_frames_the_model_never_saw_pass():
    leakage = check_leakage(card_trained_on(SYNTHETIC, KITTI), "kitti2015", "training", ["000004", "000008"])
    assert leakage.known
    assert leakage.trained == []
    assert leakage.warnings == []


def test_training_frames_are_refused_and_listed():
    with pytest.raises(
        UserError, match=r"trained on 2 of the 3 frames .*\(000002, 000000\)\. .*--allow-training"
    ):
        check_leakage(
            card_trained_on(SYNTHETIC, KITTI), "kitti2015", "training", ["000002", "000004", "000000"]
        )


def test_allowed_training_frames_are_reported():
    leakage = check_leakage(card_trained_on(KITTI), "kitti2015", "training", ["000001", "000004"], allow=True)
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
    with pytest.raises(UserError, match=r"drives of 2 of the 4 frames .*\(2011_09_26_drive_0002_sync\)"):
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
    with pytest.raises(UserError, match="drives of 1 of the 1 frames"):
        check_leakage(card_trained_on(entry), "drivingstereo", "sunny", list(drives), drives=drives)


def test_kitti_2015_scenes_are_compared_by_drive_where_the_devkit_names_it():
    entry = {"name": "kitti_eigen", "split": "training", "drives": ["2011_09_26_drive_0005_sync"]}
    drives = {"000000": "2011_09_26_drive_0005_sync", "000004": "2011_09_26_drive_0009_sync"}
    with pytest.raises(UserError, match="drives of 1 of the 2 frames"):
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
