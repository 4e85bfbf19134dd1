"""A student that reads red as depth, on bags whose frames have known depth."""

import csv
import json
import re
import signal

import numpy as np
import pytest

from adu_depth_core.cli import main

pytest.importorskip("rosbags")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("jinja2")
from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import (
    camera_info_message,
    compressed_image_message,
    image_message,
    point_cloud_message,
    transforms_message,
)
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera
from adu_depth_core.commands.evaluate_bag import stop_on_interrupt
from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.files import write_atomically

CAMERA = Camera(350.0, 350.0, 95.5, 31.5, 192, 64)
RED, BLUE = 150, 127
DEPTH = np.exp(4 * RED / 255)
START, STEP = 1_000_000_000, 100_000_000


def frame_messages(
    index: int, truth: float = 8.75, camera: Camera = CAMERA, frame_id: str = topics.LEFT_FRAME
):
    """Messages of one frame: image, calibration, exact depth and a static vehicle."""
    stamp = START + index * STEP
    image = np.full((*camera.size, 3), (RED, 0, BLUE), np.uint8)
    depth = np.full(camera.size, truth, np.float32)
    return {
        topics.LEFT_INFO: camera_info_message(camera, stamp, frame_id),
        topics.LEFT_IMAGE: image_message(image, "rgb8", stamp, topics.LEFT_FRAME),
        topics.LEFT_DEPTH: image_message(depth, "32FC1", stamp, topics.LEFT_FRAME),
    }


def write_bag(path, frames, leave_out=()):
    with BagWriter(path) as bag:
        for index, messages in enumerate(frames):
            for topic, message in messages.items():
                if topic not in leave_out:
                    bag.write(topic, message, START + index * STEP)
    return path


@pytest.fixture
def bag(tmp_path):
    return write_bag(tmp_path / "drive", [frame_messages(i) for i in range(6)])


@pytest.fixture
def judge(tmp_path, color_student):
    """Runs the command; returns its status and the content of ``metrics.json``, or None."""

    def run(*arguments, model=color_student, out="judged"):
        out = tmp_path / out
        options = ["--model", str(model), "--backend", "onnxruntime", "--out", str(out)]
        status = main(["evaluate-bag", *map(str, arguments), *options])
        path = out / "metrics.json"
        return status, json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    return run


def rows_of(folder):
    with (folder / "frames.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_known_answer_is_measured_and_reported(bag, judge, tmp_path):
    status, metrics = judge(bag)
    assert status == 0
    (model,) = metrics["models"]
    error = DEPTH - 8.75
    assert model["metrics"]["abs_rel"]["mean"] == pytest.approx(error / 8.75, rel=1e-4)
    assert model["metrics"]["rmse"]["mean"] == pytest.approx(error, rel=1e-4)
    assert model["metrics"]["instability"]["mean"] == pytest.approx(0, abs=1e-6)
    near = model["by_distance"][0]
    assert (near["name"], near["frames"], near["pixels"]) == ("0-10 m", 6, 6 * 64 * 192)
    assert near["metrics"]["abs_rel"] == pytest.approx(error / 8.75, rel=1e-4)
    assert [group["frames"] for group in model["by_distance"][1:]] == [0, 0, 0]
    assert [group["pixels"] for group in model["by_region"]].count(0) == 0
    assert metrics["source"]["frames_evaluated"] == metrics["source"]["frames_read"] == 6
    assert not metrics["interrupted"]
    rows = rows_of(tmp_path / "judged")
    assert [int(row["stamp_ns"]) for row in rows] == [START + i * STEP for i in range(6)]
    assert rows[0]["instability"] == ""
    assert float(rows[1]["abs_rel"]) == pytest.approx(error / 8.75, rel=1e-4)
    page = (tmp_path / "judged" / "report.html").read_text(encoding="utf-8")
    assert "abs_rel" in page


def test_the_metrics_are_those_of_evaluate_on_the_same_frames(
    tmp_path, judge, color_student, write_kitti2015_scene
):
    rng = np.random.default_rng(0)
    for i in range(4):
        disparity = rng.uniform(3, 60, (64, 192)) * (rng.random((64, 192)) < 0.7)
        write_kitti2015_scene(tmp_path / "kitti", f"{i:06d}", (RED + 9 * i, 0, BLUE - 20 * i), disparity)
    json_path = tmp_path / "files.json"
    command = ["evaluate", "--dataset", "kitti2015", "--root", str(tmp_path / "kitti"), "--split", "all"]
    assert (
        main([*command, "--model", str(color_student), "--backend", "onnxruntime", "--json", str(json_path)])
        == 0
    )
    samples = Kitti2015(tmp_path / "kitti")
    frames = []
    for i in range(4):
        sample, stamp = samples[i], START + i * STEP
        frames.append(
            {
                topics.LEFT_INFO: camera_info_message(sample.camera, stamp, topics.LEFT_FRAME),
                topics.LEFT_IMAGE: image_message(sample.left, "rgb8", stamp, topics.LEFT_FRAME),
                topics.LEFT_DEPTH: image_message(sample.depth, "32FC1", stamp, topics.LEFT_FRAME),
            }
        )
    status, metrics = judge(write_bag(tmp_path / "drive", frames))
    assert status == 0
    of_files = json.loads(json_path.read_text(encoding="utf-8"))
    of_bag = {name: estimate["mean"] for name, estimate in metrics["models"][0]["metrics"].items()}
    assert len(of_files["metrics"]) == 23
    for name, value in of_files["metrics"].items():
        assert of_bag[name] == pytest.approx(value, abs=1e-6), name
    for name, curve in metrics["models"][0]["curves"].items():
        assert curve == pytest.approx(of_files["curves"][name], abs=1e-6)


def test_obstacles_and_ground_are_judged_apart(tmp_path, judge, capsys):
    camera = Camera(100.0, 100.0, 95.5, 20.0, 192, 80)
    downwards = (np.arange(80) - 20.0)[:, None] / 100
    street = np.where(downwards > 0.05, 1.5 / np.maximum(downwards, 0.05), 0).repeat(192, axis=1)
    street[22:28, 80:100] = 14.0  # 0.5 to 1.2 m above the road
    frames = [frame_messages(i, street, camera) for i in range(3)]
    frames.append(frame_messages(3, 9.0, camera))  # a wall
    conditions = ["--fail-if", "obstacle_abs_rel>0.8", "--fail-if", "obstacle_abs_rel>0.9"]
    status, metrics = judge(write_bag(tmp_path / "drive", frames), *conditions)
    assert status == 3
    (model,) = metrics["models"]
    assert [condition["failed"] for condition in metrics["conditions"]] == [True, False]
    ground, obstacle = model["by_surface"]
    assert (obstacle["name"], obstacle["pixels"], obstacle["frames"]) == ("obstacle", 3 * 120, 3)
    published = DEPTH * 80 / 350  # 80 px: the camera's focal at the network's input
    assert obstacle["metrics"]["abs_rel"] == pytest.approx(1 - published / 14, rel=1e-3)
    assert obstacle["metrics"]["abs_rel"] == pytest.approx(model["metrics"]["obstacle_abs_rel"]["mean"])
    assert ground["metrics"]["coverage_1sigma"] == pytest.approx(
        model["metrics"]["ground_coverage_1sigma"]["mean"]
    )
    assert model["roadless_frames"] == 1
    assert any("no road was found in the ground truth of 1 frames" in text for text in metrics["warnings"])
    page = (tmp_path / "judged" / "report.html").read_text(encoding="utf-8")
    assert "Obstacles: 0.4 to 2.65 m above the road" in page
    assert "Obstacle: 360 pixels in 3 frames" in page
    assert "No road was found in 1 frames" in page
    assert "obstacle_coverage_1sigma" in capsys.readouterr().out
    with (tmp_path / "judged" / "frames.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["obstacle_abs_rel"] != "" for row in rows] == [True, True, True, False]

    _, given = judge(tmp_path / "drive", "--camera-height", "1.5", out="given")
    assert given["models"][0]["roadless_frames"] == 0
    assert given["models"][0]["by_surface"][1]["pixels"] > 3 * 120  # the wall counts too


def test_models_are_compared_frame_by_frame(bag, judge, tmp_path, color_student, write_color_student, capsys):
    other = write_color_student(tmp_path / "other.onnx", f_ref=300.0)
    status, metrics = judge(bag, "--model", other)
    assert status == 0
    assert [model["label"] for model in metrics["models"]] == ["other", "color"]
    (difference,) = [c for c in metrics["comparisons"] if c["metric"] == "abs_rel"]
    by_model = [model["metrics"]["abs_rel"]["mean"] for model in metrics["models"]]
    assert difference["difference"]["mean"] == pytest.approx(by_model[1] - by_model[0])
    assert difference["frames"] == 6
    assert not difference["difference"]["decided"]
    printed = capsys.readouterr().out
    assert "color - other: abs_rel" in printed
    assert re.search(r"color - other: abs_rel [+-]0\.\d{4} \(inconclusive\)", printed)
    assert printed.count("the drives are too short") == 1


def test_models_differ_significantly_on_a_drive_that_is_long_enough(
    judge, tmp_path, color_student, write_color_student, capsys
):
    """40 frames in 12 s."""
    drive = write_bag(tmp_path / "long", [frame_messages(3 * i, truth=8 + i % 3) for i in range(40)])
    other = write_color_student(tmp_path / "other.onnx", f_ref=300.0)
    status, metrics = judge(drive, "--model", other)
    assert status == 0
    (difference,) = [c["difference"] for c in metrics["comparisons"] if c["metric"] == "abs_rel"]
    assert difference["decided"]
    assert difference["independent"] >= 5
    assert difference["low"] > 0 or difference["high"] < 0
    printed = capsys.readouterr().out
    assert ": significant (95 % CI)" in printed
    assert "the drives are too short" not in printed


def test_a_condition_that_holds_sets_the_exit_status(bag, judge):
    status, metrics = judge(bag, "--fail-if", "abs_rel>0.1", "--fail-if", "latency_ms > 1e6")
    assert status == 3
    assert [condition["failed"] for condition in metrics["conditions"]] == [True, False]


def test_a_label_that_looks_like_markup_is_shown(bag, judge, write_color_student, tmp_path, capsys):
    model = write_color_student(tmp_path / "[bold].onnx")
    assert judge(bag, "--fail-if", "abs_rel>0.1", model=model)[0] == 3
    shown = capsys.readouterr().out
    assert "FAILED abs_rel>0.1: [bold] has" in shown
    assert any("metric" in line and "[bold]" in line for line in shown.splitlines())


def test_a_condition_on_what_was_not_measured_fails(bag, judge):
    assert judge(bag, "--truth", "none", "--fail-if", "abs_rel>0.9")[0] == 3


@pytest.mark.parametrize(
    ("condition", "complaint"), [("abs_rel", "not a condition"), ("absrel>1", "unknown metric 'absrel'")]
)
def test_a_condition_that_makes_no_sense_is_named_before_the_work(bag, judge, condition, complaint, capsys):
    assert judge(bag, "--fail-if", condition) == (2, None)
    assert complaint in capsys.readouterr().err


def test_without_ground_truth_stability_and_latency_remain(bag, judge):
    status, metrics = judge(bag, "--truth", "none")
    assert status == 0
    assert list(metrics["models"][0]["metrics"]) == ["instability"]
    assert metrics["models"][0]["latency"]["median_ms"] > 0


def test_an_existing_report_is_replaced_only_on_request(bag, judge, tmp_path):
    assert judge(bag)[0] == 0
    assert judge(bag)[0] == 1
    assert judge(bag, "--overwrite")[0] == 0
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").touch()
    assert judge(bag, "--overwrite", out="photos")[0] == 1
    assert (tmp_path / "photos" / "holiday.jpg").exists()


def test_two_runs_into_one_folder_do_not_replace_each_other(bag, judge, tmp_path, capsys):
    with write_atomically(tmp_path / "judged") as theirs:
        theirs.mkdir()
        assert judge(bag)[0] == 1
        assert "judged is being written by another process" in capsys.readouterr().err
        assert judge(bag, "--overwrite")[0] == 1
    assert list((tmp_path / "judged").iterdir()) == []


def test_the_record_holds_every_frame(bag, judge, tmp_path):
    assert judge(bag, "--record")[0] == 0
    with BagReader(tmp_path / "judged" / "record") as reader:
        assert reader.message_counts["/depth/image"] == 6


def test_interrupted_work_reports_what_was_read(bag, judge, monkeypatch):
    from adu_depth_core.inference.predictor import Predictor

    predict, calls = Predictor.predict, []

    def press_at_the_third_frame(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return predict(*arguments, **options)

    monkeypatch.setattr(Predictor, "predict", press_at_the_third_frame)
    status, metrics = judge(bag)
    assert status == 130
    assert metrics["interrupted"]
    assert metrics["source"]["frames_evaluated"] == 3
    assert any("interrupted after 3 frames" in warning for warning in metrics["warnings"])


def test_a_second_interrupt_is_not_held_back():
    def press_twice():
        with stop_on_interrupt() as stop:
            signal.raise_signal(signal.SIGINT)
            assert stop()
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()


def test_a_crash_leaves_nothing_that_looks_like_a_report(bag, judge, tmp_path, monkeypatch):
    from adu_depth_core.inference.predictor import Predictor

    def crash(*arguments, **options):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Predictor, "predict", crash)
    with pytest.raises(RuntimeError):
        judge(bag)
    assert [path.name for path in tmp_path.iterdir()] == ["drive"]


def test_a_bag_cut_short_is_evaluated_as_far_as_it_goes(tmp_path, judge):
    bag = write_bag(tmp_path / "drive", [frame_messages(i) for i in range(40)])
    storage = bag / "drive.mcap"
    storage.write_bytes(storage.read_bytes()[: storage.stat().st_size * 2 // 3])
    status, metrics = judge(bag)
    assert status == 0
    assert 0 < metrics["source"]["frames_evaluated"] < 40
    assert any("cut short" in warning for warning in metrics["warnings"])


def test_messages_of_a_damaged_chunk_are_left_out_and_counted(tmp_path, judge):
    bag = write_bag(tmp_path / "drive", [frame_messages(i) for i in range(40)])
    storage = bag / "drive.mcap"
    content = bytearray(storage.read_bytes())
    content[len(content) // 2] ^= 1
    storage.write_bytes(content)
    status, metrics = judge(bag)
    assert status == 0
    assert 20 < metrics["source"]["frames_evaluated"] < 40
    assert any("messages are skipped: their checksum fails" in warning for warning in metrics["warnings"])


def second_half(change):
    """Six frames, the last three of them changed."""
    return [frame_messages(i) if i < 3 else change(i) for i in range(6)]


def smaller(i):
    info = frame_messages(i)[topics.LEFT_INFO]
    return {**frame_messages(i, camera=CAMERA.resize(96, 32)), topics.LEFT_INFO: info}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (smaller, "is it of another camera or mode"),
        (lambda i: frame_messages(i - 3), "time goes backwards"),
        (lambda i: frame_messages(i, frame_id="rear"), "calibration of another camera"),
        (
            lambda i: {k: v for k, v in frame_messages(i).items() if k != topics.LEFT_DEPTH},
            "nothing on /camera/left/depth within 50 ms",
        ),
    ],
)
def test_frames_that_cannot_be_used_are_counted_and_the_others_evaluated(tmp_path, judge, change, reason):
    status, metrics = judge(write_bag(tmp_path / "drive", second_half(change)))
    assert status == 0
    (skipped,) = metrics["source"]["skipped"]
    assert (skipped["frames"], skipped["first_index"]) == (3, 3)
    assert reason in skipped["reason"]
    assert metrics["source"]["frames_evaluated"] == 3
    assert metrics["source"]["frames_read"] == 6


@pytest.mark.parametrize(
    ("change", "leave_out", "reason"),
    [
        (smaller, (), "is it of another camera or mode"),
        (lambda i: frame_messages(i, frame_id="rear"), (), "calibration of another camera"),
        (frame_messages, (topics.LEFT_INFO,), "--camera-info"),
        (
            frame_messages,
            (topics.LEFT_IMAGE, topics.LEFT_INFO),
            "no camera image topic; it has: /camera/left/depth",
        ),
        (frame_messages, (topics.LEFT_IMAGE, topics.LEFT_INFO, topics.LEFT_DEPTH), "it has: nothing"),
        (lambda i: frame_messages(i, truth=0.0), (), "no ground truth counts in any of 3 frames"),
    ],
)
def test_where_nothing_can_be_evaluated_the_error_says_why(
    tmp_path, judge, change, leave_out, reason, capsys
):
    bag = write_bag(tmp_path / "drive", [change(i) for i in range(3)], leave_out)
    assert judge(bag) == (1, None)
    assert reason in capsys.readouterr().err


def test_an_uncalibrated_camera_is_an_error_unless_a_calibration_is_given(tmp_path, judge, capsys):
    frames = [frame_messages(i) for i in range(2)]
    for messages in frames:
        messages[topics.LEFT_INFO].k[:] = 0
    bag = write_bag(tmp_path / "drive", frames)
    assert judge(bag) == (1, None)
    assert "not calibrated" in capsys.readouterr().err
    calibration = tmp_path / "calib.txt"
    calibration.write_text("P2: 350 0 95.5 0 0 350 31.5 0 0 0 1 0\n", encoding="utf-8")
    assert judge(bag, "--calib", calibration)[0] == 0


def test_a_topic_that_is_not_there_is_named(bag, judge, capsys):
    assert judge(bag, "--image", "/rear") == (1, None)
    assert "/rear" in capsys.readouterr().err


def test_compressed_images_are_decoded(tmp_path, judge):
    import cv2

    frames = []
    for i in range(2):
        messages = frame_messages(i)
        image = np.full((64, 192, 3), (BLUE, 0, RED), np.uint8)
        data = cv2.imencode(".png", image)[1].tobytes()
        del messages[topics.LEFT_IMAGE]
        messages[f"{topics.LEFT_IMAGE}/compressed"] = compressed_image_message(
            data, "png", START + i * STEP, topics.LEFT_FRAME
        )
        frames.append(messages)
    status, metrics = judge(write_bag(tmp_path / "drive", frames))
    assert status == 0
    assert metrics["models"][0]["metrics"]["abs_rel"]["mean"] == pytest.approx(
        (DEPTH - 8.75) / 8.75, rel=1e-4
    )


def test_several_bags_are_one_evaluation(tmp_path, judge):
    bags = [write_bag(tmp_path / name, [frame_messages(i) for i in range(3)]) for name in "ab"]
    status, metrics = judge(*bags)
    assert status == 0
    assert metrics["source"]["frames_evaluated"] == 6
    assert metrics["source"]["duration_s"] == pytest.approx(0.4)  # with the same stamps
    rows = rows_of(tmp_path / "judged")
    assert [row["bag"] for row in rows] == ["0", "0", "0", "1", "1", "1"]


def test_bags_that_follow_each_other_in_time_are_not_one_drive(tmp_path, judge):
    """Depth change is never measured from the last frame of one bag to the first of the next."""
    bags = [
        write_bag(tmp_path / name, [frame_messages(i + begin) for i in range(3)])
        for name, begin in (("a", 0), ("b", 3))
    ]
    judge(*bags)
    rows = rows_of(tmp_path / "judged")
    assert [row["instability"] == "" for row in rows] == [True, False, False, True, False, False]


def test_poses_explain_the_change_of_depth(tmp_path, judge):
    """Approaching a wall by 1 m with a constant prediction gives an instability of ln(d / (d - 1))."""
    frames = []
    for i in range(3):
        pose = np.eye(4)
        pose[2, 3] = i  # along the optical axis
        edge = (topics.ODOM, topics.LEFT_FRAME, pose)
        frames.append({topics.TF: transforms_message([edge], START + i * STEP), **frame_messages(i)})
    status, metrics = judge(write_bag(tmp_path / "drive", frames))
    assert status == 0
    assert metrics["source"]["motion"] == "poses"
    expected = np.log(DEPTH / (DEPTH - 1))
    assert metrics["models"][0]["metrics"]["instability"]["mean"] == pytest.approx(expected, rel=1e-3)


def test_stabilised_predictions_are_judged_beside_the_others(tmp_path, judge, capsys):
    """The camera moves 0.1 m per frame towards a wall, by poses from a file; the prediction is constant."""
    poses = tmp_path / "poses.txt"
    poses.write_text("\n".join(f"{(START + i * STEP) / 1e9:.9f} 0 0 {0.1 * i} 0 0 0 1" for i in range(6)))
    bag = write_bag(tmp_path / "drive", [frame_messages(i) for i in range(6)])
    status, metrics = judge(bag, "--stabilise", "--poses", str(poses))
    assert status == 0
    assert metrics["source"]["motion"] == "poses"
    alone, stabilised = metrics["models"]
    assert stabilised["label"] == f"{alone['label']}, stabilised"
    step = np.log(DEPTH / (DEPTH - 0.1))
    assert alone["metrics"]["instability"]["mean"] == pytest.approx(step, rel=1e-3)
    assert stabilised["metrics"]["instability"]["mean"] < 0.95 * step
    assert {"instability", "abs_rel"} <= {c["metric"] for c in metrics["comparisons"]}
    assert not any("not stabilised" in warning for warning in metrics["warnings"])


def test_frames_without_known_motion_are_not_stabilised_and_said_so(tmp_path, judge):
    rng = np.random.default_rng(0)
    frames = []
    for i in range(3):
        messages = frame_messages(i)
        pixels = messages[topics.LEFT_IMAGE].data
        messages[topics.LEFT_IMAGE].data = rng.integers(0, 255, pixels.shape, np.uint8)
        frames.append(messages)
    status, metrics = judge(write_bag(tmp_path / "drive", frames), "--stabilise")
    assert status == 0
    alone, stabilised = (model["metrics"]["abs_rel"]["mean"] for model in metrics["models"])
    assert stabilised == alone
    assert any("1 first frame, 2 motion unknown" in warning for warning in metrics["warnings"])


def test_a_bag_that_a_model_was_trained_on_is_refused_unless_allowed(
    bag, judge, tmp_path, write_color_student, capsys
):
    scenes = [f"drive_{i:06d}_{START + i * STEP}" for i in (2, 4)]
    trained = write_color_student(
        tmp_path / "trained.onnx", training={"data": [{"name": "training", "scenes": scenes}]}
    )
    assert judge(bag, model=trained) == (1, None)
    assert "model trained was trained on frames of bag drive" in capsys.readouterr().err
    status, metrics = judge(bag, "--allow-training-frames", model=trained)
    assert status == 0
    assert any("trained on 2 of the 6 frames" in warning for warning in metrics["warnings"])


def test_ground_truth_counts_only_where_another_kind_has_a_value_too(tmp_path, judge, capsys):
    frames = []
    for i in range(2):
        stamp = START + i * STEP
        points = np.array([[0.0, 0.0, 5.0], [1.0, 0.2, 6.0], [-1.0, 0.0, 7.0]], np.float32)
        edge = (topics.LEFT_FRAME, topics.LIDAR_FRAME, np.eye(4))
        frames.append(
            {
                topics.TF_STATIC: transforms_message([edge], stamp),
                topics.LIDAR: point_cloud_message(points, "xyz", stamp, topics.LIDAR_FRAME),
                **frame_messages(i),
            }
        )
    bag = write_bag(tmp_path / "drive", frames)
    status, metrics = judge(bag, "--truth", "depth", "--where", "lidar")
    assert status == 0
    assert metrics["models"][0]["by_distance"][0]["pixels"] == 2 * 3
    assert "only pixels where lidar on /lidar/points" in metrics["source"]["truth"]["description"]
    assert judge(bag, "--truth", "lidar", "--where", "lidar", out="same") == (1, None)
    assert "ground truth of bag drive is lidar" in capsys.readouterr().err
