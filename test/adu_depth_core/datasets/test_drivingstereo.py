import cv2
import numpy as np
import pytest

from adu_depth_core.datasets.drivingstereo import DrivingStereo, drive_of
from adu_depth_core.errors import UserError
from adu_depth_core.images import write_png16

SEQUENCE = "2018-07-11-14-48-52"
NAME = f"{SEQUENCE}_2018-07-11-14-50-08-769"
FOLDERS = {
    "training": "train-{kind}/" + SEQUENCE,
    "test": "test-{kind}/{kind}-{size}-size",
    "sunny": "sunny/{kind}-{size}-size",
}


@pytest.fixture
def write(tmp_path, textured_pair):
    """Writes a frame of a subset: fx 100 (half size) or 200, 0.5 m baseline, 8 or 16 px, so 6.25 m."""

    def write(subset, size="half", truth=("depth-map", "disparity-map")):
        factor = {"half": 1, "full": 2}[size]
        shape = (40 * factor, 88 * factor)
        for kind, image in zip(
            ("left-image", "right-image"), textured_pair(2, 8 * factor, *shape), strict=True
        ):
            folder = tmp_path / FOLDERS[subset].format(kind=kind, size=size)
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{NAME}.jpg"), image)
        for kind in truth:
            folder = tmp_path / FOLDERS[subset].format(kind=kind, size=size)
            # Half-size disparity is stored * 256, full-size disparity * 128: both as 8 * 256 here.
            value = 6.25 if kind == "depth-map" else 8.0
            write_png16(folder / f"{NAME}.png", np.full(shape, value))
        calibration = tmp_path / "calib" / f"{size}-image-calib" / f"{SEQUENCE}.txt"
        calibration.parent.mkdir(parents=True, exist_ok=True)
        fx = 100 * factor
        calibration.write_text(
            "R_101: 1 0 0 0 1 0 0 0 1\nT_101: 0 0 0\nR_103: 1 0 0 0 1 0 0 0 1\nT_103: -0.3 0 0.4\n"
            f"P_rect_101: {fx} 0 40 0 0 {fx} 20 0 0 0 1 0\nP_rect_103: {fx} 0 40 -100 0 {fx} 20 0 0 0 1 0\n",
            encoding="utf-8",
        )
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("subset", "size"), [("training", "half"), ("test", "half"), ("test", "full"), ("sunny", "full")]
)
@pytest.mark.parametrize("truth", ["depth-map", "disparity-map"])
def test_each_published_layout_is_read(write, subset, size, truth):
    root = write(subset, size, (truth,))
    frames = DrivingStereo(root, subset=subset, size=size)
    assert frames.scenes == [NAME]
    sample = frames[0]
    factor = 1 if size == "half" else 2
    assert sample.left.shape == sample.right.shape == (40 * factor, 88 * factor, 3)
    assert (sample.camera.fx, sample.baseline) == (100 * factor, pytest.approx(0.5))
    np.testing.assert_allclose(sample.depth, 6.25)
    assert frames.truth_path(NAME).is_file()


def test_sizes_side_by_side_are_kept_apart(write):
    write("test", "half")
    root = write("test", "full")
    assert DrivingStereo(root, subset="test")[0].left.shape[0] == 40
    assert DrivingStereo(root, subset="test", size="full")[0].left.shape[0] == 80


def test_a_pair_without_labels_has_no_depth(write):
    frames = DrivingStereo(write("training", truth=()))
    assert frames[0].depth is None
    assert not frames.truth_path(NAME).is_file()


def test_the_sequence_is_the_drive():
    assert drive_of(NAME) == SEQUENCE


def test_what_is_missing_is_named_with_what_was_found(write, tmp_path):
    root = write("training")
    with pytest.raises(
        UserError, match=r"\(test, half size\) expects left images in .*test-left-image; .* holds cal"
    ):
        DrivingStereo(root, subset="test")
    (root / "calib" / "half-image-calib" / f"{SEQUENCE}.txt").unlink()
    with pytest.raises(
        UserError, match=rf"half-image-calib/{SEQUENCE}.txt in .* holds calib, train-depth-map"
    ):
        DrivingStereo(root)[0]


def test_a_calibration_without_the_rig_is_refused(write):
    root = write("training")
    path = root / "calib" / "half-image-calib" / f"{SEQUENCE}.txt"
    path.write_text(path.read_text().replace("T_103", "T_104"))
    with pytest.raises(
        UserError, match=r"expected P_rect_101, P_rect_103, R_101, T_101, R_103 and T_103 \('T_103'\)"
    ):
        DrivingStereo(root)[0]


def test_views_that_do_not_have_one_camera_are_refused(write):
    root = write("training")
    path = root / "calib" / "half-image-calib" / f"{SEQUENCE}.txt"
    path.write_text(path.read_text().replace("P_rect_103: 100 0 40", "P_rect_103: 100 0 44"))
    with pytest.raises(UserError, match=rf"{SEQUENCE}.txt: .*cx 44,.*not a rectified pair"):
        DrivingStereo(root)[0]
