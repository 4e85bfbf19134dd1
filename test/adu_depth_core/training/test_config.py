"""Training configuration: shipped files load, errors name the entry."""

import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.files import share_directory
from adu_depth_core.training.config import PLACEHOLDER, load_config

FILL = ["root=data", "synthetic=drives", "out=runs/x"]


@pytest.mark.parametrize(
    "name", sorted(p.stem for p in (share_directory() / "config" / "training").glob("*.yaml"))
)
def test_each_shipped_configuration_loads(name):
    text = (share_directory() / "config" / "training" / f"{name}.yaml").read_text(encoding="utf-8")
    values = {key: "64x96" if key.endswith("_size") else "data" for key in PLACEHOLDER.findall(text)}
    values |= {"start": "student.safetensors"} if "start" in values else {}
    config = load_config(name, [f"{key}={value}" for key, value in values.items()] + ["out=runs/x"])
    assert config.out == "runs/x"
    assert sum(source.weight for source in config.sources) == pytest.approx(1.0)


def test_placeholders_and_overrides_are_filled_in():
    config = load_config("kitti2015_small", [*FILL, "steps=7", "learning_rate=1e-3"])
    assert config.sources[0].path == "data/kitti2015"
    assert config.validation.path == "data/kitti2015"
    assert (config.steps, config.learning_rate) == (7, 1e-3)


@pytest.mark.parametrize(
    ("override", "weights"),
    [
        ([], share_directory() / "models" / "adu_student.safetensors"),
        (["initial_weights=none"], ""),
        (["initial_weights="], ""),
        (["initial_weights=mine.safetensors"], "mine.safetensors"),
        (["initial_weights=small"], share_directory() / "models" / "adu_student.safetensors"),
    ],
)
def test_own_drives_start_from_the_shipped_student_unless_told_otherwise(override, weights):
    assert load_config("own_drives", [*FILL, *override]).initial_weights == str(weights)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["root=data", "synthetic=drives"], "missing out"),
        (["synthetic=drives", "out=x"], "needs root="),
        ([*FILL, "learning_rat=1"], "unknown entry 'learning_rat'; did you mean 'learning_rate'"),
        ([*FILL, "steps=many"], "steps is 'many': must be a whole number"),
        ([*FILL, "learning_rate=fast"], "learning_rate is 'fast': must be a number"),
        ([*FILL, "initial_weights=huge"], "there is no installed model 'huge'"),
        ([*FILL, "steps"], "'steps' is not of the form key=value"),
    ],
)
def test_a_mistake_in_the_overrides_is_named(overrides, message):
    with pytest.raises(UserError, match=message):
        load_config("kitti2015_small", overrides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "expected entries"),
        ("steps: [1\n", "bad.yaml"),
        ("sources: [{kind: kiti2015, path: x, weight: 1}]\n", "kind 'kiti2015' is unknown"),
        ("sources: [{kind: kitti2015, path: x, weight: 0}]\n", "must be positive"),
        ("sources: [{kind: kitti2015, path: x, wieght: 1}]\n", "did you mean 'weight'"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, message):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        load_config(str(tmp_path / "bad.yaml"), [])


CALIBRATION = "{dataset: kitti2015, path: a, split: calibration}"


@pytest.mark.parametrize(
    ("text", "paths"),
    [(CALIBRATION, ["a"]), (f"[{CALIBRATION}, {{dataset: synthetic, path: b, split: all}}]", ["a", "b"])],
)
def test_frames_to_calibrate_on_may_be_of_one_rig_or_of_several(text, paths):
    config = load_config("kitti2015_small", [*FILL, f"calibration={text}"])
    assert [entry.path for entry in config.calibration] == paths


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("virtual_cameras.sizes=192x384", r"sizes is '192x384': must be a list of texts"),
        ("virtual_cameras.sizes=[192]", r"sizes is \[192\]: must be a list of texts"),
        ("virtual_cameras.sizes=[]", "sizes is empty"),
        ("virtual_cameras.sizes=[192x]", "'192x' is not of the form HEIGHTxWIDTH"),
        ("virtual_cameras.min_zoom=1.2", r"zoom is 1\.2 to 2: must be above 0 and include 1"),
        ("virtual_cameras.faults=4", "faults is 4: a share, 0 to 1"),
        ("virtual_cameras.yaw=-3", "yaw is -3: 0 to 45 degrees"),
        ("virtual_cameras={pitch: 3}", "virtual_cameras: missing sizes"),
        ("virtual_cameras=[192x384]", "expected entries of the form key: value"),
        ("edges=-1", "edges is -1: must not be negative"),
        ("teacher_predictions=some", "'some': choose live or cached"),
        ("teacher_answers=kept", "'teacher_answers' is now called 'teacher_predictions'"),
        ("distillation.feature=1", "cached teacher predictions hold no features"),
        ("teacher_predictions=live", "a live teacher sees no pairs under virtual_cameras"),
        ("calibration=[1]", "calibration is 1: expected entries"),
    ],
)
def test_a_mistake_in_what_students_for_any_camera_are_trained_with_is_named(override, message):
    with pytest.raises(UserError, match=message):
        load_config("any_camera", [*FILL, "teacher=x", override])


def test_an_unknown_name_lists_the_configurations_there_are():
    with pytest.raises(UserError, match="kitti2015_small"):
        load_config("no_such_recipe", [])
