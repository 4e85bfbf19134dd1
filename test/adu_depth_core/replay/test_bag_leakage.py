from pathlib import Path

import pytest

pytest.importorskip("rosbags")
from adu_depth_core.bags.provenance import source_note
from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard
from adu_depth_core.replay.bag_leakage import BagLeakage

DATE = 1_764_000_000_123_456_789
SIMULATED = 4_200_000_000


def card(**training):
    return ModelCard("adu_student", "student", "none", 64, 192, 350.0, 0.5, 60.0, 1.2, training=training)


def trained_on(*scenes):
    return card(data=[{"name": "training", "scenes": list(scenes)}])


@pytest.mark.parametrize("bag", ["monday", "copy_of_monday"])
def test_a_dated_frame_is_known_under_every_name_of_its_bag(bag):
    leakage = BagLeakage("new", trained_on(f"monday_000007_{DATE}"))
    leakage.see(Path(bag), DATE + 1)
    with pytest.raises(UserError, match=f"model new was trained on frames of bag {bag} .*--allow-training"):
        leakage.see(Path(bag), DATE)


def test_simulated_time_is_the_same_in_every_drive_so_the_name_decides():
    leakage = BagLeakage("new", trained_on(f"street_3_000007_{SIMULATED}"))
    leakage.see(Path("street_4"), SIMULATED)
    with pytest.raises(UserError, match="street_3"):
        leakage.see(Path("street_3"), SIMULATED)


def test_training_frames_that_are_allowed_are_counted():
    leakage = BagLeakage("new", trained_on(f"monday_000007_{DATE}"), allow=True)
    for stamp in (DATE - 1, DATE, DATE + 1):
        leakage.see(Path("monday"), stamp)
    (warning,) = leakage.warnings()
    assert "trained on 1 of the 3 frames" in warning


def test_frames_that_sigma_was_fitted_on_are_told():
    entry = {"data": "stereo_folder", "scales": {f"tuesday_000000_{DATE}": 1.1, "tuesday_000009_5": 1.2}}
    leakage = BagLeakage("new", card(data=[{"name": "training", "scenes": []}], calibration=entry))
    leakage.see(Path("tuesday"), DATE)
    (warning,) = leakage.warnings()
    assert "fitted on 1 of the 1 frames" in warning


def test_scenes_of_other_data_sets_are_no_frames_of_bags():
    leakage = BagLeakage("new", trained_on("000008", "000008_10", "a_b_c"))
    leakage.see(Path("monday"), 10)
    assert not list(leakage.warnings())


def test_a_card_that_does_not_say_leaves_a_doubt():
    silent = BagLeakage("old", card())
    silent.see(Path("monday"), DATE)
    assert "does not say what it was trained on" in next(silent.warnings())
    unlisted = BagLeakage("old", card(data=[{"name": "monday"}, {"name": "tuesday"}]))
    unlisted.see(Path("monday"), DATE)
    (warning,) = unlisted.warnings()
    assert "trained on 'monday' but not on which frames" in warning


def test_a_bag_made_of_a_folder_that_was_trained_on_is_refused_under_any_name(tmp_path):
    note = source_note(tmp_path / "kitti_odometry_02", ["000000", "000001"])
    trained = card(data=[{"name": "kitti_odometry_02", "scenes": ["000001"]}])
    with pytest.raises(UserError, match=r"trained on 1 of the 2 frames to evaluate \(000001\)"):
        BagLeakage("new", trained).open_bag(note)
    allowed = BagLeakage("new", trained, allow=True)
    allowed.open_bag(note)
    assert "bag of kitti_odometry_02: model adu_student was trained on 1 of the 2" in next(allowed.warnings())


def test_a_bag_of_neighbouring_scenes_is_refused(tmp_path):
    note = source_note(tmp_path / "kitti2015" / "training", ["000014_10", "000014_11"])
    trained = card(data=[{"name": "kitti2015", "split": "training", "scenes": ["000015"]}])
    with pytest.raises(UserError, match="scenes 13 to 17"):
        BagLeakage("new", trained).open_bag(note)


def test_a_bag_of_unknown_recordings_leaves_a_doubt(tmp_path):
    leakage = BagLeakage("new", card(data=[{"name": "kitti2015", "split": "training", "scenes": ["000015"]}]))
    leakage.open_bag(source_note(tmp_path / "my_drive", ["0"]))
    assert "nor whether my_drive is of them" in next(leakage.warnings())


def test_a_bag_named_like_a_folder_that_was_trained_on_leaves_a_doubt():
    leakage = BagLeakage("new", card(data=[{"name": "kitti_odometry_02", "scenes": ["000001"]}]))
    leakage.see(Path("kitti_odometry_02"), DATE)
    assert "trained on 'kitti_odometry_02' but not on which frames of a bag" in next(leakage.warnings())
