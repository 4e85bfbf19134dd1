"""Disables the telemetry of libraries.

- OpenVINO starts a thread when it is imported, which forks, connects to Google Analytics and keeps a number
  for the user in ``~/intel``; NNCF sends through the same package, ``openvino_telemetry``. Both do without
  it where it cannot be imported. (Seen with 2026.4: its fork hung a node that was interrupted meanwhile.)
- ONNX Runtime from 1.29 on collects what it runs for Microsoft, in a database in ``~/.cache/Microsoft``
  beside a number for the machine, unless ``ORT_DISABLE_TELEMETRY`` is set. (Seen with 1.32, which sent
  nothing within 8 s.)
- Hugging Face's hub, from where timm loads encoder weights on request, tells who asks with which libraries.
"""

from __future__ import annotations

import os
import sys

VARIABLES = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def switch_off() -> None:
    """Disable the telemetry of libraries imported later, here and in child processes.

    A variable that is set already is left as it is.
    """
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    sys.modules.setdefault("openvino_telemetry", None)
