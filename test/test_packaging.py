"""The package as installed by pip: complete in any location, with the licences of both parts."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import setuptools

from adu_depth_core.inference.installed_models import model_names

ROOT = Path(__file__).resolve().parent.parent

FIND_FILES = f"""
from adu_depth_core.files import share_directory
from adu_depth_core.inference.installed_models import find_model, model_names
from adu_depth_core.model_card import read_card
share = share_directory()
for name in model_names():
    read_card(find_model(name))  # compares the checksum
assert (share / "config" / "training" / "kitti2015_small.yaml").is_file()
assert (share / "launch" / "depth.launch.py").is_file()
assert model_names() == {model_names()}
print(share)
"""


def run(*command: str, **environment: str) -> str:
    """Standard output of a command that must succeed, run where no checkout is importable."""
    result = subprocess.run(
        command,
        cwd=environment.pop("cwd", "/"),
        env={**os.environ, "PYTHONPATH": "", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, because setuptools writes build files next to setup.py."""
    pytest.importorskip("pip")
    pytest.importorskip("wheel" if int(setuptools.__version__.split(".")[0]) < 71 else "setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    leave_out = shutil.ignore_patterns(".*", "build", "*.egg-info", "docs", "test", "demo", "runs", "*twin*")
    shutil.copytree(ROOT, folder / "source", ignore=leave_out)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", str(folder))
    run(sys.executable, "-m", "pip", "wheel", *options, str(folder / "source"))
    (path,) = folder.glob("*.whl")
    return path


def test_installed_into_a_folder_it_finds_its_files(wheel, tmp_path):
    options = ("--no-deps", "--no-index", "--no-compile", "-q", "--target", str(tmp_path / "place"))
    run(sys.executable, "-m", "pip", "install", *options, str(wheel))
    share = Path(run(sys.executable, "-c", FIND_FILES, PYTHONPATH=str(tmp_path / "place")).strip())
    assert share.is_relative_to(tmp_path)


def test_installed_for_a_user_it_finds_its_files(wheel, tmp_path):
    # A virtual environment has no user site: use its base Python, with the environment's packages.
    python = getattr(sys, "_base_executable", sys.executable)
    environment = {"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONUSERBASE": str(tmp_path)}
    options = ("--no-deps", "--no-index", "--no-compile", "-q", "--user", "--force-reinstall")
    pip = ("-m", "pip", "install", "--break-system-packages", *options, str(wheel))
    run(python, *pip, **environment)
    share = Path(run(python, "-c", FIND_FILES, **environment).strip())
    assert share.is_relative_to(tmp_path)


def test_the_wheel_holds_the_models_that_vehicles_run_and_no_others(wheel):
    """Complete students: ONNX, weights for the PyTorch backends, and card."""
    where = "adu_depth_core/share/models/"
    with zipfile.ZipFile(wheel) as archive:
        held = {name.removeprefix(where) for name in archive.namelist() if name.startswith(where)}
    students = [path.stem for path in (ROOT / "models").glob("*.onnx")]
    assert "adu_student" in students
    suffixes = ("onnx", "safetensors", "json")
    assert held == {"LICENSE.md", *(f"{name}.{suffix}" for name in students for suffix in suffixes)}


def test_a_source_archive_lists_the_same_models():
    lines = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
    assert lines.index("include models/*") < lines.index("exclude models/adu_teacher.*")
    stems = {kind: {path.stem for path in (ROOT / "models").glob(f"*.{kind}")} for kind in ("onnx", "json")}
    assert stems["json"] - stems["onnx"] == {"adu_teacher"}


def test_the_wheel_shows_type_checkers_that_both_packages_are_typed(wheel):
    with zipfile.ZipFile(wheel) as archive:
        assert {"adu_depth_core/py.typed", "adu_depth_ros/py.typed"} <= set(archive.namelist())


def test_the_wheel_has_what_ros_looks_for(wheel):
    with zipfile.ZipFile(wheel) as archive:
        data = {name.partition(".data/data/")[2] for name in archive.namelist()}
    expected = (
        "package.xml",
        "LICENSE",
        "models/LICENSE.md",
        "launch/depth.launch.py",
        "config/depth_node.yaml",
    )
    assert {f"share/adu_depth/{name}" for name in expected} <= data
    assert "share/ament_index/resource_index/packages/adu_depth" in data


def test_the_wheel_names_both_licences_and_holds_their_texts(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
        held = {name.partition(".dist-info/")[2] for name in archive.namelist()}
    field = "License-Expression" if int(setuptools.__version__.split(".")[0]) >= 77 else "License"
    assert f"{field}: Apache-2.0 AND LicenseRef-ADU-Depth-Weights\n" in text
    assert {"License-File: LICENSE", "License-File: models/LICENSE.md"} <= set(text.splitlines())
    assert {"LICENSE", "LICENSE.md"} <= {Path(name).name for name in held}


def test_the_manifest_names_both_licences_and_their_files():
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    licences = {licence.text: licence.get("file") for licence in package.findall("license")}
    assert licences == {"Apache-2.0": "LICENSE", "LicenseRef-ADU-Depth-Weights": "models/LICENSE.md"}
    assert all((ROOT / file).is_file() for file in licences.values())


SLOW_START = "import sys, time; print('starting', file=sys.stderr, flush=True); time.sleep(0.7)"
"""A slow ``sitecustomize``, imported before any of our code, to be interrupted there."""


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> Path:
    """The folder with the programs as installed by pip; Python starts slowly there."""
    place = tmp_path_factory.mktemp("programs")
    options = ("--no-deps", "--no-index", "--no-compile", "-q", "--target", str(place))
    run(sys.executable, "-m", "pip", "install", *options, str(wheel))
    (place / "sitecustomize.py").write_text(SLOW_START)
    return place / "bin"


def interrupted_at_start(program: Path, number: int, **environment: str) -> tuple[int, str]:
    """Exit status and stderr of ``program --help`` when signalled during Python's startup."""
    process = subprocess.Popen(
        [str(program), "--help"],
        env={**os.environ, "PYTHONPATH": str(program.resolve().parents[1]), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline() == "starting\n"
    process.send_signal(number)
    _, text = process.communicate(timeout=30)
    return process.returncode, text


def test_an_interrupt_while_python_starts_waits_for_the_program(programs):
    assert interrupted_at_start(programs / "adu_depth", signal.SIGINT) == (130, "adu_depth: interrupted\n")
    status, text = interrupted_at_start(programs / "adu_depth-unguarded", signal.SIGINT)
    assert status != 130 or "Traceback" in text  # the reason for the guard


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_so_does_a_signal_to_the_node(programs, number, status):
    assert interrupted_at_start(programs / "depth_node", number) == (status, "")


def test_a_termination_ends_a_command(programs):
    assert interrupted_at_start(programs / "adu_depth", signal.SIGTERM) == (-signal.SIGTERM, "")


def test_a_link_finds_its_program(programs, tmp_path):
    (tmp_path / "linked").symlink_to(programs / "adu_depth")
    assert interrupted_at_start(tmp_path / "linked", signal.SIGINT)[0] == 130


def test_without_the_means_to_hold_signals_back_the_program_starts_all_the_same(programs, tmp_path):
    env = tmp_path / "env"
    env.write_text("#!/bin/sh\nexit 125\n")
    env.chmod(0o755)
    environment = {"PYTHONPATH": str(programs.parent), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert "adu_depth" in run(str(programs / "adu_depth"), "--version", **environment)


def test_both_programs_start_alike():
    texts = {(ROOT / "scripts" / name).read_text() for name in ("adu_depth", "depth_node")}
    assert len(texts) == 1


def test_only_what_asks_for_onnxruntime_brings_it(wheel):
    """It contains the same files as onnxruntime-gpu: the one installed later overwrites the other."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        wanted = re.findall(r'^Requires-Dist: (.*?); extra == "(.*)"', archive.read(metadata).decode(), re.M)
    extras = {extra for package, extra in wanted if re.match(r"onnxruntime[>=]", package)}
    assert extras == {"onnxruntime", "test"}
    assert {extra for package, extra in wanted if package.startswith("onnxruntime-gpu")} == {
        "onnxruntime-cuda"
    }
    assert ("cuda-python>=12.9.1", "tensorrt") in wanted
