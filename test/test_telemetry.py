"""Telemetry of libraries is disabled in every process of ours."""

import os
import signal
import subprocess
import sys
import time

import pytest

WATCH = """
import os, sys
_log = os.open(os.environ["WATCH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def _watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request", "os.fork"):
        os.write(_log, f"{event} {arguments}\\n".encode())
sys.addaudithook(_watch)
"""
"""Run by Python before our first line in every process."""

SENDS = "import urllib.request, contextlib\nwith contextlib.suppress(OSError):\n    " + (
    "urllib.request.urlopen('http://127.0.0.1:9')"
)

LIBRARIES = {
    "openvino": """
from pathlib import Path
from adu_depth_core.inference.predictor import Predictor
Predictor(Path({model!r}), "openvino", threads=1)
""",
    "onnxruntime": """
from pathlib import Path
from adu_depth_core.inference.predictor import Predictor
Predictor(Path({model!r}), "onnxruntime", threads=1)
""",
    "nncf": "from adu_depth_core.deploy import quantize\nimport nncf",
    "lightning": "from adu_depth_core.training import run",
    "huggingface_hub": """
import adu_depth_core
from huggingface_hub import constants
assert constants.HF_HUB_DISABLE_TELEMETRY
""",
}
"""Code that uses each library as we do."""


@pytest.fixture
def watched(tmp_path):
    """Environment of a process with an empty home folder, and telemetry attempts by it or its children."""
    home, hook, log = tmp_path / "home", tmp_path / "hook", tmp_path / "watched"
    home.mkdir()
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "HF_", "XDG_"))
    }
    # Some libraries disable telemetry when they detect a test.
    for name in ("CI", "DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        environment.pop(name, None)
    paths = [str(hook), *filter(None, sys.path)]
    environment |= {"HOME": str(home), "PYTHONPATH": os.pathsep.join(paths), "WATCH_LOG": str(log)}
    environment["ROS_LOG_DIR"] = str(tmp_path / "ros_log")

    def reports() -> list[str]:
        files = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
        return [*files, *log.read_text(encoding="utf-8").splitlines()]

    return environment, reports


def run(command: list[str], environment: dict[str, str]) -> None:
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr


def test_this_test_would_notice_a_connection_and_a_file(watched):
    environment, reports = watched
    code = SENDS + "\nimport pathlib\n(pathlib.Path.home() / 'client_id').touch()"
    run([sys.executable, "-c", code], environment)
    assert any("client_id" in line for line in reports())
    assert any("urllib.Request" in line for line in reports())


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_reports_nothing(library, watched, shipped_model):
    pytest.importorskip(library)
    environment, reports = watched
    # Telemetry is sent from a separate thread, some time after the import.
    code = LIBRARIES[library].format(model=str(shipped_model)) + "\nimport time\ntime.sleep(0.7)"
    run([sys.executable, "-c", code], environment)
    assert reports() == []


def test_the_command_line_reports_nothing(watched, shipped_model, tmp_path):
    pytest.importorskip("openvino")
    cv2 = pytest.importorskip("cv2")
    np = pytest.importorskip("numpy")
    environment, reports = watched
    cv2.imwrite(str(tmp_path / "image.png"), np.zeros((192, 640, 3), np.uint8))
    command = [sys.executable, "-m", "adu_depth_core.cli", "predict", str(tmp_path / "image.png")]
    run([*command, "--focal", "370", "--model", str(shipped_model), "--out", str(tmp_path)], environment)
    assert reports() == []


def test_the_node_reports_nothing(watched, shipped_model):
    pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
    pytest.importorskip("openvino")
    from adu_depth_ros.isolation import private_domain

    environment, reports = watched
    command = [
        sys.executable,
        "-m",
        "adu_depth_ros.depth_node",
        "--ros-args",
        "-p",
        f"model:={shipped_model}",
    ]
    with private_domain() as domain:
        node = subprocess.Popen(
            command, env=environment | domain, stderr=subprocess.PIPE, text=True, stdout=subprocess.PIPE
        )
        told = []
        for line in node.stderr:
            told.append(line)
            if "configured: " in line:
                time.sleep(0.7)
                node.send_signal(signal.SIGINT)
        assert node.wait(20) == 0, "".join(told)
    assert any("configured: " in line for line in told)
    assert reports() == []
