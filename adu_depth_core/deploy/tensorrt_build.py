"""Build a TensorRT engine from an exported ONNX, with its card beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adu_depth_core.deploy.engine_layers import Layer, check_precision, count_precisions, layers_of_log
from adu_depth_core.deploy.tensorrt_api import Flavour, load_flavour, recording_logger
from adu_depth_core.deploy.tensorrt_progress import build_monitor
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.base import INPUT, check_interface
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, file_sha256, read_card
from adu_depth_core.progress import progress_bar

PARITY_NOT_RUN = "not run"


@dataclass(frozen=True)
class BuildOptions:
    """How an engine is built.

    :param flavour: ``auto``, ``tensorrt`` or ``tensorrt_rtx``
    :param compute_capability: GPU to build for, such as ``8.6`` (``tensorrt_rtx`` only); None: this machine's
    :param batch: smallest, best and largest number of images at once; used where the ONNX leaves it open
    :param workspace_mib: limit of the builder's scratch memory; None: all of the GPU's
    :param timing_cache: file that keeps measured kernel times, read and written; None for none
    :param dla_core: deep learning accelerator to run on, with the GPU for what it cannot; None for none
    :param version_compatible: the engine also runs with later versions of the same TensorRT major
    :param hardware_compatible: the engine also runs on other GPUs from Ampere on
    """

    flavour: str = "auto"
    compute_capability: str | None = None
    batch: tuple[int, int, int] = (1, 1, 1)
    workspace_mib: int | None = None
    timing_cache: Path | None = None
    dla_core: int | None = None
    version_compatible: bool = False
    hardware_compatible: bool = False

    def __post_init__(self) -> None:
        low, best, high = self.batch
        if not 1 <= low <= best <= high:
            raise UserError(f"batch {self.batch}: must be smallest <= best <= largest, from 1 on")
        if self.workspace_mib is not None and self.workspace_mib < 1:
            raise UserError(f"workspace of {self.workspace_mib} MiB: must be at least 1")

    def facts(self) -> dict[str, Any]:
        """The options that change the engine, for its card and the key of the cache."""
        facts = dataclasses.asdict(self)
        return {name: facts[name] for name in facts if name not in ("flavour", "timing_cache")}


def build_engine(onnx: Path, out: Path, options: BuildOptions | None = None) -> ModelCard:
    """Build ``out`` and ``out.json``; nothing is put in place unless everything went well.

    :param onnx: file by ``adu_depth export``, with its card
    :return: the engine's card; its parity is "not run"
    :raises UserError: if the ONNX is damaged, has operators TensorRT does not know, an option does not
        suit the flavour or the build fails, or the engine is not of the ONNX's precision
    :raises KeyboardInterrupt: on Ctrl-C, once the builder has stopped
    """
    options = options or BuildOptions()
    if out.suffix != ".engine":
        raise UserError(f"{out}: the engine's name must end with .engine")
    card = read_exported(onnx)
    flavour = load_flavour(options.flavour)
    gpu = gpu_facts(options.compute_capability)
    if options.timing_cache is not None and flavour.name == "tensorrt_rtx":
        raise UserError("tensorrt_rtx measures no kernels when it builds: leave --timing-cache out")
    recorder = recording_logger(flavour.trt)
    builder = flavour.trt.Builder(recorder)
    network = builder.create_network(flavour.network_flags)
    config = builder.create_builder_config()

    def work() -> bytes:
        parser = _parse(flavour, network, recorder, onnx)
        _configure(config, flavour, builder, network, options, onnx)
        plan = builder.build_serialized_network(network, config)
        del parser  # it owned the weights until here
        return _plan_bytes(plan, flavour, recorder, onnx)

    plan = _watched(work, config, flavour, onnx)
    layers = layers_of_log(recorder.details)
    check_precision(layers, card.extra["precision"])
    _keep_timing_cache(config, options.timing_cache)
    try:
        with write_atomically(out) as temporary:
            temporary.write_bytes(plan)
            engine_card = _card(card, onnx, out, temporary, flavour, gpu, network, options, layers)
        engine_card.write(card_path(out))
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    return engine_card


def read_exported(onnx: Path) -> ModelCard:
    """Card of an ONNX file of a stated input size and precision.

    :raises UserError: if the file or its card is missing, damaged, or not by ``adu_depth export``
    """
    try:
        card = read_card(onnx)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    if onnx.suffix != ".onnx" or "input_shape" not in card.extra:
        raise UserError(
            f"{onnx} has no fixed input size: make one with `adu_depth export --model {onnx} --size HxW "
            "--out FILE.onnx`"
        )
    return card


def _parse(flavour: Flavour, network: Any, recorder: Any, onnx: Path) -> Any:
    parser = flavour.trt.OnnxParser(network, recorder)
    if not parser.parse(onnx.read_bytes()):
        reasons = [parser.get_error(i) for i in range(parser.num_errors)]
        texts = [f"{reason.node_name() or reason.node_operator()}: {reason.desc()}" for reason in reasons]
        raise UserError(
            f"{onnx} cannot be read by {flavour.name} {flavour.version}: "
            + ("; ".join(texts) or "not an ONNX file")
        )
    check_interface(
        onnx,
        (network.get_input(i).name for i in range(network.num_inputs)),
        (network.get_output(i).name for i in range(network.num_outputs)),
    )
    return parser


def _configure(
    config: Any, flavour: Flavour, builder: Any, network: Any, options: BuildOptions, onnx: Path
) -> None:
    trt = flavour.trt
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # so that layers can be inspected
    if options.compute_capability is not None:
        kind = flavour.compute_capability(options.compute_capability)
        config.num_compute_capabilities = 1
        config.set_compute_capability(kind, 0)
    if options.workspace_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if options.version_compatible:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    if options.hardware_compatible:
        config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
    if options.dla_core is not None:
        if not 0 <= options.dla_core < builder.num_DLA_cores:
            raise UserError(
                f"DLA core {options.dla_core} is not there: this machine has {builder.num_DLA_cores}"
            )
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = options.dla_core
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    if options.timing_cache is not None:
        content = options.timing_cache.read_bytes() if options.timing_cache.is_file() else b""
        cache = config.create_timing_cache(content) or config.create_timing_cache(b"")
        config.set_timing_cache(cache, ignore_mismatch=False)

    shape = tuple(network.get_input(0).shape)
    if shape[0] == -1:
        profile = builder.create_optimization_profile()
        profile.set_shape(INPUT, *((batch, *shape[1:]) for batch in options.batch))
        config.add_optimization_profile(profile)
    elif set(options.batch) not in ({1}, {shape[0]}):
        raise UserError(
            f"{onnx} takes {shape[0]} images at once: for other batches `adu_depth export --batch dynamic`"
        )


def _watched(work: Callable[[], bytes], config: Any, flavour: Flavour, onnx: Path) -> bytes:
    """Run the builder in a thread with a progress bar.

    Ctrl-C is raised in the main thread; raised inside a callback of TensorRT it would be lost.
    """
    with progress_bar("steps") as bar, ThreadPoolExecutor(1) as pool:
        monitor = build_monitor(flavour.trt, bar, onnx.name)
        config.progress_monitor = monitor
        future = pool.submit(work)
        try:
            while not future.done():
                wait([future], timeout=0.1)
        except KeyboardInterrupt:
            monitor.cancelled = True  # the builder stops at its next step
            raise
        return future.result()


def _plan_bytes(plan: Any, flavour: Flavour, recorder: Any, onnx: Path) -> bytes:
    if plan is None:
        reasons = [error for error in recorder.errors if "CUDA GPU properties" not in error]
        text = "; ".join(dict.fromkeys(reasons)) or "no reason given"
        raise UserError(f"{flavour.name} {flavour.version} could not build {onnx}: {text}")
    return bytes(plan)


def _keep_timing_cache(config: Any, path: Path | None) -> None:
    if path is None:
        return
    with write_atomically(path) as temporary:
        temporary.write_bytes(bytes(config.get_timing_cache().serialize()))


def _card(
    card: ModelCard,
    onnx: Path,
    out: Path,
    written: Path,
    flavour: Flavour,
    gpu: dict[str, str | None],
    network: Any,
    options: BuildOptions,
    layers: list[Layer],
) -> ModelCard:
    tensors = [network.get_input(0)] + [network.get_output(i) for i in range(network.num_outputs)]
    engine = {
        "onnx_sha256": file_sha256(onnx),
        "flavour": flavour.name,
        "version": flavour.version,
        "gpu": gpu,
        "tensors": {t.name: {"shape": list(t.shape), "type": t.dtype.name} for t in tensors},
        "options": options.facts(),
        "precisions": count_precisions(layers),
        "layers": [[layer.name, layer.kind, list(layer.inputs), list(layer.outputs)] for layer in layers],
    }
    return dataclasses.replace(
        card,
        files={out.name: file_sha256(written)},
        extra={
            **card.extra,
            "parity": PARITY_NOT_RUN,
            "export_parity": card.extra.get("parity"),
            "engine": engine,
        },
    )


def gpu_facts(compute_capability: str | None = None) -> dict[str, str | None]:
    """Name and compute capability of the GPU an engine is for; the name is None where only the kind is known.

    :raises UserError: if none is named and this machine has none
    """
    if compute_capability is not None:
        return {"name": None, "compute_capability": compute_capability}
    from adu_depth_core.inference.cuda import current_gpu

    return current_gpu()
