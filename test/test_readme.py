"""README's code runs, and its links resolve."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_predicts(tmp_path, shipped_model):
    pytest.importorskip("openvino")
    (code,) = blocks("python")
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((375, 1242, 3), 90, np.uint8))
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"\d+\.\d m, one sigma \d+\.\d m\n", result.stdout)


def test_files_that_are_linked_exist():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert len(links) > 8
    assert [link for link in links if not (ROOT / link).exists()] == []
