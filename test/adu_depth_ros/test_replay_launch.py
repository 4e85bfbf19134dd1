"""The replay launch file with the real ``launch``; runs where ROS 2 is installed."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS installation")
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.utilities import perform_substitutions

LAUNCH_FILE = Path(__file__).resolve().parents[2] / "launch" / "replay.launch.py"
GIVEN = {
    "bag": "drive",
    "image": "/rgb",
    "rate": "0.5",
    "delay": "3.0",
    "loop": "false",
    "record": "",
    "namespace": "",
}


@pytest.fixture(scope="module")
def replay():
    spec = importlib.util.spec_from_file_location("replay_launch", LAUNCH_FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(replay, monkeypatch):
    """Command lines of player and recorder, with and without rosbag2."""

    def of(rosbag2=True, **given):
        monkeypatch.setattr(replay, "has_rosbag2", lambda: rosbag2)
        context = LaunchContext()
        context.launch_configurations.update(GIVEN | given)
        processes = [a for a in replay.bag_processes(context) if isinstance(a, ExecuteProcess)]
        return [" ".join(perform_substitutions(context, part) for part in p.cmd) for p in processes]

    return of


def test_the_bag_is_played_on_its_own_clock(commands):
    assert commands() == ["ros2 bag play drive --clock --rate 0.5 --delay 3.0"]
    assert commands(loop="true") == ["ros2 bag play drive --clock --rate 0.5 --delay 3.0 --loop"]


def test_what_the_node_says_is_recorded_on_request(commands):
    _, recorder = commands(record="live", namespace="front")
    assert recorder == (
        "ros2 bag record --use-sim-time -o live --topics /front/depth/image /front/depth/camera_info "
        "/front/uncertainty/image"
    )


def test_without_rosbag2_the_player_and_the_recorder_of_this_package_do_it(commands):
    player, recorder = commands(rosbag2=False, record="live")
    assert player == (
        f"{sys.executable} -m adu_depth_ros.bag_player drive --clock --rate 0.5 --wait-for /rgb"
    )
    assert recorder == (
        f"{sys.executable} -m adu_depth_ros.bag_recorder --out live /depth/image /depth/camera_info "
        "/uncertainty/image"
    )
    with pytest.raises(RuntimeError, match="rosbag2"):
        commands(rosbag2=False, loop="true")


def test_only_the_bag_must_be_given(replay):
    arguments = [
        a for a in replay.generate_launch_description().entities if isinstance(a, DeclareLaunchArgument)
    ]
    assert [a.name for a in arguments if a.default_value is None] == ["bag"]
    assert all(a.description for a in arguments)


def test_the_arguments_are_listed_with_those_of_the_node():
    try:
        get_package_prefix("adu_depth")
    except PackageNotFoundError:
        pytest.skip("adu_depth is not installed where ROS looks; build it with colcon, source its setup.bash")
    command = [shutil.which("ros2"), "launch", str(LAUNCH_FILE), "--show-args"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    for argument in ("'bag'", "'rviz'", "'record'", "'max_relative_sigma'"):
        assert argument in result.stdout
