"""Deserialise an engine: the flavours' ways to do it, and why it may fail, in words."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.tensorrt.api import Flavour, recording_logger

logger = logging.getLogger(__name__)

INVALIDITY = {
    "VERSION_MISMATCH": "it was built by another TensorRT: build it again here",
    "UNSUPPORTED_CC": "it was built for other GPUs: build it again here",
    "OLD_CUDA_DRIVER": "the NVIDIA driver is too old for it: update the driver",
    "OLD_CUDA_RUNTIME": "the CUDA runtime is too old for it: update CUDA",
    "INSUFFICIENT_GPU_MEMORY": "GPU memory is full; end other programs on the GPU",
    "MALFORMED_ENGINE": "the file is damaged: copy it again or build it again",
    "CUDA_ERROR": "CUDA does not work here; see nvidia-smi",
}
"""``tensorrt_rtx.EngineInvalidityDiagnostics`` and what to do."""

MEMORY_HINT = "GPU memory is full; end other programs on the GPU"


@dataclass
class LoadedEngine:
    """An engine that can run; its parts live as long as this.

    :param kernels: where ``tensorrt_rtx`` keeps the kernels it compiled for this GPU; None for ``tensorrt``
    """

    engine: Any
    context: Any
    recorder: Any
    runtime: Any
    kernels: Path | None = None
    runtime_config: Any = None

    def reasons(self) -> str:
        """What TensorRT complained of, with what to do where GPU memory is the reason."""
        return reasons(self.recorder.errors)

    def keep_kernels(self) -> None:
        """Write the compiled kernels beside the engine, so that the next start need not compile them."""
        if self.kernels is None or self.runtime_config is None:
            return
        content = bytes(self.runtime_config.get_runtime_cache().serialize())
        if self.kernels.is_file() and self.kernels.read_bytes() == content:
            return
        try:
            with write_atomically(self.kernels) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            logger.warning(
                "%s cannot be written (%s): kernels are compiled at each start", self.kernels, error.strerror
            )


def load(flavour: Flavour, path: Path, facts: dict[str, Any]) -> LoadedEngine:
    """Deserialise an engine and make it ready to run.

    :param facts: the card's ``engine`` entry
    :raises UserError: if TensorRT cannot, with its reason and what to do
    """
    recorder = recording_logger(flavour.trt)
    runtime = flavour.trt.Runtime(recorder)
    if facts["options"]["version_compatible"]:
        runtime.engine_host_code_allowed = True  # the card's hash vouches for the file
    content = path.read_bytes()
    engine = runtime.deserialize_cuda_engine(content)
    if engine is None:
        problems = invalidity(flavour, content) or [reasons(recorder.errors)]
        raise UserError(
            f"{path} could not be loaded by {flavour.name} {flavour.version}: {'; '.join(problems)}"
        )
    if not flavour.compiles_at_run_time:
        context, kernels, config = engine.create_execution_context(), None, None
    else:
        kernels = path.with_name(path.name + ".kernels")
        config = _run_time_config(flavour, engine, kernels)
        context = engine.create_execution_context(config)
    if context is None:
        raise UserError(f"{path} could not be made ready to run: {reasons(recorder.errors)}")
    return LoadedEngine(engine, context, recorder, runtime, kernels, config)


def invalidity(flavour: Flavour, content: bytes) -> list[str]:
    """What the engine's header says against it on this machine; empty in ``tensorrt``, which cannot tell."""
    if not hasattr(flavour.trt, "EngineInvalidityDiagnostics"):
        return []
    kinds = flavour.trt.EngineInvalidityDiagnostics
    validity, flags = flavour.trt.Runtime(recording_logger(flavour.trt)).get_engine_validity(content)
    if validity == flavour.trt.EngineValidity.VALID:
        return []
    return [
        text
        for name, text in INVALIDITY.items()
        if hasattr(kinds, name) and flags & int(getattr(kinds, name))
    ]


def reasons(errors: Iterable[str]) -> str:
    """TensorRT's error texts as one, each once."""
    text = "; ".join(dict.fromkeys(errors)) or "TensorRT gives no reason"
    lower = text.lower()
    out_of_memory = any(
        sign in lower for sign in ("out of memory", "outofmemory", "cudaerrormemoryallocation")
    )
    return f"{text} ({MEMORY_HINT})" if out_of_memory else text


def _run_time_config(flavour: Flavour, engine: Any, kernels: Path) -> Any:
    """``tensorrt_rtx`` compiles kernels when an engine is loaded: all of them then, and none twice."""
    config = engine.create_runtime_config()
    # By default kernels for shapes left open are compiled beside the first frames, and then exchanged.
    strategies = flavour.trt.DynamicShapesKernelSpecializationStrategy
    config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
    cache = config.create_runtime_cache()
    if kernels.is_file() and not cache.deserialize(kernels.read_bytes()):
        logger.warning("%s is of another GPU, driver or TensorRT: kernels are compiled anew", kernels)
    config.set_runtime_cache(cache)
    return config
