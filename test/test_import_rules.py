"""Import rules of the package: import-linter's contracts, and actual imports at run time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

WATCH_IMPORTS = """
import sys
class Watch:
    heavy = ("torch", "torchvision", "timm", "lightning", "pytorch_lightning")
    attempted = []
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.heavy:
            self.attempted.append(name)
sys.meta_path.insert(0, Watch())
"""
"""Records attempts to import a training framework, so they show even if none is installed."""

IMPORT_ALL = """
import importlib, pkgutil
def import_all(name):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
"""


def heavy_imports_of(code: str) -> list[str]:
    """Training framework modules that a fresh Python tries to import when running ``code``."""
    report = "\nimport json\nprint(json.dumps(Watch.attempted))"
    result = subprocess.run(
        [sys.executable, "-c", WATCH_IMPORTS + code + report],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_contracts_of_the_import_linter_hold():
    pytest.importorskip("importlinter")
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_this_test_would_notice_a_heavy_import():
    code = "try:\n    import torch.nn\nexcept ImportError:\n    pass"
    assert "torch" in heavy_imports_of(code)


@pytest.mark.parametrize(
    "package",
    ["adu_depth_core.inference", "adu_depth_core.bags", "adu_depth_core.replay", "adu_depth_core.evaluation"],
)
def test_importing_every_module_loads_no_training_framework(package):
    if package.endswith((".bags", ".replay")):
        for optional in ("rosbags", "jinja2"):
            pytest.importorskip(optional)
    assert heavy_imports_of(f"{IMPORT_ALL}\nimport_all({package!r})") == []


def test_importing_every_module_of_the_ros_package_loads_no_training_framework():
    for optional in ("rclpy", "rosbags", "jinja2", "trimesh", "embreex", "PIL"):  # the last five: demo
        pytest.importorskip(optional)
    assert heavy_imports_of(f"{IMPORT_ALL}\nimport_all('adu_depth_ros')") == []


def test_predicting_loads_no_training_framework(shipped_model):
    pytest.importorskip("openvino")
    code = f"""
import numpy as np
from pathlib import Path
from adu_depth_core.camera import Camera
from adu_depth_core.inference.predictor import Predictor
image = np.zeros((192, 640, 3), np.uint8)
camera = Camera(370, 370, 320, 96, 640, 192)
Predictor(Path({str(shipped_model)!r}), "openvino").predict(image, camera)
"""
    assert heavy_imports_of(code) == []


def test_the_command_line_answers_without_loading_frameworks():
    code = """
import contextlib
from adu_depth_core.cli import main
with contextlib.suppress(SystemExit):
    main(["predict", "--help"])
"""
    assert heavy_imports_of(code) == []
