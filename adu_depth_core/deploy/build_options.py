"""Options of an engine build, and its target GPU."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.inference.tensorrt.api import Flavour
from adu_depth_core.inference.tensorrt.cuda import current_gpu, use_gpu
from adu_depth_core.inference.tensorrt.engine_file import LEAST_COMPATIBLE


@dataclass(frozen=True)
class BuildOptions:
    """Options of an engine build.

    :param flavour: ``auto``, ``tensorrt`` or ``tensorrt_rtx``
    :param compute_capability: GPU to build for, such as ``8.6`` (``tensorrt_rtx`` only); None: this machine's
    :param sizes: ``(height, width)`` of the inputs, an optimisation profile each, where the ONNX leaves the
        size open; empty for the model card's
    :param batch: smallest, best and largest number of images at once; used where the ONNX leaves it open
    :param workspace_mib: limit of the builder's scratch memory; None: all of the GPU's
    :param timing_cache: file that keeps measured kernel times, read and written; None for none
    :param dla_core: deep learning accelerator to run on, with the GPU for what it cannot; None for none
    :param version_compatible: the engine also runs with later versions of TensorRT (``tensorrt`` only)
    :param hardware_compatible: the engine also runs on other GPUs from Ampere on
    :param on_gpu: number of this machine's GPU to build for and compare on, where it is for one of its own
    """

    flavour: str = "auto"
    compute_capability: str | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    batch: tuple[int, int, int] = (1, 1, 1)
    workspace_mib: int | None = None
    timing_cache: Path | None = None
    dla_core: int | None = None
    version_compatible: bool = False
    hardware_compatible: bool = False
    on_gpu: int = 0

    def __post_init__(self) -> None:
        low, best, high = self.batch
        if not 1 <= low <= best <= high:
            raise UserError(f"batch {self.batch}: must be minimum <= optimum <= maximum, all at least 1")
        if self.workspace_mib is not None and self.workspace_mib < 1:
            raise UserError(f"workspace of {self.workspace_mib} MiB: must be at least 1")
        if self.hardware_compatible and self.compute_capability is not None:
            raise UserError(
                "--hardware-compatible is for many GPUs, --compute-capability "
                f"{self.compute_capability} for one kind: choose one of the two"
            )

    def check_flavour(self, flavour: Flavour) -> None:
        """:raises UserError: if an option is none of this flavour's"""
        if flavour.name != "tensorrt_rtx":
            return
        if self.timing_cache is not None:
            raise UserError("tensorrt_rtx measures no kernels when it builds: leave --timing-cache out")
        if self.version_compatible:
            raise UserError(
                "engines of tensorrt_rtx run only with the release that built them: leave "
                "--version-compatible out"
            )

    def facts(self) -> dict[str, Any]:
        """The options that change the engine and are recorded nowhere else, for its card and the cache."""
        names = ("workspace_mib", "dla_core", "version_compatible", "hardware_compatible")
        facts = dataclasses.asdict(self)
        return {name: facts[name] for name in names}

    def needs_gpu(self, flavour: Flavour) -> bool:
        """True if the builder uses one of this machine's GPUs."""
        return not (flavour.compute_capabilities and (self.compute_capability or self.hardware_compatible))

    def gpu(self, flavour: Flavour) -> dict[str, str | None]:
        """Name and compute capability of the GPU to build for; the name is None where only the kind matters.

        :raises UserError: if it is this machine's and there is none, or the flavour cannot build for it
        """
        if self.compute_capability is not None:
            flavour.compute_capability(self.compute_capability)
            return {"name": None, "compute_capability": self.compute_capability}
        if self.hardware_compatible:
            if not flavour.compute_capabilities:
                use_gpu(self.on_gpu)  # tensorrt tunes on this machine's GPU
            return {"name": None, "compute_capability": LEAST_COMPATIBLE}
        use_gpu(self.on_gpu)
        gpu = current_gpu()
        return {**gpu, "name": None} if flavour.compiles_at_run_time else dict(gpu)
