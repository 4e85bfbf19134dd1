"""Build a TensorRT engine from an ONNX student, with its card beside it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from adu_depth_core.deploy.build_options import BuildOptions
from adu_depth_core.deploy.engine_layers import (
    Layer,
    check_precision,
    count_precisions,
    layers_of_inspector,
    layers_of_log,
)
from adu_depth_core.deploy.engine_parity import Gate, parity_of_new
from adu_depth_core.deploy.tensorrt_progress import BuildProgress, Watcher, build_monitor
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.base import IMAGE, INPUTS, check_interface, input_shapes
from adu_depth_core.inference.network_size import check_network_size
from adu_depth_core.inference.tensorrt.api import Flavour, load_flavour, recording_logger
from adu_depth_core.inference.tensorrt.cuda import use_gpu
from adu_depth_core.inference.tensorrt.deserialize import LoadedEngine, deserialize, reasons
from adu_depth_core.inference.tensorrt.engine_file import PARITY_NOT_RUN
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, file_sha256, read_card

logger = logging.getLogger(__name__)


def build_engine(
    onnx: Path,
    out: Path,
    options: BuildOptions | None = None,
    watch: Watcher | None = None,
    gate: Gate | None = None,
) -> ModelCard:
    """Build ``out`` and ``out.json``; nothing is installed unless everything succeeded.

    Where this machine's GPU can run the engine, its outputs must agree with the FP32 original's.

    :param onnx: student as ONNX, with its card
    :param watch: called while the builder works; an exception it raises stops the build and is re-raised
    :param gate: the comparison; without a reference, it is with the FP32 original: the ONNX itself, the file
        beside it that its card names, or the installed student
    :return: the engine's card; its parity is "not run" where this machine cannot run the engine
    :raises UserError: if the ONNX is damaged, has operators TensorRT does not know, an option does not
        suit the flavour or the build fails, or the engine is not of the ONNX's precision or differs too much
    :raises KeyboardInterrupt: on Ctrl-C, once the builder has stopped
    """
    options = options or BuildOptions()
    if out.suffix != ".engine":
        raise UserError(f"{out}: the engine's name must end with .engine")
    card = read_student_onnx(onnx)
    flavour = load_flavour(options.flavour)
    options.check_flavour(flavour)
    gpu = options.gpu(flavour)
    recorder = recording_logger(flavour.trt)
    builder = flavour.trt.Builder(recorder)
    network = builder.create_network(flavour.network_flags)
    config = builder.create_builder_config()
    timing_cache = _use_timing_cache(config, options.timing_cache) if options.timing_cache else None
    profiles: list[list[list[int]]] = []

    def work() -> bytes:
        if options.needs_gpu(flavour):
            use_gpu(options.on_gpu)  # CUDA's current device is per thread
        parser = _parse(flavour, network, recorder, onnx)
        _configure(config, flavour, builder, options)
        profiles.extend(input_profiles(tuple(_inputs(network)[IMAGE].shape), card, options, onnx))
        _add_profiles(config, builder, network, profiles)
        plan = builder.build_serialized_network(network, config)
        del parser  # it owned the weights until here
        return _plan_bytes(plan, flavour, recorder, onnx)

    plan = _watched(work, config, flavour, watch)
    layers = _layers(plan, out, flavour, recorder, options)
    check_precision(layers, precision_of(card))
    if timing_cache is not None:
        _keep_timing_cache(timing_cache, options.timing_cache)
    facts = _facts(onnx, flavour, gpu, network, profiles, options, layers)
    try:
        with write_atomically(out) as temporary:
            temporary.write_bytes(plan)
            card = _card(card, out.name, file_sha256(temporary), facts)
            gate = dataclasses.replace(gate or Gate(), gpu=options.on_gpu)
            if gate.reference is None:
                gate = dataclasses.replace(gate, reference=original_of(onnx, card))
            card = parity_of_new(temporary, card, gate)
        card.write(card_path(out))
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    return card


def read_student_onnx(onnx: Path) -> ModelCard:
    """Card of a student as ONNX.

    :raises UserError: if the file or its card is missing or damaged, or it is no student's ONNX
    """
    try:
        card = read_card(onnx)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    if onnx.suffix != ".onnx" or card.role != "student":
        raise UserError(f"{onnx} is not a student as .onnx: make one with `adu_depth export --out FILE.onnx`")
    return card


def original_of(onnx: Path, card: ModelCard) -> Path | None:
    """The FP32 original of an ONNX: itself, or the file beside it that its card names; None if neither."""
    if precision_of(card) == "fp32":
        return onnx
    beside = (onnx.with_name(name) for name in card.extra.get("source_files", {}) if name.endswith(".onnx"))
    return next((path for path in beside if path.is_file() and card_path(path).is_file()), None)


def precision_of(card: ModelCard) -> str:
    """``fp32``, ``fp16`` or ``int8``."""
    return card.extra.get("precision", "fp32")


def input_profiles(
    shape: tuple[int, ...], card: ModelCard, options: BuildOptions, onnx: Path
) -> list[list[list[int]]]:
    """Least, best and largest input shape of each optimisation profile.

    :param shape: of the ONNX's ``image``, -1 for what it leaves open
    :raises UserError: if sizes or batches are asked for that the ONNX does not take
    """
    if shape[0] != -1 and set(options.batch) not in ({1}, {shape[0]}):
        raise UserError(
            f"{onnx} takes {shape[0]} images at once: for other batches `adu_depth export --batch dynamic`"
        )
    fixed_size = shape[2:] if -1 not in shape[2:] else None
    if fixed_size and set(options.sizes) - {fixed_size}:
        raise UserError(
            f"{onnx} takes {fixed_size[0]}x{fixed_size[1]} images: for another size `adu_depth export --size`"
        )
    sizes = (fixed_size,) if fixed_size else options.sizes or ((card.input_height, card.input_width),)
    for size in sizes:
        try:
            check_network_size(size, card)
        except ValueError as error:
            raise UserError(str(error)) from error
    batches = options.batch if shape[0] == -1 else (shape[0],) * 3
    return [[[batch, 3, *size] for batch in batches] for size in sizes]


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
        _inputs(network),
        (network.get_output(i).name for i in range(network.num_outputs)),
    )
    return parser


def _configure(config: Any, flavour: Flavour, builder: Any, options: BuildOptions) -> None:
    trt = flavour.trt
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # so that layers can be inspected
    if flavour.compute_capabilities and not options.hardware_compatible:
        # Without one, tensorrt_rtx builds for every GPU from Ampere on.
        config.num_compute_capabilities = 1
        config.set_compute_capability(flavour.compute_capability(options.compute_capability), 0)
    if options.workspace_mib is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if options.version_compatible:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    if options.hardware_compatible and not flavour.compute_capabilities:
        config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
    if options.dla_core is not None:
        if not 0 <= options.dla_core < builder.num_DLA_cores:
            raise UserError(
                f"DLA core {options.dla_core} is not there: this machine has {builder.num_DLA_cores}"
            )
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = options.dla_core
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)


def _add_profiles(config: Any, builder: Any, network: Any, profiles: list[list[list[int]]]) -> None:
    """Add each profile: the image's shapes, and the camera's for the same batches."""
    if -1 not in _inputs(network)[IMAGE].shape:
        return
    for images in profiles:
        profile = builder.create_optimization_profile()
        shapes = [input_shapes(batch, (height, width)) for batch, _, height, width in images]
        for name in INPUTS:
            profile.set_shape(name, *(shape[name] for shape in shapes))
        config.add_optimization_profile(profile)


def _inputs(network: Any) -> dict[str, Any]:
    """The network's input tensors by name."""
    return {tensor.name: tensor for tensor in map(network.get_input, range(network.num_inputs))}


def _watched(work: Callable[[], bytes], config: Any, flavour: Flavour, watch: Watcher | None) -> bytes:
    """Run the builder in a thread, and ``watch`` in this one.

    Ctrl-C is raised in the main thread; raised inside a callback of TensorRT it would be lost.
    """
    progress = BuildProgress()
    monitor = build_monitor(flavour.trt, progress)
    config.progress_monitor = monitor
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            while not future.done():
                if watch is not None:
                    watch(progress)
                wait([future], timeout=0.1)
            if watch is not None:
                watch(progress)
        except BaseException:
            progress.cancelled = True  # the builder stops at its next step; the pool waits for it
            raise
        try:
            return future.result()
        finally:
            # Its exception leads back to this frame: a cycle that would keep the builder for the garbage
            # collector, which must not be what frees it, see ``recording_logger``.
            del future


def _plan_bytes(plan: Any, flavour: Flavour, recorder: Any, onnx: Path) -> bytes:
    if plan is None:
        text = reasons(error for error in recorder.errors if "CUDA GPU properties" not in error)
        if "FP32 GEMM is not supported" in text:
            text += (
                " (these GPUs have no engine of a student, whose fingerprint is a matrix product in FP32: use"
                " backend onnxruntime-cuda there)"
            )
        raise UserError(f"{flavour.name} {flavour.version} could not build {onnx}: {text}")
    return bytes(plan)


def _layers(plan: bytes, out: Path, flavour: Flavour, recorder: Any, options: BuildOptions) -> list[Layer]:
    if flavour.compiles_at_run_time:
        return layers_of_log(recorder.details)  # works without a GPU
    loaded = LoadedEngine(*deserialize(flavour, out, plan, options.facts()))
    inspector = loaded.engine.create_engine_inspector()
    text = inspector.get_engine_information(flavour.trt.LayerInformationFormat.JSON)
    del inspector  # before the engine that made it
    return layers_of_inspector(text)


def _use_timing_cache(config: Any, path: Path) -> Any:
    """Give the builder the kernel times of a file, or an empty cache where they do not fit.

    :return: the cache, which must live until the engine is built; None if TensorRT takes none
    """
    for content in (path.read_bytes() if path.is_file() else b"", b""):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return cache
        if content:
            logger.warning("%s is damaged, or of another GPU or TensorRT: kernels are timed again", path)
    logger.warning("%s is not used: TensorRT takes no timing cache", path)
    return None


def _keep_timing_cache(cache: Any, path: Path) -> None:
    content = cache.serialize()
    if content is None:
        logger.warning("%s is not written: TensorRT could not serialise the kernel times", path)
        return
    with write_atomically(path) as temporary:
        temporary.write_bytes(bytes(content))


def _facts(
    onnx: Path,
    flavour: Flavour,
    gpu: dict[str, str | None],
    network: Any,
    profiles: list[list[list[int]]],
    options: BuildOptions,
    layers: list[Layer],
) -> dict[str, Any]:
    """The card's ``engine`` entry."""
    tensors = [*_inputs(network).values(), *map(network.get_output, range(network.num_outputs))]
    return {
        "onnx_sha256": file_sha256(onnx),
        "flavour": flavour.name,
        "version": flavour.version,
        "gpu": gpu,
        "tensors": {t.name: {"shape": list(t.shape), "type": t.dtype.name} for t in tensors},
        "profiles": profiles,
        "options": options.facts(),
        "precisions": count_precisions(layers),
        "layers": [[layer.name, layer.kind, list(layer.inputs), list(layer.outputs)] for layer in layers],
    }


def _card(card: ModelCard, name: str, sha256: str, facts: dict[str, Any]) -> ModelCard:
    height, width = facts["profiles"][0][1][2:]
    return dataclasses.replace(
        card,
        input_height=height,
        input_width=width,
        files={name: sha256},
        extra={
            "source_files": card.files,  # where the ONNX is the original; an export names its own source
            **card.extra,
            "precision": precision_of(card),
            "parity": PARITY_NOT_RUN,
            "export_parity": card.extra.get("parity"),
            "engine": facts,
        },
    )
