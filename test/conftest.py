"""Shared fixtures: where the real driving images are, if they are here at all."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real driving images (``ADU_DEPTH_DATA``, default ``../shared/data``); skips where missing."""
    folder = Path(os.environ.get("ADU_DEPTH_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real driving images not found at {folder}; set ADU_DEPTH_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def shipped_model() -> Path:
    """The ONNX student that the package ships."""
    return ROOT / "models" / "adu_student.onnx"
