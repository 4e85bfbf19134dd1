"""``adu_depth predict`` on streams as sent by network cameras."""

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from adu_depth_core.media import Video

pytest.importorskip("openvino")


class Camera(BaseHTTPRequestHandler):
    """Motion JPEG over HTTP: one response, JPEG after JPEG; ``/end`` stops after 12."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        count = 12 if self.path == "/end.mjpg" else 100_000
        try:
            for number in range(count):
                picture = np.full((96, 288, 3), 40 + number % 100, np.uint8)
                data = cv2.imencode(".jpg", picture)[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(0.02)
        except OSError:  # the client has disconnected
            pass

    def log_message(self, *arguments):
        pass


@pytest.fixture
def camera():
    """Address of a network camera."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://user:secret@127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def start(model, out, *words):
    command = [sys.executable, "-m", "adu_depth_core", "predict", *words]
    options = ["--focal", "300", "--model", str(model), "--out", str(out)]
    environment = {**os.environ, "OPENCV_FFMPEG_READ_ATTEMPTS": "100"}
    return subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def test_a_stream_is_predicted_until_it_ends(camera, color_student, tmp_path):
    process = start(color_student, tmp_path / "out", f"{camera}/end.mjpg")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(list(Video(tmp_path / "out" / "color" / "127.0.0.1_end.mjpg.mp4"))) >= 10
    assert "secret" not in out + err


def test_ctrl_c_ends_an_endless_stream_and_keeps_what_was_seen(camera, color_student, tmp_path):
    process = start(color_student, tmp_path / "out", f"{camera}/front.mjpg", "--video-maps")
    maps = tmp_path / "out" / "depth" / "127.0.0.1_front.mjpg"
    deadline = time.monotonic() + 40
    while len(list(maps.glob("*.png"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    frames = len(list(Video(tmp_path / "out" / "color" / "127.0.0.1_front.mjpg.mp4")))
    assert frames >= 5
    assert out.startswith(f"{frames} frames predicted")


def test_a_camera_that_is_not_there_is_named(color_student, tmp_path):
    process = start(color_student, tmp_path / "out", "webcam:97")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "webcam:97 cannot be opened" in " ".join(err.split())


def test_an_address_where_nobody_listens_is_named_without_its_password(color_student, tmp_path):
    process = start(color_student, tmp_path / "out", "http://user:secret@127.0.0.1:9/x.mjpg")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "http://user:***@127.0.0.1:9/x.mjpg cannot be opened" in " ".join(err.split())
    assert "secret" not in out + err
