"""``adu_depth train``: errors reported before anything is computed."""

import pytest

from adu_depth_core.cli import main

for package in ("torch", "timm", "lightning"):
    pytest.importorskip(package)

FILL = ["root=nowhere", "synthetic=nowhere"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["kitti2015_small", *FILL, "out=OUT", "step=3", "--workers", "0"],
        ["kitti2015_small", "--workers", "0", *FILL, "out=OUT", "step=3"],
        ["kitti2015_small", *FILL, "--workers", "0", "step=3", "--accelerator", "cpu", "out=OUT"],
    ],
)
def test_options_and_overrides_come_in_any_order_and_a_wrong_key_is_named(arguments, tmp_path, capsys):
    arguments = [text.replace("OUT", str(tmp_path / "out")) for text in arguments]
    assert main(["train", "student", *arguments]) == 1
    assert "unknown entry 'step'; did you mean 'steps'" in capsys.readouterr().err


def test_what_is_neither_option_nor_override_is_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["train", "student", "kitti2015_small", *FILL, "out=x", "--wrkers", "0"])
    assert exit_.value.code == 2
    assert "unrecognized arguments: --wrkers 0" in capsys.readouterr().err


def test_missing_data_is_named_before_anything_is_trained(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", "teacher", "kitti2015_small", *FILL, f"out={out}"]) == 1
    error = capsys.readouterr().err
    assert "nowhere/kitti2015" in error
    assert not list(out.glob("*"))
