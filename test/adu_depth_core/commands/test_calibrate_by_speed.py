"""``adu_depth calibrate --truth speed`` in a corridor whose predicted depth is off by a known factor."""

import re

import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("openvino")
from corridor import CAMERA, HEIGHT, depth_at, message, texture_at

from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import ODOMETRY, camera_info_message, image_message, transforms_message
from adu_depth_core.bags.travel import TWISTS
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.cli import main
from adu_depth_core.commands.calibrate import REFUSED
from adu_depth_core.inference.camera_profile import read_profile
from adu_depth_core.inference.predictor import Predictor

SECOND = 1_000_000_000
HERTZ = 10
FAULT = 0.7
"""Predicted over true depth."""

FARTHEST = 31.0
"""Largest depth in metres that the student's red can encode, times ``FAULT``."""


@pytest.fixture(scope="module")
def write_corridor(color_student):
    """Writes a bag of a drive at 12 m/s; ``speeds`` (m/s) are what ``source`` reports."""
    predictor = Predictor(color_student, profile="none")
    grey = np.full((*CAMERA.size, 3), 102, np.uint8)
    unit = float(np.median(predictor.predict(grey, CAMERA).depth)) / np.exp(4 * 102 / 255)

    def image_at(forward):
        red = np.log(FAULT * np.minimum(depth_at(forward), FARTHEST) / unit) / 4
        assert 0 < red.min() < red.max() < 1
        texture = texture_at(forward)
        return np.stack([np.round(255 * red).astype(np.uint8), texture, np.full_like(texture, 130)], axis=-1)

    def write(path, source, speeds=None, metres_per_second=12.0, frames=20):
        speeds = np.full(frames, 12.0) if speeds is None else speeds
        told = np.concatenate([[0.0], np.cumsum(speeds[:-1]) / HERTZ])
        with BagWriter(path) as bag:
            for number in range(frames):
                stamp = SECOND + number * SECOND // HERTZ
                frame = topics.LEFT_FRAME
                bag.write(topics.LEFT_INFO, camera_info_message(CAMERA, stamp, frame), stamp)
                image = image_at(metres_per_second * number / HERTZ)
                bag.write(topics.LEFT_IMAGE, image_message(image, "rgb8", stamp, frame), stamp)
                write_motion(bag, source, stamp, told[number], speeds[number])
        return path

    return write


def write_motion(bag, source, stamp, x, speed):
    stamped = camera_info_message(CAMERA, stamp, "odom").header
    if source == "tf":
        pose = np.eye(4)
        pose[2, 3] = x
        bag.write("/tf", transforms_message([("odom", topics.LEFT_FRAME, pose)], stamp), stamp)
    elif source == "odometry":
        point = message("geometry_msgs/msg/Point", x=x)
        pose = message("geometry_msgs/msg/Pose", position=point)
        pose = message("geometry_msgs/msg/PoseWithCovariance", pose=pose)
        bag.write("/odom", message(ODOMETRY, header=stamped, child_frame_id="base", pose=pose), stamp)
    elif source == "twist":
        twist = message("geometry_msgs/msg/Twist", linear=message("geometry_msgs/msg/Vector3", x=speed))
        bag.write("/speed", message(TWISTS[0], header=stamped, twist=twist), stamp)


def calibrated(bag, out, model, *options):
    status = main(["calibrate", str(bag), "--out", str(out), "--model", str(model), "--name", "a", *options])
    return status, read_profile(out / "a.profile.json") if status == 0 else None


@pytest.mark.parametrize("source", ["tf", "odometry", "twist"])
def test_the_factor_is_found_by_every_kind_of_motion(write_corridor, color_student, tmp_path, capsys, source):
    """No truth is given: the bag has nothing better."""
    bag = write_corridor(tmp_path / "bag", source)
    status, profile = calibrated(bag, tmp_path / "out", color_student)
    assert status == 0
    assert profile.correction.scale == pytest.approx(1 / FAULT, rel=0.05)
    assert profile.sigma_factor == 1.0
    assert profile.record["truth"] == "points tracked over the vehicle's motion"
    told = " ".join(capsys.readouterr().out.split())
    assert float(re.search(r"motion the camera is ([\d.]+) m", told)[1]) == pytest.approx(HEIGHT, rel=0.05)


def test_a_wrong_unit_is_refused_by_the_height_of_the_camera(write_corridor, color_student, tmp_path, capsys):
    """Miles per hour taken for kilometres per hour: nothing in the drive itself contradicts them."""
    bag = write_corridor(tmp_path / "bag", "twist", np.full(20, 12.0 * 1.609))
    status, _ = calibrated(
        bag, tmp_path / "out", color_student, "--truth", "speed", "--camera-height", f"{HEIGHT}"
    )
    assert status == REFUSED
    told = " ".join(capsys.readouterr().out.split())
    (implied,) = re.findall(r"no profile was written: by the vehicle's motion the camera is ([\d.]+) m", told)
    assert float(implied) == pytest.approx(HEIGHT * 1.609, rel=0.05)
    assert "by --camera-height 1.60 m: check the unit of the speed" in told
    assert list((tmp_path / "out").iterdir()) == []


def test_kilometres_an_hour_for_metres_a_second_need_no_tape(write_corridor, color_student, tmp_path, capsys):
    bag = write_corridor(tmp_path / "bag", "odometry", np.full(20, 12.0 * 3.6))
    assert calibrated(bag, tmp_path / "out", color_student)[0] == REFUSED
    assert "outside 0.8 to 3.5 m of road vehicles" in " ".join(capsys.readouterr().out.split())


def test_a_speed_that_changes_its_unit_on_the_way_is_refused(write_corridor, color_student, tmp_path, capsys):
    bag = write_corridor(
        tmp_path / "bag", "odometry", np.repeat([12.0 * FAULT / 1.6, 12.0 * FAULT * 1.6], 10)
    )
    assert calibrated(bag, tmp_path / "out", color_student)[0] == REFUSED
    assert "it does not help on the parts of the drive" in " ".join(capsys.readouterr().out.split())


def test_a_vehicle_that_stands_is_no_truth(write_corridor, color_student, tmp_path, capsys):
    bag = write_corridor(tmp_path / "bag", "odometry", np.zeros(20), metres_per_second=0.0)
    assert calibrated(bag, tmp_path / "out", color_student)[0] == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "an image 1 m on within a second" in told


def test_a_bag_without_motion_says_what_it_lacks(write_corridor, color_student, tmp_path, capsys):
    bag = write_corridor(tmp_path / "bag", "none", frames=2)
    assert calibrated(bag, tmp_path / "out", color_student, "--truth", "speed")[0] == 1
    assert "bag: no odometry, /tf or speed to calibrate with" in " ".join(capsys.readouterr().err.split())


def test_options_that_contradict_each_other(color_student, tmp_path, capsys):
    options = ["--truth", "lidar", "--speed-topic", "/odom"]
    assert calibrated(tmp_path, tmp_path / "out", color_student, *options)[0] == 2
    assert "--speed-topic is for --truth speed" in capsys.readouterr().err
