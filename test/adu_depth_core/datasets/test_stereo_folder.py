import dataclasses
import json

import numpy as np
import pytest

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import CALIBRATION, StereoFolder, write_calibration, write_sample
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import open_benchmark

CAMERA = Camera(50.0, 51.0, 7.5, 3.5, 16, 8)


def sample(name, depth=True):
    rng = np.random.default_rng(3)
    left, right = rng.integers(0, 256, (2, 8, 16, 3), np.uint8)
    truth = (rng.integers(0, 80 * 256, (8, 16)) / 256).astype(np.float32) if depth else None
    return Sample(name, left, right, truth, CAMERA, 0.25)


@pytest.fixture
def folder(tmp_path):
    write_calibration(tmp_path / CALIBRATION, CAMERA, 0.25)
    write_sample(tmp_path, sample("b"))
    write_sample(tmp_path, sample("a", depth=False))
    return tmp_path


def test_what_is_written_is_read(folder):
    dataset = StereoFolder(folder)
    assert [s.name for s in dataset] == ["a", "b"]
    assert dataset[0].depth is None
    expected = sample("b")
    for name in ("left", "right", "depth"):
        np.testing.assert_array_equal(getattr(dataset[1], name), getattr(expected, name))
    assert (dataset[1].camera, dataset[1].baseline) == (CAMERA, 0.25)


def test_single_images_have_no_baseline(tmp_path):
    write_calibration(tmp_path / CALIBRATION, CAMERA, None)
    write_sample(tmp_path, dataclasses.replace(sample("a"), right=None, baseline=None))
    (read,) = StereoFolder(tmp_path)
    assert (read.right, read.baseline) == (None, None)
    np.testing.assert_array_equal(read.depth, sample("a").depth)
    assert not (tmp_path / "right").exists()


def test_it_can_be_evaluated_on_where_there_is_depth(folder, tmp_path):
    (tmp_path / "scenes.txt").write_text("b\n", encoding="utf-8")
    benchmark = open_benchmark("stereo_folder", folder, str(tmp_path / "scenes.txt"))
    assert (benchmark.dataset, benchmark.frames) == (folder.name, ["b"])
    with pytest.raises(UserError, match=r"no ground truth.*a\.png"):
        open_benchmark("stereo_folder", folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"fx": 0}, "not calibrated"),
        ({"baseline": -1}, "baseline is -1"),
        ({"cx": "left"}, "calibration.json"),
    ],
)
def test_a_wrong_calibration_is_named(folder, change, complaint):
    content = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
    (folder / CALIBRATION).write_text(json.dumps({**content, **change}), encoding="utf-8")
    with pytest.raises(UserError, match=complaint):
        StereoFolder(folder)


def test_a_folder_without_calibration_or_images_is_named(tmp_path):
    with pytest.raises(UserError, match=r"calibration\.json"):
        StereoFolder(tmp_path)
    write_calibration(tmp_path / CALIBRATION, CAMERA, 0.25)
    with pytest.raises(UserError, match="holds no image"):
        StereoFolder(tmp_path)


def test_an_image_of_another_size_is_named(folder):
    write_calibration(folder / CALIBRATION, CAMERA.resize(32, 16), 0.25)
    with pytest.raises(UserError, match=r"left/a\.png has \(8, 16\)"):
        StereoFolder(folder)[0]
