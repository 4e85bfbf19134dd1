"""Warnings for cameras outside a network's training range, and none for cameras of real rigs."""

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.network_size import fit_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.trained_cameras import MARGIN, doubt
from adu_depth_core.model_card import read_card

KITTI = Camera(721.5, 721.5, 609.6, 172.9, 1242, 375)
CAMERAS = {"horizontal_fov": [30.0, 90.0], "network_focal": [200.0, 600.0]}


def scaled(camera, factor):
    return Camera(camera.fx * factor, camera.fy * factor, camera.cx, camera.cy, camera.width, camera.height)


def centred(focal, width, height):
    return Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)


def doubt_of(camera, card):
    return doubt(Placement.fit(camera, fit_network_size(camera, card)), card)


@pytest.mark.parametrize(
    "camera",
    [
        KITTI,
        centred(1060.0, 1936, 1216),  # DDAD, front
        centred(2170.0, 1936, 1216),  # DDAD, its narrowest
        centred(1210.0, 2048, 1536),  # SUSTechPOINTS
        centred(554.0, 640, 480),  # a webcam with 60 degrees
    ],
)
def test_the_shipped_student_knows_the_cameras_of_real_rigs(camera):
    assert doubt_of(camera, read_card(default_model())) == ""


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_a_focal_length_ten_times_off_is_told(factor):
    text = doubt_of(scaled(KITTI, factor), read_card(default_model()))
    assert f"fx {721.5 * factor:g}" in text
    assert "focal" in text


def test_the_text_names_both_the_camera_and_what_the_network_knows(write_card, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"model")
    card = write_card(tmp_path / "m.onnx", cameras=CAMERAS)
    text = doubt_of(scaled(KITTI, 10.0), card)
    assert "fx 7215 at 1242 columns" in text
    assert "9.8 degrees" in text
    assert "30 to 90 degrees" in text
    assert "200 to 600 pixels" in text


@pytest.mark.parametrize(
    ("entry", "told", "untold"),
    [("horizontal_fov", "degrees", "pixels at"), ("network_focal", "pixels at", "degrees")],
)
def test_the_text_names_only_the_range_that_the_camera_is_outside_of(
    write_card, tmp_path, entry, told, untold
):
    """A report of 739 pixels as outside 738.8 to 960 obscured that the field of view was the cause."""
    (tmp_path / "m.onnx").write_bytes(b"model")
    anything = {"horizontal_fov": [1.0, 179.0], "network_focal": [1.0, 1e5]}
    card = write_card(tmp_path / "m.onnx", cameras={**anything, entry: CAMERAS[entry]})
    text = doubt_of(scaled(KITTI, 10.0), card)
    assert told in text
    assert untold not in text


@pytest.mark.parametrize(
    ("focal", "told"),
    # 192 columns at the network: an image 96 pixels wide doubles its focal length there.
    [
        (300.0 * MARGIN * 0.99, False),
        (300.0 * MARGIN * 1.01, True),
        (100.0 / MARGIN * 1.01, False),
        (100.0 / MARGIN * 0.99, True),
    ],
)
def test_the_margin_is_kept_on_the_focal_length(write_card, tmp_path, focal, told):
    (tmp_path / "m.onnx").write_bytes(b"model")
    wide = {"horizontal_fov": [1.0, 170.0], "network_focal": [200.0, 600.0]}
    card = write_card(tmp_path / "m.onnx", cameras=wide)
    placement = Placement.fit(centred(focal, 96, 32), (64, 192))
    assert bool(doubt(placement, card)) is told


@pytest.mark.parametrize(("fov", "told"), [(86.0, False), (101.0, True), (32.0, False), (22.0, True)])
def test_the_field_of_view_counts_on_its_own(write_card, tmp_path, fov, told):
    """With a margin of 1.2 on the focal length, 30 to 90 degrees become 25.2 to 100.4."""
    (tmp_path / "m.onnx").write_bytes(b"model")
    card = write_card(
        tmp_path / "m.onnx", cameras={"horizontal_fov": [30.0, 90.0], "network_focal": [1.0, 1e5]}
    )
    focal = 96.0 / np.tan(np.radians(fov / 2))
    assert bool(doubt(Placement.fit(centred(focal, 192, 64), (64, 192)), card)) is told


def test_a_card_without_the_entry_tells_nothing(write_card, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"model")
    assert doubt_of(scaled(KITTI, 10.0), write_card(tmp_path / "m.onnx")) == ""


def test_the_predictor_says_it_once_and_with_each_prediction(write_color_student, tmp_path, caplog):
    pytest.importorskip("openvino")
    predictor = Predictor(write_color_student(tmp_path / "m.onnx", cameras=CAMERAS))
    image = np.full((64, 192, 3), 50, np.uint8)
    known = centred(200.0, 192, 64)
    assert predictor.predict(image, known).camera_doubt == ""
    assert caplog.text == ""
    for _ in range(3):
        prediction = predictor.predict(image, scaled(known, 10.0))
        assert "fx 2000" in prediction.camera_doubt
    assert caplog.text.count("fx 2000") == 1
    predictor.for_throughput().predict(image, scaled(known, 10.0))
    assert caplog.text.count("fx 2000") == 1
