import shutil

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.cli import main
from adu_depth_core.datasets import labelling
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import StereoFolder, label_path, write_calibration, write_sample
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import open_benchmark

CAMERA = Camera(150.0, 150.0, 79.5, 31.5, 160, 64)
DISPARITIES = {"a": 12, "b": 6, "c": 8}


@pytest.fixture
def folder(tmp_path, textured_pair):
    """Three pairs of one textured plane each; the last already has depth."""
    root = tmp_path / "rig"
    write_calibration(root / "calibration.json", CAMERA, 0.5)
    for seed, (name, disparity) in enumerate(DISPARITIES.items()):
        depth = np.full((64, 160), 9.0, np.float32) if name == "c" else None
        write_sample(root, Sample(name, *textured_pair(seed, disparity), depth, CAMERA, 0.5))
    return root


def test_pairs_without_depth_get_labels_to_train_on(folder, capsys):
    assert main(["make-labels", str(folder)]) == 0
    assert "2 pairs labelled" in capsys.readouterr().out
    samples = {sample.name: sample for sample in StereoFolder(folder)}
    for name in ("a", "b"):
        known = samples[name].depth > 0
        assert known.mean() > 0.5
        np.testing.assert_allclose(samples[name].depth[known], 75.0 / DISPARITIES[name], rtol=0.15)
    assert (samples["c"].depth == 9.0).all()  # measured depth is kept
    assert not label_path(folder, "c").exists()


def test_labels_are_no_ground_truth_to_be_judged_by(folder):
    assert main(["make-labels", str(folder)]) == 0
    with pytest.raises(UserError, match="2 of 3 scenes have no ground truth"):
        open_benchmark("stereo_folder", folder)


def test_an_interrupted_run_goes_on_where_it_stopped(folder, monkeypatch, capsys):
    original, matched = labelling.match_stereo, []

    def interrupted(*arguments):
        matched.append(1)
        if len(matched) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(labelling, "match_stereo", interrupted)
    assert main(["make-labels", str(folder)]) == 130
    assert [label_path(folder, name).is_file() for name in ("a", "b")] == [True, False]
    assert main(["make-labels", str(folder)]) == 0
    assert len(matched) == 3
    assert "1 pairs labelled" in (out := capsys.readouterr().out)
    assert "2 had depth or a label already" in out
    assert main(["make-labels", str(folder)]) == 0
    assert "0 pairs labelled; 3 had depth" in capsys.readouterr().out


def test_far_labels_are_left_out(folder):
    assert main(["make-labels", str(folder), "--farthest", "10"]) == 0
    assert not StereoFolder(folder, ["b"])[0].depth.any()  # 12.5 m
    assert StereoFolder(folder, ["a"])[0].depth.any()  # 6.25 m


def test_other_data_sets_become_stereo_folders_one_for_each_rig(tmp_path, write_kitti_raw_frame, capsys):
    drives = ("2011_09_26_drive_0001_sync", "2011_09_28_drive_0001_sync")
    for drive in drives:
        write_kitti_raw_frame(tmp_path / "kitti", drive, 5, "train")
    calibration = tmp_path / "kitti" / "2011_09_28" / "calib_cam_to_cam.txt"
    calibration.write_text(calibration.read_text().replace("-75", "-60"))
    out = tmp_path / "out"
    command = ["make-labels", str(tmp_path / "kitti"), "--dataset", "kitti_official", "--out", str(out)]
    assert main(command) == 0
    folders = sorted(out.iterdir())
    assert [StereoFolder(folder).scenes for folder in folders] == [
        ["2011_09_28_drive_0001_sync_0000000005"],
        ["2011_09_26_drive_0001_sync_0000000005"],
    ]
    for folder, baseline in zip(folders, (0.4, 0.5), strict=True):
        sample = StereoFolder(folder)[0]
        assert sample.baseline == pytest.approx(baseline)
        np.testing.assert_allclose(np.median(sample.depth[sample.depth > 0]), 150 * baseline / 5, rtol=0.05)
    capsys.readouterr()
    assert main(command) == 0
    assert "0 pairs labelled; 2 had depth or a label already" in capsys.readouterr().out


def test_pairs_that_hardly_match_are_named(folder, textured_pair, capsys):
    write_sample(folder, Sample("d", textured_pair(7, 3)[0], textured_pair(8, 3)[1], None, CAMERA, 0.5))
    assert main(["make-labels", str(folder)]) == 0
    assert "less than 15 % of 1: d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "x"], "labels of a stereo_folder are written into it; omit --out"),
        (["--dataset", "kitti2015"], "--out is missing: labels of kitti2015"),
        (["--nearest", "90"], "nearest is 90 and farthest 80 m"),
    ],
)
def test_options_of_no_use_are_refused(folder, options, message, capsys):
    assert main(["make-labels", str(folder), *options]) == 2
    assert message in capsys.readouterr().err


def test_a_split_takes_labels_for_truth_and_says_of_which_frames(folder):
    with pytest.raises(UserError, match=r"2 of 3 scenes have neither depth nor a label.*make-labels"):
        open_benchmark("stereo_folder", folder, "labelled")
    assert main(["make-labels", str(folder)]) == 0
    benchmark = open_benchmark("stereo_folder", folder, "labelled")
    assert list(benchmark.frames) == ["a", "b", "c"]
    assert list(benchmark.pseudo) == ["a", "b"]
    with pytest.raises(UserError, match="--split labelled"):  # the suggested fix
        open_benchmark("stereo_folder", folder)


def test_several_folders_are_labelled_in_one_command(folder, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    assert main(["make-labels", str(folder), str(other)]) == 0
    assert all(label_path(root, "a").is_file() for root in (folder, other))
    assert capsys.readouterr().out.count("2 pairs labelled") == 2
