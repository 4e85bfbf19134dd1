"""Dockerfiles, compose file and systemd unit: linted, and consistent with the package.

Images are not built here: that needs a Docker daemon, and the registries of the base images.
"""

import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from adu_depth_core.cli import main

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
DOCKERFILES = [DOCKER / "Dockerfile", DOCKER / "Dockerfile.jetson"]
UNIT = DOCKER / "adu_depth.service"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))

OF_ROSDEP = {"numpy": "python3-numpy", "opencv-python-headless": "python3-opencv", "pillow": "python3-pil"}
"""rosdep keys of pip packages, where they differ from python3-NAME."""

TOOLS = {"python3-venv", "python3-colcon-common-extensions", "python3-rosdep", "ca-certificates", "curl"}
"""Debian packages that build the image but are not dependencies."""


def tool(name: str) -> str:
    """A program in the test environment, such as a linter from PyPI."""
    path = Path(sysconfig.get_path("scripts"), name)
    if not path.exists():
        pytest.skip(f"needs {name}, of the extra test")
    return str(path)


def instructions(path: Path) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile with its arguments on one line."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word]


def shell_commands(path: Path) -> list[list[str]]:
    """Words of the commands in the RUN instructions of a Dockerfile."""
    found = []
    for word, rest in instructions(path):
        if word == "RUN":
            found += [shlex.split(part) for part in re.split(r"&&|;;|\bin\b|\besac\b", rest)]
    return [words for words in found if words]


def of_setup(expression: str) -> Any:
    """A value in setup.py, with the arguments of ``setup`` as ``given``."""
    code = (
        "import json, runpy, setuptools; given = {}; setuptools.setup = lambda **all: given.update(all); "
        f"found = runpy.run_path('setup.py'); print(json.dumps({expression}))"
    )
    command = [sys.executable, "-c", code]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def extras() -> dict[str, list[str]]:
    """Requirements by extra; those of the package itself under ""."""
    return of_setup("{'': given['install_requires'], **given['extras_require']}")


def rosdep_keys() -> set[str]:
    return {tag.text for tag in ElementTree.parse(ROOT / "package.xml").iter("exec_depend")}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path):
    command = [tool("hadolint"), "--config", str(DOCKER / "hadolint.yaml"), str(path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_compose_file_is_one():
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run([*command, str(DOCKER / "compose.yaml")], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_all_that_is_installed_is_copied(path):
    copied = set()
    for word, rest in instructions(path):
        if word == "COPY":
            *sources, target = [part for part in rest.split() if not part.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists(), rest
            if target.startswith("src/adu_depth/"):
                copied |= set(sources)
    needed = {name.partition("/")[0] for name in of_setup("found['ROS_FILES'] + found['MODELS']")}
    needed |= {"adu_depth_core", "adu_depth_ros", "scripts", "resource", "setup.py", "setup.cfg", "README.md"}
    assert copied == needed


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_python_packages_are_those_of_setup_py(path):
    """With the package's lower bounds; an upper bound is the image's own."""
    known = {requirement for listed in extras().values() for requirement in listed}
    bounds = {re.match(r"[\w-]+", requirement)[0]: requirement for requirement in known}
    named = re.findall(r'"([a-zA-Z][\w-]+[<>][^"]*)"', " ".join(rest for _, rest in instructions(path)))
    for words in shell_commands(path):
        if words[:2] == ["pip", "install"]:
            named += [word for word in words[2:] if re.fullmatch(r"[a-z]\w+", word)]
    assert {"rosbags>=0.11", "mcap>=1.2", "lz4"} <= set(named)
    for requirement in named:
        name, lower = re.match(r"([\w-]+)((?:>=[\d.]+)?)", requirement).groups()
        assert name in bounds, requirement
        if lower:
            assert (name + lower) in known, requirement
        else:
            assert bounds[name] == name or "<" in requirement, requirement


def test_what_rosdep_skips_comes_from_pip():
    (skipped,) = re.findall(
        r"--skip-keys\s+\"([^\"]+)\"", " ".join(rest for _, rest in instructions(DOCKERFILES[1]))
    )
    text = DOCKERFILES[1].read_text(encoding="utf-8")
    assert set(skipped.split()) <= rosdep_keys()
    for name in extras()[""]:
        name = re.match(r"[\w-]+", name)[0]
        key = OF_ROSDEP.get(name, f"python3-{name.lower().removeprefix('py')}")
        assert name == "setuptools" or (key in rosdep_keys() - set(skipped.split())) != (
            f'"{name}>=' in text
        ), name


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_debian_packages_are_tools_or_come_by_rosdep(path):
    for words in shell_commands(path):
        if words[:2] == ["apt-get", "install"]:
            packages = {word for word in words[2:] if not word.startswith("-")}
            ours = {name for name in packages - TOOLS if not name.startswith(("ros-$ROS_DISTRO-", "/tmp/"))}
            assert ours == set(), words
    assert any(words[0] == "rosdep" and words[1] == "install" for words in shell_commands(path))


def launched(words: list[str]) -> None:
    """Check that a container's command belongs to this package and that its arguments exist."""
    if words[:2] == ["sh", "-c"]:
        words = shlex.split(words[2].rpartition("||")[2])
    if words[0] == "adu_depth":
        with pytest.raises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as errors:
            main([*words[1:], "--no-such-option"])
        assert "unrecognized arguments: --no-such-option\n" in errors.getvalue()
    elif words[2] == "adu_depth":
        assert words[:2] == ["ros2", "launch"]
        text = "".join(
            (ROOT / "launch" / name).read_text(encoding="utf-8") for name in {words[3], "depth.launch.py"}
        )
        declared = set(re.findall(r"DeclareLaunchArgument\(\s*\"(\w+)\"", text))
        declared |= set(
            re.findall(r"^    (\w+): ", (ROOT / "config/depth_node.yaml").read_text(encoding="utf-8"), re.M)
        )
        assert {word.partition(":=")[0] for word in words[4:]} <= declared
    else:
        assert words[2] in ("foxglove_bridge",)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_command_of_an_image_is_one_of_ours(path):
    commands = [json.loads(rest) for word, rest in instructions(path) if word == "CMD"]
    assert len(commands) == 1
    launched(commands[0])


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_the_commands_of_the_demo_are_ours(service):
    launched(COMPOSE["services"][service]["command"])
    build = COMPOSE["services"][service]["build"]
    stages = re.findall(r"^FROM \S+ AS (\w+)", (ROOT / build["dockerfile"]).read_text(encoding="utf-8"), re.M)
    assert build["target"] in stages
    for volume in COMPOSE["services"][service].get("volumes", []):
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_systemd_accepts_the_unit():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    command = ["systemd-analyze", "verify", "--man=no", str(UNIT)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert UNIT.name not in result.stderr  # warnings; those about the machine's own units do not count


def unit_settings() -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in re.sub(r"\\\n\s*", " ", UNIT.read_text(encoding="utf-8")).splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return settings


def test_the_unit_starts_the_node_with_what_its_environment_says(tmp_path):
    """The command really runs, with a node that records its arguments."""
    for name in ("ros/setup.bash", "ws/install/local_setup.bash"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f'export SOURCED="$SOURCED {name}"\n', encoding="utf-8")
    node = tmp_path / "ws/install/adu_depth/lib/adu_depth/depth_node"
    node.parent.mkdir(parents=True)
    node.write_text('#!/bin/sh\nprintf "%s\\n" "$SOURCED" "$PATH" "$@"\n', encoding="utf-8")
    node.chmod(0o755)
    settings = unit_settings()
    defaults = dict(pair.split("=", 1) for line in settings["Environment"] for pair in line.split())
    assert defaults["ROS"].startswith("/opt/ros/")
    environment = defaults | {"ROS": str(tmp_path / "ros"), "ADU_DEPTH": str(tmp_path / "ws"), "PATH": "/bin"}
    command = [word.replace("$$", "$") for word in shlex.split(settings["ExecStart"][0])]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    sourced, path, *arguments = result.stdout.splitlines()
    assert sourced == " ros/setup.bash ws/install/local_setup.bash"
    assert path == f"{tmp_path}/ws/env/bin:/bin"
    assert arguments == [
        "--ros-args",
        "--params-file",
        "/etc/adu_depth/depth_node.yaml",
        "-r",
        "image:=/camera/image_rect",
        "-r",
        "image/compressed:=/camera/image_rect/compressed",
        "-r",
        "camera_info:=/camera/camera_info",
    ]


def test_the_unit_leaves_what_the_node_needs_and_takes_real_time():
    settings = unit_settings()
    assert not {"PrivateDevices", "PrivateIPC", "PrivateNetwork", "MemoryDenyWriteExecute"} & set(settings)
    assert settings["RestrictRealtime"] == ["yes"]
    assert settings["Restart"] == ["on-failure"]
    assert settings["StandardError"] == ["journal"]
