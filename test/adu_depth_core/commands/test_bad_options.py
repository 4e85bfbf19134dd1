"""Invalid option values: one line that names the option or file, status 2 or 1, no traceback."""

import argparse
import contextlib
import math
import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rosbags")
pytest.importorskip("jinja2")
pytest.importorskip("trimesh")
pytest.importorskip("embreex")
from adu_depth_core.cli import COMMANDS, _parser, main
from adu_depth_core.commands.number_arguments import number, whole_number
from adu_depth_core.inference.installed_models import find_model

RANGES = {"--baseline", "--camera-height", "--fov", "--pitch", "--roll", "--yaw"}
"""Options of synth-drive with ranges to sample from; limits apply to the samples."""

MAY_BE_NEGATIVE = {"--cx", "--cy", "--offset", *RANGES}
"""A principal point may lie outside of the image, and a bag may have been recorded before another."""


MAY_BE_ZERO = {
    *("make-bag --start-time", "evaluate-bag --tolerance", "extract --tolerance", "extract --min-motion"),
    *("compare-bags --tolerance", "benchmark --warm-up", "build-engine --dla-core", "train --workers"),
    *("calibrate --tolerance", "adapt --tolerance", "adapt --workers"),
    *("synth-drive --seed", "synth-drive --lidar-noise"),
    *(f"{name} --gpu" for name in COMMANDS),
}


def typed_options() -> list[tuple[str, argparse.Action]]:
    """Every option of every command whose value is more than free text, a path or a model name."""
    found = []
    for command in COMMANDS:
        (subparsers,) = (a for a in _parser(command)._actions if isinstance(a, argparse._SubParsersAction))
        for action in subparsers.choices[command]._actions:
            if action.option_strings and action.type not in (None, str, Path, find_model):
                found.append(pytest.param(command, action, id=f"{command} {action.option_strings[0]}"))
    return found


def test_the_options_of_all_commands_are_found():
    names = {param.id for param in typed_options()}
    assert {"make-bag --rate", "synth-drive --size", "train --devices", "build-engine --batch"} <= names


@pytest.mark.parametrize(("command", "action"), typed_options())
def test_a_value_that_is_no_number_in_range_is_refused_by_the_option(command, action, capsys):
    option = action.option_strings[0]
    bad = ["nan", "inf", "-inf", "1e999", "x", "", "1_0x", "\u00b2"]
    if option not in MAY_BE_NEGATIVE:
        bad += ["-1"] if f"{command} {option}" in MAY_BE_ZERO else ["-1", "0", "0x0"]
    for value in bad:
        words = [value] * (action.nargs if isinstance(action.nargs, int) else 1)
        values = [f"{option}={words[0]}"] if len(words) == 1 else [option, *words]
        with pytest.raises(SystemExit) as exit_:
            main([command, *values])
        assert exit_.value.code == 2, value
        error = capsys.readouterr().err.splitlines()[-1]
        assert option in error or "expected" in error, error


TEXTS = st.one_of(
    st.text(max_size=8), st.floats().map(str), st.integers().map(str), st.from_regex(r"[-+0-9a-fxE.]{0,6}")
)


@given(TEXTS)
def test_whatever_is_read_as_a_number_lies_within_the_limits(text):
    for read, low, high in ((number(above=0, most=9), 0, 9), (whole_number(-3, 5), -3, 5)):
        with contextlib.suppress(argparse.ArgumentTypeError):
            value = read(text)
            assert low <= value <= high
            assert math.isfinite(value)


@pytest.fixture
def kitti(tmp_path):
    """A folder of two frames in KITTI's odometry layout."""
    folder = tmp_path / "kitti"
    (folder / "image_2").mkdir(parents=True)
    for index in range(2):
        cv2.imwrite(str(folder / "image_2" / f"{index:06d}.png"), np.zeros((4, 8, 3), np.uint8))
    (folder / "calib.txt").write_text("P2: 50 0 3.5 0 0 50 1.5 0 0 0 1 0\n")
    (folder / "times.txt").write_text("0.0\n0.1\n")
    return folder


SMALL = ("--frames", "1", "--size", "32x48", "--lidar-beams", "4", "--lidar-steps", "8")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        ("make-bag KITTI --out OUT --start-time=inf", 2, "--start-time"),
        ("make-bag KITTI --out OUT --start-time=2147483647.95", 1, "ROS's stamps end at 2147483648 s"),
        ("make-bag KITTI --out OUT --rate=1e-12", 2, "--rate"),
        ("make-bag KITTI --out OUT --rate=1e-9 --start-time=1500000000", 1, "choose another rate"),
        ("make-bag KITTI --out FILE/bag", 1, "cannot be written"),
        ("synth-drive --out OUT --rate=1e-9", 2, "1800 s at most"),
        ("synth-drive --out OUT --frames=100000", 2, "1800 s at most"),
        ("synth-drive --out OUT --size=100000x100000", 2, "pixels"),
        ("synth-drive --bag FILE/bag", 1, "cannot be written"),
        ("synth-drive --out OUT --lidar-steps=1000000000000 --bag OUT", 2, "--lidar-steps"),
        ("extract KITTI --out FILE/data", 1, "FILE cannot be written"),
        ("evaluate-bag KITTI --out FILE/judged --model none.onnx", 1, "FILE cannot be written"),
        ("evaluate-bag KITTI --out OUT --fail-if wrong>1", 2, "unknown metric 'wrong'"),
        ("evaluate-bag KITTI --out OUT --fail-if abs_rel", 2, "is not a condition"),
        ("make-labels KITTI", 1, "is not the calibration of a stereo folder"),
        ("make-labels KITTI --dataset kitti2015", 2, "--out is missing"),
        ("train student FILE root=x", 1, "is not UTF-8 text"),
        ("predict KITTI --out OUT", 2, "metric depth needs the camera's focal length"),
        ("predict KITTI --out FILE/x --focal 50", 1, "FILE/x cannot be written"),
        ("evaluate --dataset kitti2015 --root KITTI --json FILE/x.json", 1, "FILE cannot be written"),
        ("benchmark none.onnx --json FILE/x.json", 1, "FILE cannot be written"),
        ("export --out FILE/x.onnx", 1, "FILE cannot be written"),
        ("build-engine --onnx none.onnx --out FILE/x.engine", 1, "FILE cannot be written"),
        ("compare-bags KITTI KITTI", 1, "KITTI"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, status, text, kitti, tmp_path, capsys):
    if arguments.startswith("train"):
        pytest.importorskip("lightning")
    # Latin-1, not UTF-8.
    (tmp_path / "file").write_bytes(b"encoder: \xe4\n")
    places = {"KITTI": str(kitti), "OUT": str(tmp_path / "out"), "FILE": str(tmp_path / "file")}
    words = []
    for word in arguments.split():
        for name, place in places.items():
            word = word.replace(name, place)
        words.append(word)
    try:
        found = main(words)
    except SystemExit as error:
        found = error.code
    told = capsys.readouterr().err.splitlines()[-1] if text != MISSING else capsys.readouterr().err
    assert found == status
    assert "error: " in told
    for name, place in places.items():
        told = told.replace(place, name)
    assert text in told
    assert not (tmp_path / "out").exists()


MISSING = "metric depth needs the camera's focal length"  # lists the alternatives, one a line


def test_times_that_are_no_numbers_are_named(kitti, tmp_path, capsys):
    for text in ("inf", "nan", "1e400", "x"):
        (kitti / "times.txt").write_text(f"0\n{text}\n")
        assert main(["make-bag", str(kitti), "--out", str(tmp_path / "bag")]) == 1
        assert "times.txt:2" in capsys.readouterr().err
    (kitti / "times.txt").write_bytes(b"0\n\xff\n")
    assert main(["make-bag", str(kitti), "--out", str(tmp_path / "bag")]) == 1
    assert "times.txt is not UTF-8 text" in capsys.readouterr().err


def command_line(*arguments: str, before: str = "", **limits) -> subprocess.CompletedProcess:
    """Runs the command in a subprocess, after the statements ``before``."""
    code = f"{before}\nimport sys\nfrom adu_depth_core.cli import main\nsys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, **limits
    )


def refused_in_one_line(process: subprocess.CompletedProcess, text: str) -> None:
    assert process.returncode == 1, process.stderr
    assert "Traceback" not in process.stderr
    (line,) = (line for line in process.stderr.splitlines() if line.startswith("adu_depth: error: "))
    assert text in line


def full_disk() -> None:
    """Simulates a full disk: no file can grow beyond 200 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


@pytest.mark.parametrize("arguments", ["--out OUT", "--bag OUT"])
def test_a_full_disk_ends_a_synthetic_drive_with_one_line(arguments, tmp_path):
    words = arguments.replace("OUT", str(tmp_path / "out")).split()
    process = command_line("synth-drive", *words, *SMALL, preexec_fn=full_disk)
    refused_in_one_line(process, "out")


def test_a_full_disk_ends_making_a_bag_with_one_line_and_leaves_nothing(kitti, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 80, 3), np.uint8)
    for index in range(2):
        cv2.imwrite(str(kitti / "image_2" / f"{index:06d}.png"), noise)
    process = command_line("make-bag", str(kitti), "--out", str(tmp_path / "bag"), preexec_fn=full_disk)
    refused_in_one_line(process, "bag cannot be written: File too large; make room")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kitti"]


def test_a_full_disk_ends_an_export_with_one_line(shipped_model, tmp_path):
    for module in ("onnx", "onnxslim", "onnxruntime"):
        pytest.importorskip(module)
    out = tmp_path / "out.onnx"
    # Without weights next to it, so that torch need not be imported.
    model = tmp_path / "student.onnx"
    model.write_bytes(shipped_model.read_bytes())
    card = shipped_model.with_suffix(".json").read_text(encoding="utf-8")
    model.with_suffix(".json").write_text(card.replace("adu_student.onnx", "student.onnx"), encoding="utf-8")
    process = command_line(
        "export", "--model", str(model), "--size", "64x96", "--out", str(out), preexec_fn=full_disk
    )
    refused_in_one_line(process, "out.onnx cannot be written: File too large")
    assert not out.exists()


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("trimesh", "synth-drive --bag OUT", "synthetic"),
        ("embreex", "synth-drive --bag OUT", "synthetic"),
        ("rosbags", "make-bag X --out OUT", "bags"),
        ("jinja2", "evaluate-bag X --out OUT", "bags"),
        ("lightning", "train student kitti2015_small", "train"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_its_extra(missing, arguments, extra, tmp_path):
    if missing == "lightning":
        pytest.importorskip("timm")
    words = arguments.replace("OUT", str(tmp_path / "out")).split()
    words += SMALL if words[0] == "synth-drive" else ()
    modules = {missing: None} | ({"markupsafe": None} if missing == "jinja2" else {})
    process = command_line(*words, before=f"import sys\nsys.modules.update({modules})")
    refused_in_one_line(process, f"pip install 'adu_depth[{extra}]'")
    assert missing in process.stderr


def test_a_reader_that_has_enough_is_no_error(kitti):
    code = "import sys\nfrom adu_depth_core.cli import main\nsys.exit(main(sys.argv[1:]))"
    process = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "$0" evaluate --help | true', code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in process.stderr
