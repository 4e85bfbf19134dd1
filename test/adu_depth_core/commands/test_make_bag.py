import cv2
import numpy as np
import pytest

from adu_depth_core.cli import main

pytest.importorskip("rosbags")
from adu_depth_core.bags.reader import BagReader


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "image_2").mkdir()
    for i in range(2):
        cv2.imwrite(str(tmp_path / "image_2" / f"{i:06d}.png"), np.zeros((4, 8, 3), np.uint8))
    (tmp_path / "calib.txt").write_text("P2: 50 0 3.5 0 0 50 1.5 0 0 0 1 0\n")
    return tmp_path


def test_it_says_what_it_wrote(folder, capsys):
    assert main(["make-bag", str(folder), "--out", str(folder / "bag")]) == 0
    output = capsys.readouterr().out
    assert "2 frames" in output
    assert "/camera/left/image_rect" in output
    assert (folder / "bag" / "metadata.yaml").is_file()


def test_the_bag_notes_what_it_was_made_of(folder):
    assert main(["make-bag", str(folder), "--out", str(folder / "bag")]) == 0
    with BagReader(folder / "bag") as bag:
        assert bag.custom_data == {"adu_depth.folder": folder.name, "adu_depth.frames": "000000 000001"}


def test_an_existing_bag_is_kept_unless_told(folder, capsys):
    command = ["make-bag", str(folder), "--out", str(folder / "bag")]
    assert main(command) == 0
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


@pytest.mark.parametrize("option", ["--rate=0", "--rate=nan", "--start-time=-1"])
def test_a_value_out_of_range_is_refused(folder, option, capsys):
    assert main(["make-bag", str(folder), "--out", str(folder / "bag"), option]) == 1
    assert option.partition("=")[0] in capsys.readouterr().err
