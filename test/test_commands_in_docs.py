"""Every command in the docs is run here, checked against its parser, or marked with a reason not to."""

import dataclasses
import re
import runpy
import shlex
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import doc_commands
import numpy as np
import pytest
from doc_commands import PAGES, ROOT
from PIL import Image

from adu_depth_core.cli import COMMANDS, main

NOT_COMMANDS = {
    "depth",
    "training",
    "--ros-args",
    "from",
    "calibration.json",
    "training/{image_2,image_3}/000000_10.png",
    "2011_09_26/calib_cam_to_cam.txt",
    "train-left-image/SEQUENCE/*.jpg",
}
"""First words of indented blocks without commands: formulas, files, Python, JSON."""

NOT_RUN = {
    "git": "needs the network, and a repository with an address",
    "cd": "changes the shell",
    ".": "changes the shell",
    "source": "changes the shell",
    "export": "changes the shell",
    "mkdir": "prepares a folder for what follows",
    "ln": "prepares a folder for what follows",
    "touch": "prepares a folder for what follows",
    "echo": "prepares a folder for what follows",
    "for": "needs the network: clones ROS 2's sources",
    "done": "needs the network: clones ROS 2's sources",
    "stub=$(python": "prepares a folder for what follows",
    "sudo": "changes the machine",
    "rosdep": "needs ROS 2",
    "colcon": "needs ROS 2",
    "grep": "makes a file of one in the repository",
    "docker": "needs a Docker daemon; test/test_containers.py checks the files",
    "journalctl": "needs the service to be installed",
    "rviz2": "needs ROS 2; test/adu_depth_ros/test_recipes.py checks the layout",
}
"""Reasons not to run other programs; they are checked by hand for each release (docs/releasing.md)."""

RUN_ELSEWHERE = {
    "adapt": "test/adu_depth_core/commands/test_adapt.py",
    "benchmark": "test/adu_depth_core/commands/test_benchmark.py",
    "build-engine": "test/adu_depth_core/commands/test_build_engine.py",
    "calibrate": "test/adu_depth_core/commands/test_calibrate.py",
    "compare-bags": "test/adu_depth_core/commands/test_compare_bags.py",
    "evaluate": "test/adu_depth_core/commands/test_evaluate.py",
    "evaluate-bag": "test/adu_depth_core/commands/test_evaluate_bag.py",
    "export": "test/adu_depth_core/commands/test_export.py",
    "extract": "test/adu_depth_core/commands/test_own_drives.py",
    "inspect-engine": "test/adu_depth_core/commands/test_build_engine.py",
    "make-bag": "test/adu_depth_core/commands/test_make_bag.py",
    "make-labels": "test/adu_depth_core/commands/test_make_labels.py",
    "predict": "test/adu_depth_core/commands/test_predict.py",
    "synth-drive": "test/adu_depth_core/commands/test_synth_drive.py",
    "train": "test/adu_depth_core/commands/test_own_drives.py",
}
"""Tests that run scaled-down versions of commands that need data, hours or a GPU."""

NEEDS_GPU = {"verify-engine"}
"""Commands whose options alone are checked."""

RUN = (
    "adu_depth doctor",
    "adu_depth models",
    "adu_depth synth-drive --help",
    "adu_depth predict photo.jpg --out out",
    "adu_depth evaluate-bag drive --out report",
    "adu_depth extract BAG --out DIR",
    "adu_depth make-labels DIR",
)
"""Commands that take seconds: run verbatim, on a photo and bags with these names."""

GENERATED = {"alone.yaml": "benchmarks/ablation.yaml"}
"""Recipes that a page derives from another."""


def first_word(block):
    return re.search(r"[^\s\"]+", block)[0]


def in_blocks():
    """Commands of all blocks except those in ``NOT_COMMANDS``."""
    found = []
    for page in PAGES:
        for block in doc_commands.blocks(page):
            if first_word(block) not in NOT_COMMANDS:
                found += doc_commands.commands(page, block)
    return list(dict.fromkeys(found))


ALL = in_blocks()


def of(program):
    return [command for command in ALL if command.program == program]


def unknown_option(run, capsys):
    """The parser's error for an appended unknown option: only that option may be named."""
    with pytest.raises(SystemExit) as exit_:
        run()
    assert exit_.value.code == 2
    return capsys.readouterr().err


def test_pages_have_commands_and_each_program_is_known():
    assert len(ALL) > 100
    known = {"adu_depth", "make", "pip", "python", "python3", "ros2", *NOT_RUN}
    assert [str(command) for command in ALL if command.program not in known] == []


def test_no_mark_is_left_over():
    used = {command.program for command in ALL}
    assert sorted(set(NOT_RUN) - used) == []
    firsts = {first_word(block) for page in PAGES for block in doc_commands.blocks(page)}
    assert sorted(NOT_COMMANDS - firsts) == []
    assert sorted(set(RUN_ELSEWHERE) - {command.words[1] for command in of("adu_depth")}) == []


@pytest.mark.parametrize("command", of("adu_depth"), ids=str)
def test_the_command_line_knows_every_option(command, capsys):
    if "--help" in command.words:
        pytest.skip("is run")
    words = [word.strip("[]") for word in command.words[1:]]  # optional ones
    message = unknown_option(lambda: main([*words, "--no-such-option"]), capsys)
    assert "unrecognized arguments: --no-such-option\n" in message


def spans():
    return list(dict.fromkeys(command for page in PAGES for command in doc_commands.inline(page)))


@pytest.mark.parametrize("command", spans(), ids=str)
def test_commands_within_sentences_have_options_that_there_are(command, capsys):
    name, *options = command.words[1:]
    if name.startswith("--") or name == "COMMAND":
        name, options = "doctor", []
    assert name in COMMANDS
    with pytest.raises(SystemExit):
        main([name, "--help"])
    help_text = capsys.readouterr().out
    flags = [option.partition("=")[0] for option in options if option.startswith("--")]
    assert [flag for flag in flags if not re.search(rf"{flag}\b", help_text)] == []


def test_each_adu_depth_command_is_run_somewhere():
    missing = {command.words[1] for command in of("adu_depth")} - set(RUN_ELSEWHERE) - NEEDS_GPU
    assert {f"adu_depth {name}" for name in missing} <= {" ".join(line.split()[:2]) for line in RUN}
    for name, test in RUN_ELSEWHERE.items():
        assert re.search(rf"[\"']{name}[\"']", (ROOT / test).read_text(encoding="utf-8")), (name, test)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, shipped_model):
    """A folder with the files that the commands of ``RUN`` name."""
    for package in ("openvino", "rosbags", "jinja2", "trimesh", "embreex"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("workplace")
    small = ["--size", "96x320", "--lidar-steps", "600", "--frames", "2", "--rate", "1"]
    assert main(["synth-drive", "--bag", str(folder / "drive"), *small, "--seed", "3"]) == 0
    shutil.copytree(folder / "drive", folder / "BAG")
    exif = Image.Exif()
    exif[0x8769] = {0xA405: 28}  # 35 mm equivalent focal length
    photo = np.full((240, 320, 3), 90, np.uint8)
    Image.fromarray(photo).save(folder / "photo.jpg", exif=exif)
    return folder


def test_cheap_commands_run_as_they_stand(workplace, monkeypatch, capsys):
    listed = {" ".join(command.words) for command in of("adu_depth")}
    assert [line for line in RUN if line not in listed] == []
    monkeypatch.chdir(workplace)
    for line in RUN:
        try:
            status = main(shlex.split(line)[1:])
        except SystemExit as exit_:  # help
            status = exit_.code
        assert status == 0, (line, capsys.readouterr().err)
    assert list(Path("out").rglob("*.png"))
    assert Path("report", "report.html").is_file()
    assert len(list(Path("DIR", "left").iterdir())) == 2


@pytest.mark.parametrize("command", [c for c in of("adu_depth") if c.words[1] == "train"], ids=str)
def test_recipes_and_their_entries_are_there(command):
    from adu_depth_core.training.config import load_config

    recipe, *rest = command.words[3:]
    overrides = [word for word in rest if re.match(r"[\w.]+=", word)]
    path = ROOT / GENERATED[recipe] if recipe in GENERATED else recipe
    config = load_config(str(path), overrides)
    assert config.out == dict(word.split("=", 1) for word in overrides)["out"]


@pytest.mark.parametrize("command", of("make"), ids=str)
def test_make_has_the_target(command):
    targets = re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert command.words[1] in targets


@pytest.mark.parametrize("command", of("pip"), ids=str)
def test_the_extras_are_there(command):
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    known = set(re.findall(r'^    "([\w-]+)": \[|^EXTRAS\["(\w+)"\]', setup, re.MULTILINE))
    named = re.findall(r"(?:\.|adu_depth)\[([^\]]+)\]", " ".join(command.words))
    assert set(",".join(named).split(",")) - {""} <= {name for pair in known for name in pair}


@pytest.mark.parametrize("command", of("python") + of("python3"), ids=str)
def test_scripts_and_modules_know_every_option(command, monkeypatch, capsys):
    start, *arguments = command.words[1:]
    if start == "-m" and arguments[0] in ("venv", "pytest"):
        pytest.skip("makes an environment, or runs the tests themselves")
    monkeypatch.setattr(sys, "argv", [start, *arguments, "--no-such-option"])
    try:
        if start == "-m":
            sys.argv = ["module", *arguments[1:], "--no-such-option"]
            message = unknown_option(lambda: runpy.run_module(arguments[0], run_name="__main__"), capsys)
        else:
            message = unknown_option(lambda: runpy.run_path(str(ROOT / start), run_name="__main__"), capsys)
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    assert "unrecognized arguments: --no-such-option\n" in message


ROS_NEEDED = {"bag", "node", "lifecycle", "topic"}
"""Verbs of ROS tools whose arguments do not involve this package."""

OF_OTHERS = {"image_proc", "depth_image_proc", "foxglove_bridge"}
"""Third-party packages that are run or launched."""

SERVICES = {"/depth_node/reload", "/depth_node/save_frame"}


@pytest.mark.parametrize("command", of("ros2"), ids=str)
def test_ros_commands_name_what_there_is(command):
    """Launch files, their arguments, parameters, services; test_launch.py runs them where ROS 2 is."""
    parameters = {field.name for field in dataclasses.fields(ros_parameters())}
    verb, *rest = command.words[1:]
    if verb in ROS_NEEDED or OF_OTHERS & set(rest):
        pytest.skip("needs ROS 2; nothing of ours is in its arguments")
    if verb == "param":
        assert rest[0] == "list" or rest[2] in parameters
    elif verb == "service":
        assert rest[1] in SERVICES
    elif verb == "launch":
        assert rest[0] == "adu_depth"
        declared, files = set(), [rest[1]]
        if rest[1] != "depth_image_proc.launch.py":  # the others also accept the node's arguments
            declared, files = parameters | {"use_sim_time"}, {rest[1], "depth.launch.py"}
        for name in files:
            text = (ROOT / "launch" / name).read_text(encoding="utf-8")
            declared |= set(re.findall(r"DeclareLaunchArgument\(\s*\"(\w+)\"", text))
        assert {word.partition(":=")[0] for word in rest[2:] if ":=" in word} <= declared
    else:
        assert (verb, rest[0]) == ("run", "adu_depth")
        assert rest[1] in ("depth_node", "adu_depth")
        if rest[1] == "adu_depth":
            assert rest[2] in COMMANDS
        set_ = [word.partition(":=")[0] for flag, word in pairwise(rest) if flag == "-p"]
        assert set(set_) <= parameters


def ros_parameters():
    pytest.importorskip("rclpy")
    from adu_depth_ros.parameters import Parameters

    return Parameters
