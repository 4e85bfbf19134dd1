"""Criteria that distinguish two training runs."""

from adu_depth_core.training.resume import FREE, NO_EFFECT, differences

TRAINING = {
    "role": "student",
    "recipe": {"steps": 100, "log_every": 10},
    "data": [{"name": "kitti2015"}],
    "teacher": {"name": "adu_teacher", "files": {"teacher.safetensors": "a" * 64}},
}


def test_the_same_training_may_log_more_often():
    assert differences(TRAINING, {**TRAINING, "recipe": {"steps": 100, "log_every": 1}}, NO_EFFECT) == []


def test_a_run_may_be_given_more_time_but_twins_have_the_same():
    now = {**TRAINING, "recipe": {**TRAINING["recipe"], "max_hours": 8.0}}
    assert differences(TRAINING, now, FREE) == []
    assert differences(TRAINING, now, NO_EFFECT) == ["max_hours None, now 8.0"]


def test_networks_of_one_name_are_told_apart_by_their_files():
    other = {"name": "adu_teacher", "files": {"teacher.safetensors": "b" * 64}}
    assert differences(TRAINING, {**TRAINING, "teacher": other}, FREE) == [
        f"teacher adu_teacher ({'a' * 12}), now adu_teacher ({'b' * 12})"
    ]


def test_a_recipe_entry_and_the_data_are_named():
    now = {**TRAINING, "recipe": {"steps": 200, "log_every": 10}, "data": []}
    assert differences(TRAINING, now, FREE) == ["steps 100, now 200", "other data"]


def test_a_checkpoint_that_says_nothing_of_its_training_is_another():
    assert "role None, now student" in differences({}, TRAINING, FREE)
