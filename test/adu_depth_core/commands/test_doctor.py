"""``adu_depth doctor`` tries each part, reports what works and what to install for the rest."""

import json
import subprocess
import sys

import pytest

from adu_depth_core.cli import main
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.installation import (
    Check,
    can_infer,
    check_backend,
    check_module,
    check_onnxruntime,
    check_ros,
)


def report(capsys, *arguments):
    status = main(["doctor", "--json", *map(str, arguments)])
    content = json.loads(capsys.readouterr().out)
    return status, content, {check["name"]: check for check in content["checks"]}


def test_a_working_backend_makes_the_status_zero(color_student, capsys):
    pytest.importorskip("openvino")
    status, content, checks = report(capsys, "--model", color_student)
    assert status == 0
    assert content["inference_works"] is True
    assert checks["openvino"]["found"]
    assert "ms for 64x192" in checks["openvino"]["detail"]  # it predicted
    assert "red is far" in checks["student"]["detail"]
    assert {"rclpy", "middleware", "cv_bridge", "NVIDIA GPU", "torch", "rosbags", "trimesh"} <= set(checks)


IMPORTED = """
import sys
from adu_depth_core.cli import main
status = main(["doctor", "--model", sys.argv[1], "--json"])
print(sorted({"torch", "onnxruntime", "rclpy", "lightning"} & set(sys.modules)), file=sys.stderr)
sys.exit(status)
"""


def test_once_a_backend_predicts_the_others_are_not_imported(color_student):
    """Importing PyTorch alone takes seconds."""
    pytest.importorskip("openvino")
    command = [sys.executable, "-c", IMPORTED, str(color_student)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0
    assert result.stderr.splitlines()[-1] == "[]"
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["openvino"]["tried"]
    assert not checks["pytorch"]["tried"]
    assert "not tried" in checks["pytorch"]["detail"] or not checks["pytorch"]["found"]


def test_the_next_backend_is_tried_if_the_first_does_not_work(color_student, capsys, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(BACKENDS["openvino"], "module", "openvino_of_another_planet")
    status, _, checks = report(capsys, "--model", color_student)
    assert status == 0
    assert not checks["openvino"]["found"]
    assert (checks["onnxruntime"]["found"], checks["onnxruntime"]["tried"]) == (True, True)


def test_what_was_not_tried_does_not_count_as_working():
    model = Check("model", "student", True)
    assert not can_infer([model, Check("inference backend", "pytorch", True, tried=False)])
    assert can_infer([model, Check("inference backend", "pytorch", True)])


def test_what_a_gpu_lacks_is_told_and_does_not_matter_to_the_cpu(color_student, capsys):
    pytest.importorskip("openvino")
    status, _, checks = report(capsys, "--model", color_student, "--all")
    assert status == 0
    for name in ("tensorrt", "onnxruntime-cuda", "pytorch-cuda"):
        assert checks[name]["found"] or checks[name]["detail"]


def test_the_installed_model_works(capsys):
    pytest.importorskip("openvino")
    status, _, checks = report(capsys)
    assert status == 0
    assert checks["student"]["found"]


def test_a_damaged_model_makes_the_status_one(tmp_path, write_color_student, capsys):
    model = write_color_student(tmp_path / "m.onnx")
    model.write_bytes(b"something else")
    status, content, checks = report(capsys, "--model", model)
    assert (status, content["inference_works"]) == (1, False)
    assert "m.onnx is not the file its model card was written for" in checks["student"]["detail"]
    assert not checks["openvino"]["found"]


def test_the_table_names_the_command_for_what_is_missing(color_student, capsys, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    main(["doctor", "--model", str(color_student)])
    told = capsys.readouterr().out
    assert "pip install 'adu_depth[openvino]'" in told
    assert "Inference does not work" in told


def test_a_runtime_that_cannot_be_imported_is_told_with_its_remedy(color_student, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(BACKENDS["onnxruntime"], "module", "onnxruntime_of_another_planet")
    check = check_backend("onnxruntime", color_student, try_it=True)
    assert (check.found, check.remedy) == (False, "pip install 'adu_depth[onnxruntime]'")


@pytest.mark.parametrize("packages", [["onnxruntime"], ["onnxruntime-gpu"], []])
def test_one_onnxruntime_needs_no_words(monkeypatch, packages):
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: {"onnxruntime": packages})
    assert check_onnxruntime() == []


def test_two_packages_of_onnxruntime_are_told(monkeypatch):
    both = {"onnxruntime": ["onnxruntime-gpu", "onnxruntime", "onnxruntime"]}
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: both)
    (check,) = check_onnxruntime()
    assert (check.found, check.name) == (False, "onnxruntime and onnxruntime-gpu")
    assert check.remedy.startswith("pip uninstall onnxruntime onnxruntime-gpu, then pip install 'adu_depth[")


def test_a_folder_in_the_way_is_not_taken_for_a_package(tmp_path, monkeypatch):
    """A checkout has a folder ``launch/``; Python takes that for a namespace package."""
    (tmp_path / "some_launch_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    check = check_module("ROS 2", "some_launch_folder", "ros")
    assert not check.found


def test_ros_is_looked_for_but_not_imported():
    loaded = "rclpy" in sys.modules
    checks = check_ros()
    assert ("rclpy" in sys.modules) == loaded
    assert all(check.found or check.remedy for check in checks)
