"""``adu_depth calibrate`` on bags and images whose truth deviates by a known law from a student's output."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("openvino")
from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.cli import main
from adu_depth_core.commands.calibrate import REFUSED
from adu_depth_core.inference.camera_profile import read_profile
from adu_depth_core.inference.predictor import Predictor

CAMERA = Camera(300.0, 300.0, 90.0, 30.0, 192, 64)
RATE_NS = 1_000_000_000


def picture(number):
    """An image whose red encodes depths from 3 to 40 m, and whose blue encodes a sigma."""
    rng = np.random.default_rng(number)
    image = np.zeros((64, 192, 3), np.uint8)
    image[..., 0] = cv2.resize(rng.integers(60, 240, (4, 8), np.uint8), (192, 64))
    image[..., 2] = 150
    return image


@pytest.fixture(scope="module")
def write_drive(color_student):
    """Writes a bag of 24 s whose true depth is ``change(student's depth, frame number)``."""
    predictor = Predictor(color_student, profile="none")

    def write(path, change, camera=CAMERA, noise=0.05, frames=24):
        rng = np.random.default_rng(1)
        with BagWriter(path) as bag:
            for number in range(frames):
                stamp = RATE_NS * (number + 1)
                image = picture(number)
                depth = predictor.predict(image, camera).depth
                depth = change(depth, number) * np.exp(rng.laplace(0, noise, depth.shape))
                frame = topics.LEFT_FRAME
                bag.write(topics.LEFT_INFO, camera_info_message(camera, stamp, frame), stamp)
                bag.write(topics.LEFT_IMAGE, image_message(image, "rgb8", stamp, frame), stamp)
                truth = image_message(depth.astype(np.float32), "32FC1", stamp, frame)
                bag.write(topics.LEFT_DEPTH, truth, stamp)
        return path

    return write


@pytest.fixture(scope="module")
def far_drive(write_drive, tmp_path_factory):
    """Everything is 25 % farther than predicted."""
    return write_drive(tmp_path_factory.mktemp("bags") / "far", lambda depth, number: 1.25 * depth)


@pytest.fixture(scope="module")
def profile(far_drive, color_student, tmp_path_factory):
    out = tmp_path_factory.mktemp("profile")
    command = ["calibrate", str(far_drive), "--out", str(out), "--model", str(color_student)]
    assert main([*command, "--name", "front"]) == 0
    return out / "front.profile.json"


def test_the_factor_is_found_with_a_picture_of_it(profile):
    found = read_profile(profile)
    assert found.correction.scale == pytest.approx(1.25, rel=0.01)
    assert found.correction.distance_exponent == 0
    assert found.camera == CAMERA
    assert found.record["before"]["scale"] == pytest.approx(0.8, rel=0.01)
    assert found.record["after"]["scale"] == pytest.approx(1.0, rel=0.01)
    assert found.record["truth"] == "depth images"
    assert found.record["command"].startswith("adu_depth calibrate")
    height, width = cv2.imread(str(profile.with_name("front.png"))).shape[:2]
    assert width == 1280
    assert height > 3 * 200  # three frames


def metrics_of(bag, out, model, *options):
    pytest.importorskip("jinja2")
    assert main(["evaluate-bag", str(bag), "--out", str(out), "--model", str(model), *options]) == 0
    (found,) = json.loads((out / "metrics.json").read_text())["models"]
    return found


def test_evaluate_bag_takes_the_profile(write_drive, profile, color_student, tmp_path):
    drive = write_drive(tmp_path / "other", lambda depth, number: 1.25 * depth, frames=12)
    plain = metrics_of(drive, tmp_path / "plain", color_student)
    better = metrics_of(drive, tmp_path / "better", color_student, "--profile", str(profile))
    assert plain["metrics"]["abs_rel"]["mean"] > 0.19
    assert better["metrics"]["abs_rel"]["mean"] < 0.06
    assert better["metrics"]["coverage_1sigma"]["mean"] == pytest.approx(0.683, abs=0.03)
    assert (plain["profiles"], better["profiles"]) == ([], ["front.profile.json"])
    assert "front.profile.json" in (tmp_path / "better" / "report.html").read_text()


def test_predict_names_the_profile_and_refuses_another_camera(profile, color_student, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "a.png"), picture(0)[..., ::-1])
    command = [
        "predict",
        str(tmp_path / "a.png"),
        "--out",
        str(tmp_path / "out"),
        "--model",
        str(color_student),
    ]
    command += ["--profile", str(profile)]
    assert main([*command, "--fx", "300", "--cx", "90", "--cy", "30"]) == 0
    assert f"camera profile: {profile}" in capsys.readouterr().out
    assert main([*command, "--focal", "500"]) == 1
    assert f"camera profile {profile} is of a camera with fx 300" in " ".join(capsys.readouterr().err.split())


def test_sigma_alone_is_mended(write_drive, color_student, tmp_path):
    """Its sigma is 1.25 * exp(-4 * 150 / 255) = 0.119 of depth, the noise's 68.3 % quantile 0.0575."""
    drive = write_drive(tmp_path / "right", lambda depth, number: depth)
    command = ["calibrate", str(drive), "--out", str(tmp_path), "--model", str(color_student)]
    assert main([*command, "--name", "sigma"]) == 0
    found = read_profile(tmp_path / "sigma.profile.json")
    assert found.sigma_factor == pytest.approx(0.0575 / 0.119, rel=0.05)
    assert found.correction.scale == 1.0


def test_what_does_not_help_writes_nothing(write_drive, color_student, tmp_path, capsys):
    """The student is right up to noise, and its sigma matches that noise."""
    drive = write_drive(tmp_path / "right", lambda depth, number: depth, noise=0.119 / 1.149)
    out = tmp_path / "profile"
    command = ["calibrate", str(drive), "--out", str(out), "--model", str(color_student)]
    assert main(command) == REFUSED
    assert "no profile was written: it does not help" in " ".join(capsys.readouterr().out.split())
    assert list(out.iterdir()) == []


def test_an_earlier_profile_is_not_overwritten_unasked(far_drive, profile, color_student, capsys):
    command = ["calibrate", str(far_drive), "--out", str(profile.parent), "--model", str(color_student)]
    before = profile.read_bytes()
    assert main([*command, "--name", "front"]) == 1
    assert "front.profile.json exists already: --overwrite replaces it" in capsys.readouterr().err
    assert profile.read_bytes() == before
    assert main([*command, "--name", "front", "--overwrite"]) == 0


def test_a_picture_with_measured_distances(color_student, tmp_path):
    image = picture(3)
    cv2.imwrite(str(tmp_path / "yard.png"), image[..., ::-1])
    camera = Camera(300.0, 300.0, 95.5, 31.5, 192, 64)
    depth = Predictor(color_student, profile="none").predict(image, camera).depth
    command = ["calibrate", str(tmp_path / "yard.png"), "--out", str(tmp_path), "--model", str(color_student)]
    command += ["--focal", "300", "--name", "yard"]
    for u, v, off in ((20, 10, 1.02), (80, 20, 0.98), (120, 40, 1.0), (170, 50, 1.01), (150, 12, 0.99)):
        ray = np.linalg.norm([(u - 95.5) / 300, (v - 31.5) / 300, 1])
        command += ["--distance", f"{u},{v}={0.7 * depth[v, u] * ray * off}"]
    assert main(command) == 0
    assert read_profile(tmp_path / "yard.profile.json").correction.scale == pytest.approx(0.7, rel=0.02)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--profile", "x.json"], "--profile cannot be used with calibrate"),
        (["--name", "a/b"], "must be a name without folders"),
        (["--focal", "300"], "--focal is for a picture"),
        (["--distance", "1,2=3"], "--distance is for one picture"),
        (["--camera-height", "165"], "0.8 to 3.5 m above the road; give metres: 165 centimetres are 1.65"),
        (["--camera-height", "5.4"], "5.4 feet are 1.65"),
        (["--camera-height", "65"], "65 inches are 1.65"),
        (["--camera-height", "0.165"], "--camera-height 0.165: cameras of road vehicles are"),
        (["--camera-height", "1.65", "--truth", "depth"], "leave out --camera-height or --truth depth"),
    ],
)
def test_options_that_make_no_sense(far_drive, color_student, tmp_path, capsys, options, told):
    command = ["calibrate", str(far_drive), "--out", str(tmp_path / "o"), "--model", str(color_student)]
    assert main([*command, *options]) == 2
    assert told in capsys.readouterr().err


def test_a_truth_in_another_unit_is_refused(write_drive, color_student, tmp_path, capsys):
    bag = write_drive(tmp_path / "feet", lambda depth, number: depth / 0.3048, frames=12)
    command = ["calibrate", str(bag), "--out", str(tmp_path / "o"), "--model", str(color_student)]
    assert main(command) == REFUSED
    told = capsys.readouterr().out
    assert "depth would be multiplied by 3.28" in told
    assert "check the unit of the ground truth, which must be metres" in told
    assert not list((tmp_path / "o").glob("*"))


def test_distances_in_centimetres_are_refused(color_student, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "yard.png"), picture(3)[..., ::-1])
    command = ["calibrate", str(tmp_path / "yard.png"), "--out", str(tmp_path), "--model", str(color_student)]
    command += ["--focal", "300", "--name", "yard"]
    for u, v, metres in ((20, 10, 1250), (80, 20, 820), (120, 40, 500), (170, 50, 710)):
        command += ["--distance", f"{u},{v}={metres}"]
    assert main(command) == 1
    assert "distance 20,10=1250 is beyond 80 m: give metres" in capsys.readouterr().err


def test_a_bag_without_truth_says_what_to_give(color_student, tmp_path, capsys):
    with BagWriter(tmp_path / "mono") as bag:
        bag.write(topics.LEFT_INFO, camera_info_message(CAMERA, 1, topics.LEFT_FRAME), 1)
        bag.write(topics.LEFT_IMAGE, image_message(picture(0), "rgb8", 1, topics.LEFT_FRAME), 1)
    command = [
        "calibrate",
        str(tmp_path / "mono"),
        "--out",
        str(tmp_path / "o"),
        "--model",
        str(color_student),
    ]
    assert main(command) == 1
    assert "give --camera-height, metres of the camera above the road" in capsys.readouterr().err
    assert main([*command, "--camera-height", "1.65"]) == 1
    told = capsys.readouterr().err
    assert "none of 1 images has a road in its prediction that agrees with the vertical edges" in told
    assert "Fewer than 10 images need such edges: record a minute of driving" in told
