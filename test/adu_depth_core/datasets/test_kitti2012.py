import cv2
import numpy as np
import pytest

from adu_depth_core.datasets.kitti2012 import Kitti2012
from adu_depth_core.errors import UserError
from adu_depth_core.images import write_png16


@pytest.fixture
def root(tmp_path, textured_pair):
    folder = tmp_path / "training"
    for sides in (("colored_0", "colored_1"), ("image_0", "image_1")):
        for side, image in zip(sides, textured_pair(1, 6), strict=True):
            (folder / side).mkdir(parents=True)
            grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            cv2.imwrite(str(folder / side / "000003_10.png"), image if side.startswith("c") else grey)
    write_png16(folder / "disp_noc" / "000003_10.png", np.full((64, 160), 6.0))
    (folder / "calib").mkdir()
    rows = {"P0": 0, "P1": -60, "P2": 5, "P3": -50}
    text = "".join(f"{name}: 150 0 79.5 {x} 0 150 31.5 0 0 0 1 0\n" for name, x in rows.items())
    (folder / "calib" / "000003.txt").write_text(text, encoding="utf-8")
    return tmp_path


def test_colour_pairs_with_the_baseline_of_the_truth(root):
    sample = Kitti2012(root)[0]
    assert sample.name == "000003"
    assert len(np.unique(sample.left[..., 0] - sample.left[..., 1])) > 1
    np.testing.assert_array_equal(sample.left[:, 6:], sample.right[:, :-6])
    assert sample.baseline == pytest.approx(0.4)  # of P0 and P1, not of the colour cameras
    assert sample.depth[0, 0] == pytest.approx(60 / 6)


def test_grey_pairs_serve_where_there_is_no_colour(root):
    for side in ("colored_0", "colored_1"):
        (root / "training" / side / "000003_10.png").unlink()
        (root / "training" / side).rmdir()
    sample = Kitti2012(root)[0]
    assert sample.left.shape == sample.right.shape == (64, 160, 3)
    assert (sample.left[..., 0] == sample.left[..., 2]).all()


def test_a_wrong_folder_says_what_was_expected_and_found(root):
    with pytest.raises(
        UserError, match=r"KITTI 2012 expects the folder .*colored_0 or .*image_0; .* holds training"
    ):
        Kitti2012(root, subset="testing")
