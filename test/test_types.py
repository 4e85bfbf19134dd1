"""Mypy's strict rules hold as configured in pyproject.toml, and installed packages expose their types."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("mypy", "torch", "rclpy")),
    reason="mypy, or a package whose types it reads, is not installed",
)
def test_types_are_sound():
    found = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
