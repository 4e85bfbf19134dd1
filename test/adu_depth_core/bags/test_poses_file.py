import numpy as np
import pytest

from adu_depth_core.errors import UserError

pytest.importorskip("rosbags")
from adu_depth_core.bags.poses_file import read_poses


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_poses_are_interpolated_between_stamps_exact_to_the_nanosecond(tmp_path):
    file = write(
        tmp_path / "poses.txt",
        "# stamp tx ty tz qx qy qz qw\n1764000000.100000001 1 0 0 0 0 0 1\n\n"
        "1764000000.300000001 3 0 0 0 0 0 1\n",
    )
    poses = read_poses(file)
    for nanoseconds, x in ((100_000_001, 1), (200_000_001, 2), (300_000_001, 3)):
        pose = poses.at(1_764_000_000_000_000_000 + nanoseconds, "camera")
        np.testing.assert_allclose(pose[:3, 3], [x, 0, 0], atol=1e-12)
    with pytest.raises(LookupError):
        poses.at(1_764_000_000_100_000_000, "camera")


def test_long_drives_are_kept_whole(tmp_path):
    lines = [f"{second}.0 {second} 0 0 0 0 0 1" for second in range(1000)]
    poses = read_poses(write(tmp_path / "poses.txt", "\n".join(lines)))
    assert poses.at(5 * 10**9, "camera")[0, 3] == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "1.0 1 2 3\n",
        "1.0 0 0 0 0 0 0 0\n",
        "1.0 0 0 nan 0 0 0 1\n",
        "1764000000100000001 0 0 0 0 0 0 1\n",
        "a b c d e f g h\n",
        "1.0 0 0 0 1 0 0 0 0 1 0 0\n",
    ],
)
def test_other_content_is_named(tmp_path, text):
    with pytest.raises(UserError, match=r"poses\.txt(, line 1: .*TUM|: has no poses)"):
        read_poses(write(tmp_path / "poses.txt", text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.txt: missing"):
        read_poses(tmp_path / "none.txt")
