"""The two packages with TensorRT's Python API: ``tensorrt`` (vehicles) and ``tensorrt_rtx``."""

from __future__ import annotations

import gc
import importlib.util
import logging
from dataclasses import dataclass
from typing import Any

from adu_depth_core.errors import UserError, require

logger = logging.getLogger(__name__)

FLAVOURS = ("tensorrt", "tensorrt_rtx")


@dataclass(frozen=True)
class Flavour:
    """An installed TensorRT.

    :param name: ``tensorrt`` or ``tensorrt_rtx``
    :param trt: its Python module
    """

    name: str
    trt: Any

    @property
    def version(self) -> str:
        return str(self.trt.__version__)

    @property
    def compiles_at_run_time(self) -> bool:
        """True if engines hold kernels that are compiled on the target (``tensorrt_rtx``) instead of tuned
        ones."""
        return hasattr(self.trt, "IRuntimeCache")

    @property
    def network_flags(self) -> int:
        """Flags of a strongly typed network.

        TensorRT 10 needs the flag; from 11 on every network is strongly typed, and the flag may be gone.
        """
        flag = getattr(self.trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        return 0 if flag is None else 1 << int(flag)

    @property
    def compute_capabilities(self) -> tuple[str, ...]:
        """GPUs for which engines can be built without having one, such as ``8.6``; none in ``tensorrt``."""
        kinds = getattr(self.trt, "ComputeCapability", None)
        names = [] if kinds is None else [name for name in dir(kinds) if name.startswith("SM")]
        return tuple(sorted((f"{name[2:-1]}.{name[-1]}" for name in names), key=lambda t: float(t)))

    def compute_capability(self, text: str | None) -> Any:
        """The builder's constant of a compute capability such as ``8.6``; of None, that of the GPU here.

        :raises UserError: if this flavour cannot build for it
        """
        if text is None:
            return self.trt.ComputeCapability.CURRENT
        if text not in self.compute_capabilities:
            can = ", ".join(self.compute_capabilities) or "none but this machine's GPU"
            raise UserError(
                f"{self.name} {self.version} cannot build for compute capability {text}; it can for: {can}"
            )
        return getattr(self.trt.ComputeCapability, "SM" + text.replace(".", ""))


def load_flavour(name: str = "auto") -> Flavour:
    """Import TensorRT.

    :param name: ``tensorrt``, ``tensorrt_rtx``, or ``auto`` for the first that is installed
    :raises UserError: if it is not installed
    """
    if name != "auto":
        if name not in FLAVOURS:
            raise UserError(f"there is no TensorRT flavour {name!r}: choose auto, {', '.join(FLAVOURS)}")
        return Flavour(name, require(name, "tensorrt", "to build and run TensorRT engines"))
    for candidate in FLAVOURS:
        if importlib.util.find_spec(candidate) is not None:
            return Flavour(candidate, require(candidate, "tensorrt", "to build and run TensorRT engines"))
    raise UserError(
        "neither tensorrt nor tensorrt_rtx is installed; JetPack brings tensorrt, "
        "elsewhere: pip install 'adu_depth[tensorrt]'"
    )


def recording_logger(trt: Any) -> Any:
    """A TensorRT logger: ``errors`` holds error texts, ``details`` verbose lines; warnings are logged.

    TensorRT may hold a lock while it logs, and needs the same to free a builder: where the garbage collector
    freed one in ``log``, the process hung (``tensorrt_rtx`` 1.7.1). So it waits.
    """

    class Recorder(trt.ILogger):  # type: ignore[misc]  # of whichever TensorRT is installed: Any
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []
            self.details: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            collects = gc.isenabled()
            gc.disable()
            try:
                self._record(severity, message)
            finally:
                if collects:
                    gc.enable()

        def _record(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
                self.errors.append(message)
            elif severity == trt.ILogger.Severity.WARNING:
                logger.warning("TensorRT: %s", message)
            else:
                self.details.append(message)

    return Recorder()
