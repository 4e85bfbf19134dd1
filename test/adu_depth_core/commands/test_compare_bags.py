"""A bag recorded from the node against its input bag, with a student of known outputs."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("rosbags")
pytest.importorskip("onnxruntime")
from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.cli import main
from adu_depth_core.inference.depth_output import encode_depth, mark_depth
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.replay.live_comparison import possible_offsets

CAMERA = Camera(700.0, 700.0, 191.5, 63.5, 384, 128)
FRAMES = 6
PERIOD = 100_000_000
START = 5 * PERIOD
FRAME = "front_optical"


def image(index):
    return np.random.default_rng(index).integers(60, 200, (128, 384, 3), dtype=np.uint8)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "drive"
    with BagWriter(path) as bag:
        for i in range(FRAMES):
            stamp = START + i * PERIOD
            bag.write("/front/camera_info", camera_info_message(CAMERA, stamp, FRAME), stamp)
            bag.write("/front/image", image_message(image(i), "rgb8", stamp, FRAME), stamp)
            bag.write("/rear/image", image_message(image(99), "rgb8", stamp, "rear"), stamp)
            depth = np.ones((128, 384), np.float32)
            bag.write("/front/depth", image_message(depth, "32FC1", stamp, FRAME), stamp)
    return path


@pytest.fixture
def record(tmp_path, color_student):
    """Writes what the node would publish for some frames, optionally corrupted."""
    predictor = Predictor(color_student, "onnxruntime")

    def write(indices=range(FRAMES), offset=0, encoding="32FC1", output_size="image", spoil=None, sigma=True):
        path = tmp_path / "live"
        with BagWriter(path) as bag:
            for i in indices:
                stamp = START + i * PERIOD + offset
                prediction = predictor.predict(image(i), CAMERA, output_size=output_size)
                if spoil is not None:
                    prediction = spoil(i, prediction)
                depth = encode_depth(mark_depth(prediction.depth, prediction.sigma, 60.0, 0.5), encoding)
                bag.write(topics.DEPTH, image_message(depth, encoding, stamp, FRAME), stamp + 7)
                if sigma:
                    bag.write(topics.SIGMA, image_message(prediction.sigma, "32FC1", stamp, FRAME), stamp + 8)
        return path

    return write


@pytest.fixture
def compare(source, color_student, capsys):
    def run(live, *options):
        command = ["compare-bags", str(live), str(source), "--model", str(color_student)]
        status = main([*command, "--backend", "onnxruntime", *options])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_what_the_node_publishes_is_equal(record, compare, encoding):
    status, output = compare(record(encoding=encoding))
    assert status == 0, output
    assert "EQUAL all 6 frames" in output
    assert "/front/image, /front/camera_info" in output  # by the depth's frame_id; not the depth image
    assert "the same in both" in output


def test_maps_of_the_networks_size_are_compared_at_that_size(record, compare):
    live = record(output_size="network")
    status, output = compare(live)
    assert status == 0, output
    status, output = compare(live, "--network-size", "32x96")
    assert status == 1
    assert "64x192; the image is 128x384 and the network answers 32x96" in output


def test_a_restamped_recording_is_joined_by_its_content(record, compare):
    # The evenly spaced stamps of frames 2 to 4 match at four offsets; only one is right.
    status, output = compare(record(indices=[2, 3, 4], offset=123_456_789_012))
    assert status == 0, output
    assert "source + 123456789012 ns" in output
    assert "3 of 6 images were answered, 3 not" in output


def test_a_wrong_offset_is_different(record, compare):
    status, output = compare(record(), "--offset", str(PERIOD))
    assert status == 1
    assert "DIFFERENT 5 of 5 frames" in output
    assert "1 live frames have no image" in output


def test_unanswered_images_count_only_on_request(record, compare):
    live = record(indices=[0, 2, 5])
    assert compare(live)[0] == 0
    status, output = compare(live, "--require-all")
    assert status == 1
    assert "3 images were not answered" in output


def test_one_wrong_pixel_is_found(record, compare):
    def spoil(index, prediction):
        depth = prediction.depth.copy()
        if index == 3:
            depth[5, 7] *= 1.01
        return dataclasses.replace(prediction, depth=depth)

    live = record(spoil=spoil)
    status, output = compare(live)
    assert status == 1
    assert "DIFFERENT 1 of 6 frames" in output
    assert compare(live, "--tolerance", "0.02")[0] == 0


def test_other_parameters_of_the_node_show_in_the_marks(record, compare):
    status, output = compare(record(), "--max-relative-sigma", "0.05")
    assert status == 1
    assert "DIFFERENT 6 of 6 frames" in output


def test_a_bag_without_uncertainty_is_compared_by_depth_and_says_so(record, compare):
    status, output = compare(record(sigma=False))
    assert status == 0
    assert "uncertainty was not compared in 6 frames" in output


def test_a_node_of_raw_images_used_the_other_matrix(record, compare):
    # The bag's K and P are the same, so the output is the same.
    assert compare(record(), "--raw-image")[0] == 0


def test_an_answer_that_came_twice_is_an_error(record, compare):
    status, output = compare(record(indices=[0, 1, 1]))
    assert status == 1
    assert "more than one message on /depth/image is stamped 600000000 ns" in output


def test_what_is_not_there_is_named(record, compare):
    live = record()
    for options, complaint in [
        (["--depth", "/other"], "no topic /other"),
        (["--image", "/other"], "no image topic /other"),
        (["--image", "/rear/image"], "no camera_info beside /rear/image; name it with --camera-info"),
        (["--offset", "3"], "is it the bag that was played"),
    ]:
        status, output = compare(live, *options)
        assert status == 1
        assert complaint in output


def test_offsets_that_are_possible():
    assert possible_offsets([10, 20], [10, 20, 30]) == [0]
    assert possible_offsets([110, 120], [10, 20, 30]) == [100, 90]
    assert possible_offsets([1007, 1031], [7, 12, 31, 50]) == [1000]
    assert possible_offsets([5], []) == [0]
