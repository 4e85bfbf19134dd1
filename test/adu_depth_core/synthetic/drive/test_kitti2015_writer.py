import numpy as np
import pytest

pytest.importorskip("trimesh")

from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.images import read_png16
from adu_depth_core.stereo_pair import disparity_from_depth
from adu_depth_core.synthetic.drive.kitti2015_writer import seen_by_right, write_kitti2015


@pytest.fixture(scope="module")
def folder(small_drive, tmp_path_factory):
    root = tmp_path_factory.mktemp("synthetic")
    for scene, frame in enumerate(small_drive.frames):
        write_kitti2015(root, scene, small_drive.rig, frame)
    return root


def test_the_kitti_reader_reads_it(small_drive, folder):
    dataset, rig = Kitti2015(folder), small_drive.rig
    assert dataset.scenes == ["000000", "000001", "000002"]
    for sample, frame in zip(dataset, small_drive.frames, strict=True):
        assert np.array_equal(sample.left, frame.left)
        assert np.array_equal(sample.right, frame.right)
        assert sample.camera.size == rig.camera.size
        np.testing.assert_allclose(sample.camera.matrix, rig.camera.matrix, rtol=1e-9)
        assert sample.baseline == pytest.approx(rig.baseline)
        known = sample.depth > 0
        assert 0.4 < known.mean() < 1
        # Disparity is stored in units of 1/256 pixel.
        inverse = 1 / sample.depth[known] - 1 / frame.depth[known]
        assert np.abs(inverse).max() * rig.camera.fx * rig.baseline <= 1 / 512 + 1e-4


def test_sky_has_no_disparity_and_all_else_has(small_drive, folder):
    for scene, frame in enumerate(small_drive.frames):
        everything = read_png16(folder / "training" / "disp_occ_0" / f"{scene:06d}_10.png")
        common = read_png16(folder / "training" / "disp_noc_0" / f"{scene:06d}_10.png")
        assert np.array_equal(everything > 0, np.isfinite(frame.depth))
        assert np.all((common == everything) | (common == 0))


def test_disparity_is_focal_times_baseline_over_depth():
    depth = np.array([[10.0, np.inf, 40.0]], np.float32)
    np.testing.assert_allclose(disparity_from_depth(depth, 400.0), [[40.0, 0.0, 10.0]])


def test_pixels_beside_a_near_object_are_hidden_from_the_right_camera():
    """Background at 1 px of disparity, a post at columns 6 and 7 with 4 px: it lands on columns 2 and 3."""
    disparity = np.array([[1, 1, 1, 1, 1, 1, 4, 4, 1, 1]], np.float32)
    # Background columns 3 and 4 land there too and are hidden; column 0 leaves the image.
    assert seen_by_right(disparity)[0].tolist() == [
        False,
        True,
        True,
        False,
        False,
        True,
        True,
        True,
        True,
        True,
    ]


def test_sky_is_not_a_common_pixel():
    assert not seen_by_right(np.zeros((2, 3), np.float32)).any()
