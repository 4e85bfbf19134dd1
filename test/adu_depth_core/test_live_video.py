"""Cameras by name and streams by address."""

import pytest

from adu_depth_core.live_video import LiveVideo, live_video


@pytest.mark.parametrize(
    ("text", "address", "stem"),
    [
        ("webcam", 0, "webcam0"),
        ("webcam:2", 2, "webcam2"),
        ("/dev/video10", 10, "webcam10"),
        (
            "rtsp://cam.local:554/front/main?x=1",
            "rtsp://cam.local:554/front/main?x=1",
            "cam.local_front_main",
        ),
        ("HTTP://10.0.0.2/video.mjpg", "HTTP://10.0.0.2/video.mjpg", "10.0.0.2_video.mjpg"),
        ("udp://:1234", "udp://:1234", "stream"),
    ],
)
def test_live_sources_are_told_by_their_form(text, address, stem):
    live = live_video(text)
    assert (live.address, live.stem) == (address, stem)


@pytest.mark.parametrize(
    "text", ["drive.mp4", "webcam.mp4", "webcam:x", "/dev/null", "rtsp/x.png", "c:/x.png"]
)
def test_files_are_none(text):
    assert live_video(text) is None


def test_a_password_is_not_shown():
    live = LiveVideo("rtsp://user:secret@cam.local/main")
    assert str(live) == "rtsp://user:***@cam.local/main"
    assert "secret" not in live.stem
