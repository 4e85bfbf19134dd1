import cv2
import numpy as np
import pytest

from adu_depth_core.datasets.kitti_folder import KittiFolder
from adu_depth_core.errors import UserError
from adu_depth_core.images import write_png16

CALIBRATION = "P2: 150 0 79.5 0 0 140 31.5 0 0 0 1 0\n"


@pytest.fixture
def root(tmp_path):
    """One frame of one camera, 64x160, with depth."""
    write_frame(tmp_path, "a")
    return tmp_path


def write_frame(root, name, size=(64, 160), depth_size=None):
    for folder in ("image_2", "calib"):
        (root / folder).mkdir(exist_ok=True)
    cv2.imwrite(str(root / "image_2" / f"{name}.png"), np.full((*size, 3), 90, np.uint8))
    (root / "calib" / f"{name}.txt").write_text(CALIBRATION, encoding="utf-8")
    write_png16(root / "gt_depth" / f"{name}.png", np.full(depth_size or size, 12.0, np.float32))


def test_a_frame_of_one_camera_has_depth_and_no_right_view(root):
    sample = KittiFolder(root)[0]
    assert (sample.name, sample.right, sample.baseline) == ("a", None, None)
    assert (sample.camera.fx, sample.camera.fy, sample.camera.size) == (150.0, 140.0, (64, 160))
    np.testing.assert_array_equal(sample.depth, np.full((64, 160), 12.0, np.float32))


def test_frames_may_differ_in_size(root):
    write_frame(root, "b", (70, 180))
    assert [sample.camera.size for sample in KittiFolder(root)] == [(64, 160), (70, 180)]


def test_depth_of_another_size_than_its_image_is_refused(root):
    write_frame(root, "b", depth_size=(64, 159))
    with pytest.raises(UserError, match=r"b\.png has \(64, 159\) .*, its left image \(64, 160\)"):
        KittiFolder(root, ["b"])[0]


def test_a_right_view_of_another_size_is_refused(root):
    (root / "image_3").mkdir()
    cv2.imwrite(str(root / "image_3" / "a.png"), np.zeros((64, 150, 3), np.uint8))
    both = CALIBRATION + CALIBRATION.replace("P2", "P3").replace("79.5 0 0", "79.5 -75 0")
    (root / "calib" / "a.txt").write_text(both, encoding="utf-8")
    with pytest.raises(UserError, match=r"image_3.a\.png has \(64, 150\)"):
        KittiFolder(root)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [("P0: 1\n", "no P2 or P_rect_02 line with 12 numbers"), (CALIBRATION.replace("150", "0"), "fx is 0.0")],
)
def test_a_calibration_without_a_camera_is_named(root, text, message):
    (root / "calib" / "a.txt").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=f"a.txt: .*{message}"):
        KittiFolder(root)[0]
