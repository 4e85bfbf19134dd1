"""Which backend runs a model: the one asked for, or the fastest that is installed."""

from __future__ import annotations

import importlib
import logging

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.base import Backend
from adu_depth_core.inference.backends.onnxruntime import ONNXRuntimeBackend
from adu_depth_core.inference.backends.openvino import OpenVINOBackend
from adu_depth_core.inference.backends.pytorch import PyTorchBackend

logger = logging.getLogger(__name__)

BACKENDS: dict[str, type[Backend]] = {
    "openvino": OpenVINOBackend,
    "onnxruntime": ONNXRuntimeBackend,
    "pytorch": PyTorchBackend,
}
"""Backends by name, the fastest on a CPU first. Building one is what imports its runtime."""


def choose_backend(name: str = "auto") -> tuple[str, str]:
    """Resolve ``auto`` to the first backend whose runtime can be imported; log the choice.

    :param name: ``auto`` or a key of ``BACKENDS``
    :return: the backend's name, and why it was chosen
    :raises UserError: if there is no backend of that name, or ``auto`` finds none installed
    """
    if name != "auto":
        if name not in BACKENDS:
            raise UserError(f"there is no backend {name!r}: choose auto, {', '.join(BACKENDS)}")
        return name, "asked for by name"
    missing = []
    for candidate, backend in BACKENDS.items():
        try:
            importlib.import_module(backend.module)
        except ImportError as error:
            missing.append(f"{candidate} cannot be imported ({error})")
            continue
        reason = "; ".join(["first installed of " + ", ".join(BACKENDS), *missing])
        logger.info("backend %s: %s", candidate, reason)
        return candidate, reason
    raise UserError(
        f"no inference runtime is installed: {'; '.join(missing)}. "
        "Install one, best this: pip install 'adu_depth[openvino]'"
    )
