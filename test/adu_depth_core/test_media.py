"""Finding, reading and writing images and videos; damaged ones are named."""

import numpy as np
import pytest

from adu_depth_core.errors import UserError
from adu_depth_core.media import Video, count_frames, find_media, is_video, write_video


def frames(count=5, height=48, width=64):
    """Uniform frames of distinct greys, so that codec artefacts cannot mix them up."""
    return [np.full((height, width, 3), 40 * i + 20, np.uint8) for i in range(count)]


def test_a_video_comes_back_frame_by_frame(tmp_path):
    path = tmp_path / "v.mp4"
    write_video(path, frames(), 10.0)
    video = Video(path)
    assert (video.frame_count, video.rate) == (5, 10.0)
    read = list(video)
    assert [int(frame.mean().round()) for frame in read] == pytest.approx([20, 60, 100, 140, 180], abs=8)
    assert read[0].shape == (48, 64, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_colours_are_rgb(tmp_path):
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    write_video(tmp_path / "v.mp4", [red] * 3, 10.0)
    r, g, b = next(iter(Video(tmp_path / "v.mp4"))).reshape(-1, 3).mean(axis=0)
    assert r > 150 > 60 > max(g, b)


def test_an_interrupted_video_leaves_nothing(tmp_path):
    def failing():
        yield from frames(2)
        raise UserError("stop")

    with pytest.raises(UserError, match="stop"):
        write_video(tmp_path / "v.mp4", failing(), 10.0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gives_its_media_by_name_and_nothing_else(tmp_path):
    for name in ("b.png", "a.JPG", "notes.txt", "c.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "inner.png").mkdir()
    assert [p.name for p in find_media(tmp_path)] == ["a.JPG", "b.png", "c.mp4"]
    assert find_media(tmp_path / "b.png") == [tmp_path / "b.png"]
    assert is_video(tmp_path / "c.mp4")
    assert not is_video(tmp_path / "a.JPG")


@pytest.mark.parametrize(
    ("name", "message"),
    [("empty", "holds no image or video"), ("none.png", "does not exist"), ("notes.txt", "by its suffix")],
)
def test_what_is_no_input_is_named(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=f"{name}.*{message}"):
        find_media(tmp_path / name)


def test_a_video_larger_than_any_camera_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "v.mp4"
    write_video(path, frames(), 10.0)
    monkeypatch.setattr("adu_depth_core.media.MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(UserError, match=r"v\.mp4 announces frames of 48x64 pixels, more than 3071"):
        Video(path)


def test_a_damaged_video_is_named(tmp_path):
    path = tmp_path / "damaged.mp4"
    path.write_bytes(b"no video")
    assert count_frames(path) == 0
    with pytest.raises(UserError, match=r"damaged\.mp4 is damaged"):
        Video(path)
