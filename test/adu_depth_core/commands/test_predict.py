"""``adu_depth predict`` writes visualisations and metric depth maps, and continues after a bad input."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from adu_depth_core.cli import main
from adu_depth_core.images import read_png16
from adu_depth_core.media import Video, write_video
from adu_depth_core.visualization import UNKNOWN_COLOR

pytest.importorskip("openvino")


@pytest.fixture
def image(tmp_path):
    """A red image, for which the student predicts exp(4 * 128 / 255) * f_net / 350 metres."""
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), np.full((128, 384, 3), (0, 0, 128), np.uint8))
    return path


@pytest.fixture
def predict(color_student, tmp_path):
    """Runs the command on inputs; returns its status."""

    def run(*arguments):
        words = [*map(str, arguments), "--model", str(color_student), "--out", str(tmp_path / "out")]
        return main(["predict", *words])

    return run


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_an_image_becomes_a_picture_and_two_maps(image, predict, tmp_path, capsys):
    assert predict(image, "--focal", 700) == 0
    out = tmp_path / "out"
    assert files_below(out) == ["color/red.png", "depth/red.png", "sigma/red.png"]
    depth = np.exp(4 * 128 / 255) * 350 / 350  # f_net = 700 / 2
    np.testing.assert_allclose(
        read_png16(out / "depth" / "red.png"), np.full((128, 384), depth), atol=1 / 256
    )
    np.testing.assert_allclose(read_png16(out / "sigma" / "red.png"), 1.25 * depth, atol=1 / 256)
    assert cv2.imread(str(out / "color" / "red.png")).shape[0] > 3 * 128
    captured = capsys.readouterr()
    assert captured.out.startswith("1 frame predicted with ")
    assert "1/1" in captured.err


def test_without_a_frame_no_pictures_are_announced(image, predict, capsys):
    assert predict(image, "--focal", 1) == 1
    captured = capsys.readouterr()
    assert captured.out == "1 input failed, see above\n"
    assert "implies a horizontal field of view of 179 degrees, outside 5 to 170" in " ".join(
        captured.err.split()
    )


def test_a_focal_length_that_was_not_trained_for_is_told_once(image, tmp_path, shipped_model, caplog):
    other = tmp_path / "other.png"
    other.write_bytes(image.read_bytes())
    words = ["predict", str(image), str(other), "--model", str(shipped_model), "--out", str(tmp_path / "out")]
    assert main([*words, "--focal", "2800"]) == 0  # 384 columns: 7.9 degrees
    assert caplog.text.count("is not one that adu_student was trained for") == 1
    caplog.clear()
    assert main([*words, "--focal", "300"]) == 0
    assert caplog.text == ""


def test_a_warning_says_that_it_is_one(image, tmp_path, shipped_model):
    words = ["predict", str(image), "--model", str(shipped_model), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "adu_depth_core", *words, "--focal", "2800"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0
    assert (
        sum(line.startswith("adu_depth: warning: a camera with fx") for line in result.stderr.split("\n"))
        == 1
    )


def test_a_video_becomes_a_video_and_maps_if_asked(predict, tmp_path):
    drive = tmp_path / "drive.mp4"
    write_video(drive, [np.full((96, 288, 3), (100, 0, 0), np.uint8)] * 4, 8.0)
    assert predict(drive, "--fx", 500, "--fy", 501, "--cx", 143, "--cy", 47) == 0
    assert files_below(tmp_path / "out") == ["color/drive.mp4"]
    result = Video(tmp_path / "out" / "color" / "drive.mp4")
    assert (result.frame_count, result.rate) == (4, 8.0)
    assert predict(drive, "--focal", 500, "--video-maps") == 0
    assert len(list((tmp_path / "out" / "depth" / "drive").glob("00000?.png"))) == 4
    assert read_png16(tmp_path / "out" / "sigma" / "drive" / "000003.png").shape == (96, 288)


def test_calibration_file_gives_the_focal_length(image, predict, tmp_path):
    calibration = tmp_path / "calib.txt"
    calibration.write_text("P2: 700 0 192 0 0 700 64 0 0 0 1 0\n")
    assert predict(image, "--calib", calibration) == 0
    assert read_png16(tmp_path / "out" / "depth" / "red.png").mean() == pytest.approx(7.45, abs=0.01)


def test_other_inputs_are_predicted_after_bad_ones(image, predict, tmp_path, capsys):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "clip.mp4").write_text("no video")
    assert (
        predict(tmp_path / "gone.png", tmp_path / "text.png", tmp_path / "clip.mp4", image, "--focal", 700)
        == 1
    )
    assert files_below(tmp_path / "out") == ["color/red.png", "depth/red.png", "sigma/red.png"]
    captured = capsys.readouterr()
    for name in ("gone.png", "text.png", "clip.mp4"):
        assert captured.err.count(f"{name}") == 1
    assert "3 inputs failed, see above" in captured.out


@pytest.mark.parametrize(("options", "grey"), [([], True), (["--max-relative-sigma", "2"], False)])
def test_what_the_node_would_withhold_is_grey_in_the_picture_alone(image, predict, tmp_path, options, grey):
    """The student's sigma is 1.25 times the depth."""
    assert predict(image, "--focal", 700, *options) == 0
    picture = cv2.imread(str(tmp_path / "out" / "color" / "red.png"))
    share = (picture == UNKNOWN_COLOR[::-1]).all(-1).mean()
    assert share > 0.5 if grey else share < 0.01
    assert read_png16(tmp_path / "out" / "depth" / "red.png").min() > 0


def test_no_focal_length_is_an_error_that_says_how_to_get_one(image, predict, tmp_path, capsys):
    assert predict(image) == 2
    message = capsys.readouterr().err
    for way in ("--calib FILE", "--focal PX", "focal length in mm / sensor width in mm"):
        assert way in message
    assert not (tmp_path / "out").exists()


def photo(path, equivalent):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = equivalent
    Image.new("RGB", (384, 128), (128, 0, 0)).save(path, exif=exif, quality=100)
    return path


def test_a_photo_brings_its_focal_length_and_that_is_said(predict, tmp_path, capsys):
    photos = [photo(tmp_path / f"{name}.jpg", 75) for name in "ab"]
    assert predict(*photos) == 0
    focal = 75 * np.hypot(384, 128) / np.hypot(36, 24)  # 702 pixels
    depth = read_png16(tmp_path / "out" / "depth" / "a.png").mean()
    assert depth == pytest.approx(np.exp(4 * 128 / 255) * focal / 2 / 350, rel=0.02)
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("focal length 702 pixels from EXIF (75 mm equivalent)") == 1  # once for both images


def test_what_is_given_wins_over_the_photos_own(predict, tmp_path, capsys):
    assert predict(photo(tmp_path / "a.jpg", 20), "--focal", 700) == 0
    assert "EXIF" not in capsys.readouterr().err
    assert read_png16(tmp_path / "out" / "depth" / "a.png").mean() == pytest.approx(7.45, rel=0.02)


def test_the_focal_length_of_one_photo_is_not_that_of_a_video(predict, tmp_path, capsys):
    drive = tmp_path / "drive.mp4"
    write_video(drive, [np.full((96, 288, 3), (100, 0, 0), np.uint8)] * 2, 8.0)
    assert predict(photo(tmp_path / "a.jpg", 75), drive) == 1
    assert "drive.mp4: metric depth needs the camera's focal length" in " ".join(
        capsys.readouterr().err.split()
    )
    assert files_below(tmp_path / "out") == ["color/a.png", "depth/a.png", "sigma/a.png"]


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--focal", "700", "--cx", "3"], 2, "--cx can only be used with --fx"),
        (["--calib", "none.txt"], 1, "none.txt does not exist"),
        (["--focal", "700", "--network-size", "100x200"], 1, "nearest is 96x192"),
    ],
)
def test_bad_options_are_told_before_work_starts(image, predict, capsys, options, status, message):
    assert predict(image, *options) == status
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("focal", ["0.001", "7", "1e6"])
def test_an_absurd_focal_length_is_refused(image, predict, tmp_path, capsys, focal):
    assert predict(image, "--focal", focal) == 1
    assert "field of view of" in " ".join(capsys.readouterr().err.split())
    assert not list((tmp_path / "out").rglob("*.png"))


@pytest.mark.parametrize("options", [["--network-size", "big"], ["--focal", "1", "--fx", "1"]])
def test_options_that_make_no_sense_are_refused(image, predict, options):
    with pytest.raises(SystemExit, match="2"):
        predict(image, *options)


def test_an_unwritable_folder_is_told_before_work_starts(image, predict, tmp_path, capsys):
    (tmp_path / "out").write_text("a file where the folder should be")
    assert predict(image, "--focal", 700) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_inputs_of_the_same_name_are_refused(image, predict, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "red.jpg").touch()
    assert predict(image, tmp_path / "other" / "red.jpg", "--focal", 700) == 1
    assert "would both be written as red" in capsys.readouterr().err


def test_network_size_follows_each_images_aspect(predict, tmp_path, caplog):
    images = tmp_path / "images"
    images.mkdir()
    for name, size in (("camera", (240, 320)), ("panorama", (80, 400))):
        cv2.imwrite(str(images / f"{name}.png"), np.full((*size, 3), (0, 0, 200), np.uint8))
    assert predict(images, "--focal", 300) == 0
    assert "suits this camera better" not in caplog.text
    # the model's own 64x192 would fit 240x320 pixels into 64x85; they fill 96x128, and f_net follows
    depth = read_png16(tmp_path / "out" / "depth" / "camera.png").mean()
    assert depth == pytest.approx(np.exp(4 * 200 / 255) * (300 * 96 / 240) / 350, rel=0.01)
