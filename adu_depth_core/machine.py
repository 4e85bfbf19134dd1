"""Description of this machine for the record of a measurement; never its name."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu_model() -> str:
    """Model name of the CPU where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
