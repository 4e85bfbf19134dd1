import cv2
import numpy as np
import pytest

pytest.importorskip("trimesh")

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.datasets.synthetic_folder import SyntheticFolder
from adu_depth_core.errors import UserError
from adu_depth_core.synthetic.drive.kitti2015_writer import write_kitti2015
from adu_depth_core.synthetic.frame import DriveFrame, Rig

RIG = Rig(Camera(800.0, 800.0, 31.5, 15.5, 64, 32), 0.5, np.eye(4), np.eye(4))


@pytest.fixture
def folder(tmp_path):
    """One monocular image: sky above ground at 20 m, and a car at 1 m, nearer than disparity can encode."""
    depth = np.full((32, 64), 20.0, np.float32)
    classes = np.full((32, 64), PixelClass.GROUND, np.uint8)
    depth[:10], classes[:10] = np.inf, PixelClass.SKY
    depth[20:, 50:], classes[20:, 50:] = 1.0, PixelClass.VEHICLE
    left = np.full((32, 64, 3), (10, 20, 30), np.uint8)
    frame = DriveFrame(0, 0, left, None, depth, np.empty((0, 4), np.float32), np.eye(4), classes)
    write_kitti2015(tmp_path, 0, RIG, frame)
    return tmp_path


def test_a_single_image_comes_back_without_right_view_and_baseline(folder):
    (sample,) = list(SyntheticFolder(folder))
    assert (sample.right, sample.baseline) == (None, None)
    assert sample.camera == RIG.camera
    assert np.array_equal(sample.left[0, 0], (10, 20, 30))
    assert sample.depth[15, 5] == pytest.approx(20.0, rel=1e-3)


def test_classes_come_back(folder):
    (sample,) = list(SyntheticFolder(folder))
    assert sample.classes.dtype == np.uint8
    assert [sample.classes[row, 60] for row in (0, 15, 25)] == [
        PixelClass.SKY,
        PixelClass.GROUND,
        PixelClass.VEHICLE,
    ]


def test_what_is_too_near_for_a_disparity_is_unknown_not_sky(folder):
    (sample,) = list(SyntheticFolder(folder))
    assert np.all(sample.depth[20:, 50:] == 0)
    assert np.array_equal(np.isinf(sample.depth), sample.classes == PixelClass.SKY)


def test_a_folder_without_classes_is_read_as_before(folder):
    (folder / "training" / "class" / "000000_10.png").unlink()
    (sample,) = list(SyntheticFolder(folder))
    assert sample.classes is None
    assert np.isinf(sample.depth[0, 0])


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((32, 63), np.uint8), r"has \(32, 63\)"),
        (np.zeros((32, 64, 3), np.uint8), "8-bit one-channel"),
        (np.full((32, 64), 77, np.uint8), "class 77"),
    ],
    ids=["size", "colour", "class"],
)
def test_a_class_image_that_is_none_is_named(folder, image, text):
    path = folder / "training" / "class" / "000000_10.png"
    cv2.imwrite(str(path), image)
    with pytest.raises(UserError, match=f"000000_10.png.*{text}"):
        SyntheticFolder(folder)[0]
