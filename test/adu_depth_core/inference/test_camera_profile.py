"""A profile changes the output of its model for its camera only."""

import dataclasses
import json
import math

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.camera_profile import CameraProfile, ProfileMismatch, read_profile
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import read_card

CAMERA = Camera(300.0, 300.0, 90.0, 30.0, 192, 64)
NOVELTY = {"threshold": 3.0, "fault_threshold": 4.0, "sigma_growth": 1.0, "reference": 2.0}


@pytest.fixture
def profile(color_student):
    card = read_card(color_student)
    correction = DepthCorrection(math.log(1.5), 0.1, (-0.1, 0.0, 0.1), (0.2, 0.0, -0.2))
    return CameraProfile(card.name, card.files, CAMERA, correction, 0.5, NOVELTY, {"truth": "lidar"})


@pytest.fixture
def written(profile, tmp_path):
    profile.write(tmp_path / "mine.profile.json")
    return tmp_path / "mine.profile.json"


def test_a_profile_is_read_as_it_was_written(profile, written):
    assert read_profile(written) == profile


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "other"}, 'no "format"'),
        ({"format_version": 9}, "format_version is 9"),
        ({"sigma_factor": -1}, r"profile\.sigma_factor is -1"),
        ({"sigma_factor": True}, r"profile\.sigma_factor is True"),
        ({"novelty": {"threshold": 1}}, r"profile\.novelty lacks"),
        ({"camera": {"fx": 1}}, r"profile\.camera lacks"),
        ({"unknown": 1}, "unknown entries: unknown"),
        ({"model": {"name": "m", "files": {"a": "no hash"}}}, "SHA-256"),
    ],
)
def test_damage_is_named(written, change, told):
    content = json.loads(written.read_text())
    written.write_text(json.dumps({**content, **change}))
    with pytest.raises(UserError, match=f"mine.profile.json is not a camera profile: .*{told}"):
        read_profile(written)


@pytest.mark.parametrize(("slopes", "logs"), [([0.0, 0.0], [0.0, 0.0]), ([0.0, 0.1], [0.0])])
def test_rows_must_rise_and_have_a_value_each(written, slopes, logs):
    content = json.loads(written.read_text())
    content["correction"] |= {"row_slopes": slopes, "row_logs": logs}
    written.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"profile\.correction\.row_"):
        read_profile(written)


def test_a_camera_is_known_at_any_size_and_mirrored(profile):
    assert profile.is_of_camera(CAMERA)
    assert profile.is_of_camera(CAMERA.resize(384, 128))
    assert profile.is_of_camera(CAMERA.flip_horizontal())
    assert profile.is_of_camera(dataclasses.replace(CAMERA, fx=300.5))  # the same camera, recalibrated
    assert not profile.is_of_camera(dataclasses.replace(CAMERA, fx=310.0))
    assert not profile.is_of_camera(CAMERA.crop(0, 8, 192, 48))


def test_exports_and_engines_of_the_model_are_the_model(profile, color_student):
    card = read_card(color_student)
    export = dataclasses.replace(
        card, files={"other.onnx": "0" * 64}, extra={"source_files": profile.model_files}
    )
    assert profile.is_of_model(export)
    assert not profile.is_of_model(dataclasses.replace(export, extra={}))


def image():
    return np.random.default_rng(0).integers(0, 200, (64, 192, 3), np.uint8)


@pytest.mark.parametrize("output_size", ["image", "network"])
def test_depth_and_sigma_are_corrected(color_student, written, profile, output_size):
    pytest.importorskip("openvino")
    dataclasses.replace(profile, novelty={}).write(written)
    plain = Predictor(color_student, profile="none").predict(image(), CAMERA, output_size=output_size)
    predictor = Predictor(color_student, profile=written)
    corrected = predictor.predict(image(), CAMERA, output_size=output_size)
    slope = (np.arange(64)[:, None] - CAMERA.cy) / CAMERA.fy
    expected = plain.depth * np.exp(profile.correction.log_factor(plain.depth, slope))
    inside = (plain.depth < 59) & (plain.depth > 0.6) & (expected < 59) & (expected > 0.6)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(corrected.depth[inside], expected[inside], rtol=1e-4)
    assert corrected.depth.max() <= 60.0  # the card's range still applies
    np.testing.assert_allclose(
        (corrected.sigma / corrected.depth)[inside], 0.5 * (plain.sigma / plain.depth)[inside], rtol=1e-4
    )
    assert predictor.profile_file == written
    assert (
        predictor.for_throughput().predict(image(), CAMERA, output_size=output_size).depth[0, 0]
        == (corrected.depth[0, 0])
    )


def test_a_region_of_the_image_is_corrected_as_the_whole_one(color_student, written, profile):
    pytest.importorskip("openvino")
    dataclasses.replace(profile, novelty={}).write(written)
    region, part = image()[16:48, 32:160], CAMERA.crop(32, 16, 128, 32)
    plain = Predictor(color_student, profile="none").predict(region, part)
    predictor = Predictor(color_student, profile=written)
    corrected = predictor.predict(region, part, whole=CAMERA)
    slope = (np.arange(32)[:, None] + 16 - CAMERA.cy) / CAMERA.fy
    expected = plain.depth * np.exp(profile.correction.log_factor(plain.depth, slope))
    inside = (plain.depth < 59) & (plain.depth > 0.6) & (expected < 59) & (expected > 0.6)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(corrected.depth[inside], expected[inside], rtol=1e-2)
    assert corrected.camera == part


def test_what_is_unfamiliar_is_measured_against_the_camera(write_color_student, profile, tmp_path):
    """This student's fingerprint encodes the intrinsics, and is far from its card's reference."""
    pytest.importorskip("openvino")
    novelty = {"threshold": 1.5, "fault_threshold": 1e6, "sigma_growth": 0.5, "reference": 10.0}
    model = write_color_student(tmp_path / "model.onnx", novelty=novelty)
    strange = Predictor(model, profile="none").predict(image(), CAMERA)
    usual = {**novelty, "threshold": 100.0, "reference": 100.0}
    neutral = CameraProfile("m", read_card(model).files, CAMERA, DepthCorrection(), 1.0, usual)
    neutral.write(tmp_path / "mine.profile.json")
    known = Predictor(model, profile=tmp_path / "mine.profile.json").predict(image(), CAMERA)
    assert (strange.unfamiliar, known.unfamiliar) == (True, False)
    growth = math.sqrt(strange.novelty / 10.0)
    assert growth > 1.5
    np.testing.assert_allclose(strange.sigma, growth * known.sigma, rtol=1e-4)


def test_a_profile_of_another_camera_is_refused_by_name(color_student, written):
    pytest.importorskip("openvino")
    predictor = Predictor(color_student, profile=written)
    other = Camera(500.0, 500.0, 95.5, 31.5, 192, 64)
    with pytest.raises(ProfileMismatch, match=r"mine.profile.json is of a camera with fx 300.*has fx 500"):
        predictor.predict(image(), other)
    predictor.warm_up()  # it has no camera


def test_a_profile_of_another_model_is_refused_by_name(write_color_student, written, tmp_path):
    pytest.importorskip("openvino")
    other = write_color_student(tmp_path / "other.onnx", outputs=("log_b", "mu"))
    with pytest.raises(
        ProfileMismatch, match=r"mine.profile.json is of model red is far \(.*this is red is far"
    ):
        Predictor(other, profile=written)


def test_profiles_beside_the_model_are_found_by_camera(write_color_student, profile, tmp_path):
    pytest.importorskip("openvino")
    model = write_color_student(tmp_path / "model.onnx")
    mine = dataclasses.replace(profile, model_files=read_card(model).files)
    mine.write(tmp_path / "front.profile.json")
    wide = dataclasses.replace(mine, camera=Camera(100.0, 100.0, 95.5, 31.5, 192, 64))
    wide.write(tmp_path / "wide.profile.json")
    dataclasses.replace(profile, model_files={"x": "1" * 64}).write(tmp_path / "foreign.profile.json")
    predictor = Predictor(model)
    predictor.predict(image(), CAMERA)
    assert predictor.profile_file == tmp_path / "front.profile.json"
    predictor.predict(image(), wide.camera)
    assert predictor.profile_file == tmp_path / "wide.profile.json"
    predictor.predict(image(), Camera(700.0, 700.0, 95.5, 31.5, 192, 64))
    assert predictor.profile_file is None
    assert predictor.profile_files == [tmp_path / "front.profile.json", tmp_path / "wide.profile.json"]
    mine.write(tmp_path / "rear.profile.json")
    with pytest.raises(UserError, match=r"front.profile.json, rear.profile.json; name one"):
        Predictor(model).predict(image(), CAMERA)
