import csv
import json
import platform

import cv2
import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.cli import main
from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import write_calibration, write_sample
from adu_depth_core.evaluation.uncertainty import QUANTILE
from adu_depth_core.inference.installed_models import find_model, model_names
from adu_depth_core.model_card import file_sha256, read_card

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RED, BLUE = 150, 127
DEPTH = np.exp(4 * RED / 255)  # prediction of the colour student, 10.5 m
SIGMA = 1.25 * np.exp(-4 * BLUE / 255) * DEPTH  # 1.8 m
TRUTHS = {"000000": 17.5, "000001": 8.75}
"""Depth of each scene; disparities of 10 and 20 pixels."""

CAMERA = Camera(150.0, 150.0, 79.5, 31.5, 160, 64)

NOTHING_LEAKED = {"known": True, "trained": [], "calibrated": [], "warnings": []}


@pytest.fixture
def root(tmp_path, write_kitti2015_scene):
    folder = tmp_path / "kitti"
    for scene, depth in TRUTHS.items():
        write_kitti2015_scene(folder, scene, (RED, 0, BLUE), 175.0 / depth)
    return folder


@pytest.fixture
def student(tmp_path, write_color_student):
    """A student whose card lists its training frames, none of them evaluated here."""
    data = [{"name": "kitti2015", "split": "training", "scenes": ["000099"]}]
    return write_color_student(tmp_path / "color.onnx", training={"data": data})


def evaluate(root, model, *options: str, dataset="kitti2015", split="all") -> int:
    arguments = ["--dataset", dataset, "--root", str(root), "--model", str(model), "--backend", "onnxruntime"]
    return main(["evaluate", *arguments, "--split", split, *options])


def test_the_metrics_of_a_known_answer(root, student, tmp_path, capsys):
    assert evaluate(root, student, "--json", str(tmp_path / "new" / "result.json")) == 0
    record = json.loads((tmp_path / "new" / "result.json").read_text(encoding="utf-8"))
    truths = np.array(list(TRUTHS.values()))
    errors = np.abs(DEPTH - truths)
    expected = {
        "abs_rel": np.mean(errors / truths),
        "rmse": np.mean(errors),
        "d1": 0.5,  # 17.5 / 10.5 is beyond 1.25, 10.5 / 8.75 is not
        "silog": 0.0,
        "coverage_1sigma": 0.5,  # errors of 3.9 and 1.0 sigma
        "coverage_50": 0.0,
        "nll": np.mean(np.log(2 * SIGMA / QUANTILE) + errors * QUANTILE / SIGMA),
        "ause_rmse": 0.0,
        "aurg_rmse": 0.0,
    }
    measured = {name: record["metrics"][name] for name in expected}
    assert measured == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert f"{expected['abs_rel']:.4f}" in capsys.readouterr().out


def test_the_record_says_what_was_measured_how_and_where(root, student, tmp_path):
    path = tmp_path / "result.json"
    options = ["--cap", "50", "--crop", "garg", "--flip", "--network-size", "64x192", "--json", str(path)]
    assert evaluate(root, student, *options) == 0
    text = path.read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["command"].startswith("adu_depth evaluate --dataset kitti2015 ")
    assert record["command"].endswith(f"--cap 50 --crop garg --flip --network-size 64x192 --json {path}")
    (only,) = record["sets"]
    assert (only["name"], only["split"], only["frame_count"]) == ("kitti2015", "all", 2)
    assert only["skipped"] == only["unlabelled"] == []
    assert only["leakage"] == NOTHING_LEAKED
    assert record["model"]["name"] == "red is far"
    assert record["model"]["sha256"] == file_sha256(student)
    assert record["model"]["network_sizes"] == [[64, 192]]
    protocol = record["protocol"]
    assert (protocol["cap"], protocol["crop"], protocol["flip"], protocol["median_scaling"]) == (
        50.0,
        "garg",
        True,
        False,
    )
    assert record["machine"]["cpu"]
    assert platform.node() not in record["machine"].values()
    assert record["versions"]["runtime"].startswith("ONNX Runtime")
    assert [frame["name"] for frame in only["frames"]] == list(TRUTHS)
    abs_rel = [frame["metrics"]["abs_rel"] for frame in only["frames"]]
    assert np.mean(abs_rel) == pytest.approx(record["metrics"]["abs_rel"])
    assert record["metrics"] == only["metrics"]
    assert len(record["curves"]["coverage"]) == len(record["curves"]["levels"]) == 99
    assert len(record["curves"]["rmse_by_sigma"]) == len(record["curves"]["removed"]) == 51


def test_protocol_and_model_are_printed_with_the_result(root, student, capsys):
    assert evaluate(root, student, "--cap", "50", "--crop", "garg", "--per-frame") == 0
    out = " ".join(capsys.readouterr().out.split())
    for part in (
        "kitti2015, split all, 2 frames",
        "red is far",
        "Garg crop",
        "and 50 m",
        "no test-time augmentation",
        "64x192",
    ):
        assert part in out
    assert "│ 000001 │" in out
    assert "WARNING" not in out


def rows_of(text: str) -> dict[str, list[str]]:
    """Cells of each row of the first printed table, keyed by the first cell."""
    table = text.partition("└")[0]
    lines = [line.strip("│") for line in table.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.split("│")] for line in lines]
    return {first: rest for first, *rest in cells}


@pytest.fixture
def rig(tmp_path, write_kitti2015_scene):
    """Three synthetic scenes, each at another depth."""
    folder = tmp_path / "rig"
    for scene, depth in {"000010": 20.0, "000011": 12.0, "000012": 11.0}.items():
        write_kitti2015_scene(folder, scene, (RED, 0, BLUE), 175.0 / depth)
    return folder


def test_several_folders_have_a_row_each_and_one_of_all(root, rig, student, tmp_path, capsys):
    scenes, path, table = tmp_path / "mine.txt", tmp_path / "result.json", tmp_path / "frames.csv"
    scenes.write_text("000010\n000012\n", encoding="utf-8")
    command = ["evaluate", "--model", str(student), "--backend", "onnxruntime", "--json", str(path)]
    command += ["--dataset", "kitti2015", "synthetic", "--split", "all", str(scenes), "--csv", str(table)]
    assert main([*command, "--root", str(root), "--root", str(rig)]) == 0
    errors = {truth: abs(DEPTH - truth) / truth for truth in (*TRUTHS.values(), 20.0, 11.0)}
    rows = rows_of(capsys.readouterr().out)
    first, second = list(errors.values())[:2], list(errors.values())[2:]
    for name, values in {"kitti2015": first, "rig": second, "all": first + second}.items():
        frames, abs_rel = rows[name][:2]
        assert (int(frames), float(abs_rel)) == (len(values), pytest.approx(np.mean(values), abs=2e-4))
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["frame_count"] == 4
    assert record["metrics"]["abs_rel"] == pytest.approx(np.mean(first + second), rel=1e-4)
    assert [(s["name"], s["split"], s["frame_count"]) for s in record["sets"]] == [
        ("kitti2015", "all", 2),
        ("rig", str(scenes), 2),
    ]
    assert [s["metrics"]["abs_rel"] for s in record["sets"]] == [
        pytest.approx(np.mean(values), abs=2e-4) for values in (first, second)
    ]
    with table.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert {row["truth"] for row in written} == {"measured"}
    assert [(row["set"], row["frame"]) for row in written] == [
        ("kitti2015", "000000"),
        ("kitti2015", "000001"),
        ("rig", "000010"),
        ("rig", "000012"),
    ]
    assert [float(row["abs_rel"]) for row in written] == pytest.approx(list(errors.values()), abs=2e-4)


def test_sigma_that_rises_with_the_error_is_in_rank_order(tmp_path, write_kitti2015_scene, student, capsys):
    folder = tmp_path / "rig"
    for number, blue in enumerate((127, 90, 150)):  # the less blue, the larger sigma
        error = 0.1 + 0.002 * (200 - blue)
        write_kitti2015_scene(folder, f"{number:06d}", (RED, 0, blue), 175.0 / (DEPTH / (1 + error)))
    path = tmp_path / "result.json"
    assert evaluate(folder, student, "--json", str(path), dataset="synthetic") == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["sigma_rank_correlation"] == pytest.approx(1)
    relative = [frame["metrics"]["relative_sigma"] for frame in record["sets"][0]["frames"]]
    assert relative == pytest.approx([1.25 * np.exp(-4 * blue / 255) for blue in (127, 90, 150)], rel=1e-4)
    assert "rank correlation by frame of relative_sigma and abs_rel: 1.00" in capsys.readouterr().out


def write_street(write_scene, folder, *scenes):
    """Scenes of a level road 1.65 m below the camera, with a box of 64 pixels 8 m away."""
    downwards = np.maximum(np.arange(64) - 31.5, 1e-3) / 350
    depth = np.where(downwards > 0.02, 1.65 / downwards, np.inf)[:, None].repeat(192, axis=1)
    depth[40:56, 90:94] = 8.0
    for scene in scenes:
        write_scene(folder, scene, (RED, 0, BLUE), 175.0 / depth)


def test_obstacles_and_ground_are_told_apart(root, tmp_path, write_kitti2015_scene, student, capsys):
    folder, path, table = tmp_path / "street", tmp_path / "result.json", tmp_path / "frames.csv"
    write_street(write_kitti2015_scene, folder, "000000", "000001")
    command = ["evaluate", "--model", str(student), "--backend", "onnxruntime", "--dataset", "synthetic"]
    command += ["--camera-height", "1.65", "--json", str(path), "--csv", str(table)]
    assert main([*command, "--root", str(folder)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "obstacle: 128 pixels in 2 frames; ground: " in out
    assert "obstacles: 0.4 to 2.65 m above the road; ground: up to 0.2 m; both within 40 m" in out
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["protocol"]["camera_height"] == 1.65
    assert record["parts"]["obstacle"] == {"pixels": 128, "frames": 2}
    assert record["metrics"]["obstacle_abs_rel"] == pytest.approx(DEPTH / 8 - 1, rel=0.01)
    assert record["sets"][0]["frames"][0]["road"] == {"up": [0.0, -1.0, 0.0], "camera_height": 1.65}
    with table.open(encoding="utf-8", newline="") as file:
        assert [row["obstacle_pixels"] for row in csv.DictReader(file)] == ["64", "64"]

    assert main([*command, "--root", str(folder), str(root)]) == 0
    rows = capsys.readouterr().out
    assert rows.count("│ obstacle │") == 3  # each folder and both together


def test_classes_of_synthetic_pixels_have_metrics_of_their_own(
    tmp_path, write_kitti2015_scene, student, capsys
):
    folder, path = tmp_path / "street", tmp_path / "result.json"
    write_street(write_kitti2015_scene, folder, "000000")
    classes = np.full((64, 192), PixelClass.GROUND, np.uint8)
    classes[40:56, 90:94] = PixelClass.PERSON
    classes[:20] = PixelClass.SKY
    (folder / "training" / "class").mkdir()
    cv2.imwrite(str(folder / "training" / "class" / "000000_10.png"), classes)
    assert evaluate(folder, student, "--json", str(path), dataset="synthetic") == 0
    assert "person: 64 pixels in 1 frames" in " ".join(capsys.readouterr().out.split())
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["parts"]["person"] == {"pixels": 64, "frames": 1}
    assert record["metrics"]["person_abs_rel"] == pytest.approx(DEPTH / 8 - 1, rel=0.01)
    assert record["metrics"]["person_coverage_1sigma"] == 0
    assert not any(name.startswith(("vehicle", "pole", "sign")) for name in record["metrics"])


def test_frames_without_a_road_are_counted_and_named(root, student, tmp_path, capsys):
    path = tmp_path / "result.json"
    assert evaluate(root, student, "--json", str(path)) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "no road found in 2 of 2 frames, which are in no figure of obstacles and ground: 000000, 000001"
        in out
    )
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["sets"][0]["roadless"] == list(TRUTHS)
    assert record["parts"] == {}
    assert "ground_abs_rel" not in record["metrics"]


def test_a_model_trained_on_one_of_several_folders_is_refused_before_any_work(
    root, rig, tmp_path, write_color_student, capsys
):
    data = [{"name": "rig", "split": "training", "scenes": ["000012"]}]
    leaky = write_color_student(tmp_path / "leaky.onnx", training={"data": data})
    command = ["evaluate", "--model", str(leaky), "--dataset", "synthetic", "--root", str(root), str(rig)]
    assert main(command) == 1
    captured = capsys.readouterr()
    assert "trained on 1 of the 3 frames to evaluate (000012)" in captured.err
    assert "Evaluating" not in captured.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "synthetic", "--split", "all", "all", "all"], "--split has 3 values and --root 2"),
        (["--dataset", "synthetic", "kitti2015", "kitti2012"], "--dataset has 3 values and --root 2"),
        (["--dataset", "synthetic", "kitti_eigen"], "synthetic, kitti_eigen are usually cropped differently"),
    ],
)
def test_options_that_do_not_fit_the_folders_are_refused(root, rig, student, options, message, capsys):
    assert main(["evaluate", "--model", str(student), "--root", str(root), str(rig), *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_flip_is_printed_when_on(root, student, capsys):
    assert evaluate(root, student, "--flip") == 0
    assert "--flip" in capsys.readouterr().out


def test_training_frames_are_refused(root, tmp_path, write_color_student, capsys):
    data = [{"name": "kitti2015", "split": "training", "scenes": ["000001", "000002"]}]
    student = write_color_student(tmp_path / "leaky.onnx", training={"data": data})
    path = tmp_path / "result.json"
    assert evaluate(root, student, "--json", str(path)) == 1
    captured = capsys.readouterr()
    assert "trained on 1 of the 2 frames to evaluate (000001)" in captured.err
    assert captured.out == ""
    assert not path.exists()

    assert evaluate(root, student, "--json", str(path), "--allow-training-frames") == 0
    assert "WARNING" in capsys.readouterr().out
    assert json.loads(path.read_text(encoding="utf-8"))["sets"][0]["leakage"]["trained"] == ["000001"]


def test_a_card_without_training_data_leads_to_a_warning(root, color_student, capsys):
    assert evaluate(root, color_student) == 0
    assert "does not say what it was trained on" in " ".join(capsys.readouterr().out.split())


def test_a_synthetic_drive_is_evaluated(root, student, capsys):
    assert evaluate(root, student, dataset="synthetic") == 0
    assert "kitti, split all, 2 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "split", "message"),
    [
        ([], "validation", "--split all for the 2 scenes"),
        (["--cap", "5"], "all", "kitti2015: no ground truth counts in any of 2 frames"),
        (["--crop", "garg-kitti"], "all", "garg-kitti needs images of at least 352x1216"),
        (["--network-size", "100x200"], "all", "network size 100x200"),
    ],
)
def test_what_cannot_be_evaluated_is_one_clear_error(
    root, student, options, split, message, tmp_path, capsys
):
    path = tmp_path / "result.json"
    assert evaluate(root, student, *options, "--json", str(path), split=split) == 1
    assert message in capsys.readouterr().err
    assert not path.exists()


def test_a_result_that_could_not_be_written_is_told_before_the_work(root, student, tmp_path, capsys):
    assert evaluate(root, student, "--json", str(tmp_path)) == 1
    captured = capsys.readouterr()
    assert "it is a folder" in captured.err
    assert "Evaluating" not in captured.err


def test_a_missing_model_is_named(root, tmp_path, capsys):
    assert evaluate(root, tmp_path / "none.onnx") == 1
    assert "none.onnx does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("name", model_names())
def test_the_accuracy_of_installed_models_is_what_their_cards_say(real_data, name, tmp_path):
    path = tmp_path / "result.json"
    command = ["evaluate", "--dataset", "kitti_folder", "--root", str(real_data / "kitti2015_more")]
    command += ["--model", name]
    assert main([*command, "--split", "validation", "--json", str(path)]) == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    on_places = (e for e in read_card(find_model(name)).accuracy if e["data"] == "kitti2015_more")
    claimed = next(on_places)
    measured = {name: record["metrics"][name] for name in claimed["metrics"]}
    assert measured == pytest.approx(claimed["metrics"], rel=0.02)
    assert record["metrics"]["aurg_abs_rel"] > 0
    # Frames it was trained on, or that show the same places, must not be used for evaluation.
    scenes = tmp_path / "trained.txt"
    scenes.write_text("000043_10\n", encoding="utf-8")
    trained_on = {entry["name"] for entry in read_card(find_model(name)).training["data"]}
    assert main([*command, "--split", str(scenes)]) == ("kitti2015_more" in trained_on)


def test_the_reference_method_is_judged_with_disparity_and_without_sigma(tmp_path, textured_pair, capsys):
    write_calibration(tmp_path / "rig" / "calibration.json", CAMERA, 0.5)
    depth = np.full((64, 160), 75.0 / 12, np.float32)
    write_sample(tmp_path / "rig", Sample("a", *textured_pair(0, 12), depth, CAMERA, 0.5))
    path = tmp_path / "result.json"
    arguments = ["evaluate", "--dataset", "stereo_folder", "--root", str(tmp_path / "rig")]
    assert main([*arguments, "--method", "sgbm", "--json", str(path)]) == 0
    out = capsys.readouterr().out
    assert "d1_all (%)" in out
    assert "coverage" not in out
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["metrics"]["abs_rel"] < 0.02
    assert record["metrics"]["d1_all"] == 0.0
    assert record["model"] == {
        "name": "OpenCV SGBM, left-right check, gaps filled",
        "stereo": True,
        "backend": "opencv",
    }
    assert record["sets"][0]["leakage"] == NOTHING_LEAKED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "a.onnx", "--checkpoint", "b"], "--model and --checkpoint exclude each other"),
        (["--method", "sgbm", "--flip"], "--flip cannot be combined with --method"),
        (["--method", "sgbm", "--network-size", "64x192"], "--network-size cannot be combined with --method"),
        (["--checkpoint", "b", "--backend", "openvino"], "--backend cannot be combined with --checkpoint"),
    ],
)
def test_options_that_do_not_go_together_are_refused(root, options, message, capsys):
    assert main(["evaluate", "--dataset", "kitti2015", "--root", str(root), "--split", "all", *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--files", "list.txt"], "kitti2015 takes no list of frames"),
        (["--size", "full"], "size 'full' is unknown to kitti2015"),
    ],
)
def test_options_that_a_data_set_does_not_have_are_refused(root, options, message, capsys):
    assert main(["evaluate", "--dataset", "kitti2015", "--root", str(root), "--split", "all", *options]) == 1
    assert message in capsys.readouterr().err


def test_the_eigen_test_is_cropped_as_usual_and_says_what_is_left_out(
    tmp_path, write_kitti_raw_frame, student, capsys
):
    drive = "2011_09_26_drive_0002_sync"
    for number in (5, 6):
        write_kitti_raw_frame(tmp_path, drive, number, "val", depth=number < 6)
    lines = f"2011_09_26/{drive} 5 l\n2011_09_26/{drive} 6 l\n"
    (tmp_path / "test_files.txt").write_text(lines, encoding="utf-8")
    arguments = ["evaluate", "--dataset", "kitti_eigen", "--root", str(tmp_path), "--model", str(student)]
    assert main(arguments) == 1
    assert "garg-kitti needs images of at least 352x1216" in capsys.readouterr().err
    assert main([*arguments, "--crop", "garg"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "kitti_eigen, split test, 1 frames of 2 listed; the others have no ground truth" in out
    assert "kitti2015, which is cut from the same recordings as kitti_eigen" in out
