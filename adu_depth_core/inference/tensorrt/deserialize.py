"""Deserialise an engine with either flavour, with readable reasons for a failure."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.base import check_interface
from adu_depth_core.inference.tensorrt.api import Flavour, recording_logger

logger = logging.getLogger(__name__)

INVALIDITY = {
    "VERSION_MISMATCH": "it was built by another TensorRT: rebuild it here",
    "UNSUPPORTED_CC": "it was built for other GPUs: rebuild it here",
    "OLD_CUDA_DRIVER": "the NVIDIA driver is too old for it: update the driver",
    "OLD_CUDA_RUNTIME": "the CUDA runtime is too old for it: update CUDA",
    "INSUFFICIENT_GPU_MEMORY": "GPU memory is full; end other programs on the GPU",
    "MALFORMED_ENGINE": "the file is damaged: copy it again or build it again",
    "CUDA_ERROR": "CUDA does not work here; see nvidia-smi",
}
"""``tensorrt_rtx.EngineInvalidityDiagnostics`` and what to do."""

MEMORY_HINT = "GPU memory is full; end other programs on the GPU"


class LoadedEngine:
    """An engine that can run. Code that uses ``engine`` or ``context`` keeps a reference to this object only.

    TensorRT requires objects to be destroyed before the one that made them, and a runtime cache after the
    context that writes into it; this object ensures both.

    :param kernels: file with the kernels that ``tensorrt_rtx`` compiled for this GPU; None for ``tensorrt``
    """

    def __init__(
        self,
        recorder: Any,
        runtime: Any,
        engine: Any,
        runtime_config: Any = None,
        cache: Any = None,
        context: Any = None,
        kernels: Path | None = None,
    ) -> None:
        self.recorder = recorder
        self.runtime = runtime
        self.engine = engine
        self.runtime_config = runtime_config
        self.cache = cache
        self.context = context
        self.kernels = kernels

    def __del__(self) -> None:
        # The reverse of the order in which they were made.
        self.context = self.cache = self.runtime_config = self.engine = self.runtime = self.recorder = None

    def reasons(self) -> str:
        """TensorRT's error messages, with a remedy if GPU memory is the reason."""
        return reasons(self.recorder.errors)

    def keep_kernels(self) -> None:
        """Write the compiled kernels beside the engine, so that the next start need not compile them."""
        if self.kernels is None or self.cache is None:
            return
        serialized = self.cache.serialize()
        if serialized is None:
            logger.warning("%s is not written: TensorRT could not serialise the kernels", self.kernels)
            return
        content = bytes(serialized)
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
    :raises UserError: if TensorRT cannot, with its reason and what to do, or its inputs and outputs are not
        all float32
    """
    content = path.read_bytes()
    loaded = LoadedEngine(*deserialize(flavour, path, content, facts["options"]))
    _check_tensors(flavour, path, loaded.engine)
    if not flavour.compiles_at_run_time:
        loaded.context = loaded.engine.create_execution_context()
    else:
        _configure_run_time(flavour, loaded, path.with_name(path.name + ".kernels"))
        loaded.context = loaded.engine.create_execution_context(loaded.runtime_config)
    if loaded.context is None:
        raise UserError(f"{path} could not be prepared to run: {loaded.reasons()}")
    return loaded


def deserialize(
    flavour: Flavour, path: Path, content: bytes, options: dict[str, Any]
) -> tuple[Any, Any, Any]:
    """An engine and what must outlive it.

    :param path: its file, for errors
    :param options: those it was built with, as in its card
    :return: the recording logger, the runtime and the engine, in the order of their making
    :raises UserError: if TensorRT cannot, with its reason and what to do
    """
    recorder = recording_logger(flavour.trt)
    runtime = flavour.trt.Runtime(recorder)
    if options["version_compatible"]:
        runtime.engine_host_code_allowed = True  # verified by the card's hash
    if (core := options.get("dla_core")) is not None:
        if core >= runtime.num_DLA_cores:
            raise UserError(
                f"{path} runs on DLA core {core}, and this machine has {runtime.num_DLA_cores}: build it "
                "again here with `adu_depth build-engine`"
            )
        runtime.DLA_core = core
    engine = runtime.deserialize_cuda_engine(content)
    if engine is None:
        problems = invalidity(flavour, content) or [reasons(recorder.errors)]
        raise UserError(
            f"{path} could not be loaded by {flavour.name} {flavour.version}: {'; '.join(problems)}"
        )
    return recorder, runtime, engine


def _check_tensors(flavour: Flavour, path: Path, engine: Any) -> None:
    """The student's inputs and outputs, all float32: buffers are, and another type would go beyond them."""
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    is_input = {name: engine.get_tensor_mode(name) == flavour.trt.TensorIOMode.INPUT for name in names}
    check_interface(path, (n for n in names if is_input[n]), (n for n in names if not is_input[n]))
    kinds = {name: engine.get_tensor_dtype(name) for name in names}
    wrong = [f"{name} is {kind.name}" for name, kind in kinds.items() if kind != flavour.trt.DataType.FLOAT]
    if wrong:
        raise UserError(
            f"{path} has inputs or outputs that are not FLOAT ({', '.join(wrong)}): build it from an ONNX by "
            "`adu_depth export`"
        )


def invalidity(flavour: Flavour, content: bytes) -> list[str]:
    """Reasons in the engine's header why it cannot run on this machine; empty in ``tensorrt``, which cannot
    tell."""
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


def _configure_run_time(flavour: Flavour, loaded: LoadedEngine, kernels: Path) -> None:
    """``tensorrt_rtx`` compiles kernels when an engine is loaded: all of them then, and none twice."""
    config = loaded.runtime_config = loaded.engine.create_runtime_config()
    # By default kernels for dynamic shapes are compiled during the first frames, and then swapped in.
    strategies = flavour.trt.DynamicShapesKernelSpecializationStrategy
    config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
    cache = loaded.cache = config.create_runtime_cache()
    loaded.kernels = kernels
    if kernels.is_file() and not cache.deserialize(kernels.read_bytes()):
        logger.warning("%s is of another GPU, driver or TensorRT: kernels are recompiled", kernels)
    if not config.set_runtime_cache(cache):
        logger.warning("kernels are compiled at each start: %s", loaded.reasons())
        loaded.cache = None
