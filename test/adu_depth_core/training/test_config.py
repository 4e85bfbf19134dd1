"""Training configuration: shipped files load, mistakes are named."""

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
    config = load_config(name, [f"{key}=data" for key in set(PLACEHOLDER.findall(text))] + ["out=runs/x"])
    assert config.out == "runs/x"
    assert sum(source.weight for source in config.sources) == pytest.approx(1.0)


def test_placeholders_and_overrides_are_filled_in():
    config = load_config("kitti2015_small", [*FILL, "steps=7", "learning_rate=1e-3"])
    assert config.sources[0].path == "data/kitti2015"
    assert config.validation.path == "data/kitti2015"
    assert (config.steps, config.learning_rate) == (7, 1e-3)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["root=data", "synthetic=drives"], "missing out"),
        (["synthetic=drives", "out=x"], "needs root="),
        ([*FILL, "learning_rat=1"], "unknown entry 'learning_rat'; did you mean 'learning_rate'"),
        ([*FILL, "steps=many"], "steps is 'many': must be a whole number"),
        ([*FILL, "learning_rate=fast"], "learning_rate is 'fast': must be a number"),
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


def test_an_unknown_name_lists_the_configurations_there_are():
    with pytest.raises(UserError, match="kitti2015_small"):
        load_config("no_such_recipe", [])
