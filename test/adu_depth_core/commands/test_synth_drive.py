import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

import numpy as np

from adu_depth_core.cli import main
from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.datasets.synthetic_folder import SyntheticFolder

SMALL = ["--size", "32x96", "--frames", "2"]


def test_several_streets_go_to_one_folder(tmp_path, capsys):
    assert main(["synth-drive", "--out", str(tmp_path / "a"), "--scenes", "2", *SMALL]) == 0
    assert "4 stereo frames, 2 streets" in capsys.readouterr().out
    dataset = Kitti2015(tmp_path / "a")
    assert len(dataset) == 4
    assert dataset[3].camera.size == (32, 96)


def test_the_camera_is_the_one_asked_for(tmp_path):
    options = ["--focal", "60", "--baseline", "0.3", "--frames", "1", "--size", "32x96"]
    assert main(["synth-drive", "--out", str(tmp_path / "a"), *options]) == 0
    sample = Kitti2015(tmp_path / "a")[0]
    assert sample.camera.fx == 60
    assert sample.baseline == pytest.approx(0.3)


def test_a_camera_that_looks_down_is_90_degrees_wide_and_high(tmp_path):
    options = ["--fov", "90", "--camera-height", "2.2", "--pitch", "-6", "--frames", "1", "--size", "96x128"]
    assert main(["synth-drive", "--out", str(tmp_path / "a"), *options]) == 0
    sample = SyntheticFolder(tmp_path / "a")[0]
    assert sample.camera.fx == pytest.approx(64)
    assert sample.right is not None
    # A point on the road, 6 degrees down by the camera's pitch and further by its row.
    row = 90
    below = np.radians(6) + np.arctan((row - sample.camera.cy) / sample.camera.fy)
    slant = sample.depth[row, 64] * np.hypot(1, (row - sample.camera.cy) / sample.camera.fy)
    assert slant * np.sin(below) == pytest.approx(2.2, rel=0.1)  # the vehicle pitches a little


def test_each_scene_has_a_camera_of_its_own(tmp_path):
    options = [
        "--random-camera",
        "--scenes",
        "3",
        "--frames",
        "1",
        "--size",
        "48x64,32x96",
        "--pitch",
        "-8:4",
    ]
    assert main(["synth-drive", "--out", str(tmp_path / "a"), *options]) == 0
    samples = list(SyntheticFolder(tmp_path / "a"))
    assert len({sample.camera for sample in samples}) == 3
    assert {sample.camera.size for sample in samples} <= {(48, 64), (32, 96)}
    assert len({sample.baseline for sample in samples}) == 3


def test_the_frames_of_a_drive_share_a_random_camera(tmp_path):
    options = ["--random-camera", "--frames", "2", "--size", "32x96"]
    assert main(["synth-drive", "--out", str(tmp_path / "a"), *options]) == 0
    first, second = SyntheticFolder(tmp_path / "a")
    assert first.camera == second.camera


def test_single_images_from_places_far_apart(tmp_path, capsys):
    options = ["--spread", "30", "--mono", "--random-camera", "--frames", "3", "--size", "32x48"]
    assert main(["synth-drive", "--out", str(tmp_path / "a"), *options]) == 0
    assert "3 single images, 1 street\n" in capsys.readouterr().out
    samples = list(SyntheticFolder(tmp_path / "a"))
    assert [sample.right for sample in samples] == [None] * 3
    assert len({sample.camera for sample in samples}) == 3
    assert all(sample.classes is not None for sample in samples)
    assert not (tmp_path / "a" / "training" / "image_3").exists()


def test_a_mono_drive_becomes_a_bag_without_right_view(tmp_path):
    rosbags = pytest.importorskip("rosbags.highlevel")
    options = ["--lidar-steps", "90", "--mono", *SMALL]
    assert main(["synth-drive", "--bag", str(tmp_path / "drive"), *options]) == 0
    with rosbags.AnyReader([tmp_path / "drive"]) as bag:
        assert "/camera/left/depth" in bag.topics
        assert "/camera/right/image_rect" not in bag.topics


def test_a_drive_becomes_a_bag(tmp_path, capsys):
    rosbags = pytest.importorskip("rosbags.highlevel")
    options = ["--lidar-steps", "90", *SMALL]
    assert main(["synth-drive", "--bag", str(tmp_path / "drive"), *options]) == 0
    with rosbags.AnyReader([tmp_path / "drive"]) as bag:
        counts = {topic: info.msgcount for topic, info in bag.topics.items()}
    for topic in (
        "/camera/left/image_rect",
        "/camera/right/image_rect",
        "/camera/left/depth",
        "/lidar/points",
    ):
        assert counts[topic] == 2
    assert counts["/tf_static"] == 1


def test_several_drives_become_several_bags(tmp_path):
    pytest.importorskip("rosbags")
    options = ["--scenes", "2", "--seed", "5", "--lidar-steps", "90", *SMALL]
    assert main(["synth-drive", "--bag", str(tmp_path / "bags"), *options]) == 0
    assert sorted(p.name for p in (tmp_path / "bags").iterdir()) == ["drive_000005", "drive_000006"]


def test_frames_that_are_there_are_kept(tmp_path, capsys):
    command = ["synth-drive", "--out", str(tmp_path / "a"), *SMALL]
    assert main(command) == 0
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.png")}
    assert main(command) == 1
    assert "holds frames already" in capsys.readouterr().err
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.png")}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "nothing to write"),
        (["--out", "a", "--baseline", "-1"], "baseline"),
        (["--out", "a", "--fov", "170"], "field of view"),
        (["--out", "a", "--camera-height", "0"], "height"),
        (["--out", "a", "--pitch", "-80:-70"], "pitch"),
        (["--bag", "a", "--spread", "30"], "--spread"),
        (["--out", "a", "--spread", "1000"], "18000 m is the longest"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_bad_options_get_one_clear_error_and_write_nothing(options, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["synth-drive", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("adu_depth: error:")
    assert text in error
    assert not any(tmp_path.iterdir())


def test_a_size_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["synth-drive", "--out", "a", "--size", "large"])
    assert "HEIGHTxWIDTH" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["2:1", "low", "1:", "nan", "inf", "1,,2"])
def test_a_range_that_is_none_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["synth-drive", "--out", "a", "--camera-height", text])
    assert "is not a number or a range such as 1.2:2.6" in capsys.readouterr().err


def test_a_focal_length_and_a_field_of_view_are_one_too_many(capsys):
    with pytest.raises(SystemExit):
        main(["synth-drive", "--out", "a", "--fov", "90", "--focal", "300"])
    assert "not allowed with" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_before_rendering(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["synth-drive", "--out", str(tmp_path / "file"), *SMALL]) == 1
    assert "cannot be written" in capsys.readouterr().err
