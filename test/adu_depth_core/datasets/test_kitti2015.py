import cv2
import numpy as np
import pytest

from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.datasets.synthetic_folder import SyntheticFolder
from adu_depth_core.errors import UserError


@pytest.fixture
def root(tmp_path, write_kitti2015_scene):
    """Two scenes at 35 m, with an invalid upper left pixel."""
    disparity = np.full((64, 192), 5.0)
    disparity[0, 0] = 0.0
    for scene in ("000000", "000001"):
        write_kitti2015_scene(tmp_path, scene, (200, 100, 50), disparity)
    return tmp_path


def check_sample(sample):
    assert sample.left.shape == sample.right.shape == (64, 192, 3)
    assert tuple(sample.left[0, 0]) == (200, 100, 50)
    assert tuple(sample.right[0, 0]) == (0, 0, 0)
    assert sample.baseline == 0.5
    assert (sample.camera.fx, sample.camera.cx, sample.camera.size) == (350.0, 95.5, (64, 192))
    assert sample.depth.dtype == np.float32
    assert sample.depth[0, 0] == 0.0
    assert sample.depth[4, 4] == 350.0 * 0.5 / 5.0


def test_the_published_layout_is_read(root):
    dataset = Kitti2015(root)
    assert dataset.scenes == ["000000", "000001"]  # the first frame of each, not the second
    assert len(dataset) == 2
    assert dataset[1].name == "000001"
    for sample in dataset:
        check_sample(sample)


def test_calibration_in_object_layout_is_read(root):
    published = root / "training" / "calib_cam_to_cam" / "000001.txt"
    text = published.read_text(encoding="utf-8").replace("P_rect_02", "P2").replace("P_rect_03", "P3")
    published.unlink()
    (root / "training" / "calib").mkdir()
    (root / "training" / "calib" / "000001_10.txt").write_text(text, encoding="utf-8")
    check_sample(Kitti2015(root, ["000001"])[0])


def test_chosen_scenes_keep_their_order(root):
    assert [sample.name for sample in Kitti2015(root, ["000001", "000000"])] == ["000001", "000000"]


def test_what_is_not_there_is_none(root):
    (root / "training" / "image_3" / "000000_10.png").unlink()
    (root / "training" / "disp_noc_0" / "000000_10.png").unlink()
    sample = Kitti2015(root, ["000000"])[0]
    assert sample.right is None
    assert sample.depth is None


def test_a_wrong_folder_says_what_was_expected_and_found(tmp_path):
    (tmp_path / "readme").touch()
    with pytest.raises(UserError, match=r"expects the folder .*image_2; .* holds readme"):
        Kitti2015(tmp_path)
    with pytest.raises(UserError, match=r"expects the folder .*image_2; .* does not exist"):
        Kitti2015(tmp_path / "missing")


def test_missing_scenes_are_listed(root):
    with pytest.raises(UserError, match=r"lacks the scenes 000005, 000009 \(2 scenes are there\)"):
        Kitti2015(root, ["000009", "000001", "000005"])


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "training" / "image_2").mkdir(parents=True)
    with pytest.raises(UserError, match=r"image_2 holds no image named \*_10.png"):
        Kitti2015(tmp_path)


@pytest.mark.parametrize("folder", ["image_3", "disp_noc_0"])
def test_a_file_of_another_size_than_the_left_image_is_named(root, folder):
    path = root / "training" / folder / "000000_10.png"
    cv2.imwrite(str(path), np.ones((64, 191), np.uint16))
    with pytest.raises(UserError, match=rf"{folder}.000000_10.png has \(64, 191\)"):
        Kitti2015(root)[0]


def test_a_synthetic_drive_knows_its_sky(root):
    depth = SyntheticFolder(root)[0].depth
    assert depth[0, 0] == np.inf
    assert depth[4, 4] == 35.0


def test_real_scenes(real_data):
    dataset = Kitti2015(real_data / "kitti2015")
    assert len(dataset) == 40
    sample = Kitti2015(real_data / "kitti2015", ["000004"])[0]
    assert sample.left.shape == sample.right.shape == (375, 1242, 3)
    assert sample.camera.fx * sample.baseline == pytest.approx(384.4, abs=5)
    known = sample.depth > 0
    assert 0.10 < known.mean() < 0.30
    assert 2.0 < sample.depth[known].min() < sample.depth[known].max() < 400.0
