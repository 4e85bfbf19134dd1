import pytest

pytest.importorskip("trimesh")
pytest.importorskip("embreex")

from adu_depth_core.cli import main
from adu_depth_core.datasets.kitti2015 import Kitti2015

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
        (["--out", "a", "--scenes", "0"], "--scenes"),
        (["--out", "a", "--frames", "0"], "frames"),
        (["--out", "a", "--baseline", "-1"], "baseline"),
        (["--out", "a", "--rate", "0"], "rate"),
        (["--out", "a", "--focal", "nan"], "focal"),
        (["--bag", "a", "--lidar-beams", "0"], "beams"),
        (["--bag", "a", "--lidar-noise", "-1"], "range_noise"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_bad_options_get_one_clear_error_and_write_nothing(options, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["synth-drive", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("adu_depth: error:")
    assert text in error
    assert not any(tmp_path.iterdir())


def test_a_size_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["synth-drive", "--out", "a", "--size", "large"])
    assert "rows x columns" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_before_rendering(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["synth-drive", "--out", str(tmp_path / "file"), *SMALL]) == 1
    assert "cannot be written" in capsys.readouterr().err
