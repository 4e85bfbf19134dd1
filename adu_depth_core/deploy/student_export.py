"""Export of a student in one precision, for one input size or any; installed only if it agrees with the
original."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from adu_depth_core.deploy import graph, half, half_storage, quantize
from adu_depth_core.deploy.input_frames import Frame, describe_cameras, network_inputs, synthetic_frames
from adu_depth_core.deploy.network_cost import network_cost
from adu_depth_core.deploy.parity import LIMITS, Parity, compare
from adu_depth_core.errors import UserError, require
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.backends.base import Backend
from adu_depth_core.inference.backends.onnxruntime import ONNXRuntimeBackend
from adu_depth_core.inference.network_size import check_network_size, fixed_network_size
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, file_sha256, read_card

PRECISIONS = ("fp32", "fp16", "int8")

ANY_SIZE = "any"
"""In place of an input size: height, width and batch stay open, as training exports a student."""

HELD_OUT = 5
"""One frame in this many is used for comparison instead of calibration."""


def read_student(model: Path) -> ModelCard:
    """Card of an FP32 student, for export.

    :raises UserError: if the model or its card is missing or damaged, or it is not an FP32 student
    """
    try:
        card = read_card(model)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    precision = card.extra.get("precision", "fp32")
    if card.role != "student" or precision != "fp32":
        raise UserError(f"{model} is a {card.role} in {precision}: export starts from an FP32 student")
    if model.suffix not in (".onnx", ".safetensors"):
        raise UserError(f"{model}: export starts from .onnx or .safetensors")
    return card


def export(
    model: Path,
    out: Path,
    size: tuple[int, int] | str | None = None,
    batch: int | None = 1,
    precision: str = "fp32",
    frames: list[Frame] | None = None,
    origin: str = "",
    store_fp16: bool = False,
) -> tuple[ModelCard, Parity]:
    """Export a student; ``out`` and its card are written only if its outputs agree with the original's.

    :param model: FP32 student, ``.onnx`` or ``.safetensors``, with its card
    :param out: ``.onnx`` file to write
    :param size: ``(height, width)`` of the input, ``ANY_SIZE``, or None for the model's
    :param batch: images at once; None leaves it open, as ``ANY_SIZE`` requires
    :param precision: one of ``PRECISIONS``
    :param frames: images with their cameras, to calibrate (INT8) and compare on; None for synthetic ones, not
        for INT8
    :param origin: source of the frames, for the card
    :param store_fp16: store the weights of an FP32 export in FP16 (``deploy.half_storage``)
    :return: the card, and the comparison
    :raises UserError: if the model is unsuitable, options do not go together, or the outputs differ too much
    """
    card = read_student(model)
    _check_options(model, card, out, size, batch, precision, frames, store_fp16)
    fixed = size is not None and not isinstance(size, str)
    compared_at = size if fixed else (card.input_height, card.input_width)
    try:
        check_network_size(compared_at, card)
    except ValueError as error:
        raise UserError(str(error)) from error

    with tempfile.TemporaryDirectory() as folder:
        source = _source_onnx(model, card, Path(folder))
        reference, name = _reference(model, card, source, compared_at)
        network = graph.load_graph(source)
        if size != ANY_SIZE:
            network = graph.fix_size(network, compared_at, batch)
        frames = frames or synthetic_frames(compared_at)
        inputs = network_inputs(frames, card, compared_at)
        facts: dict[str, Any] = {}
        if store_fp16:
            network, facts = half_storage.store_half(network), {"storage": half_storage.RULE}
        if precision == "fp16":
            network, kept = half.to_half(network)
            facts = {"kept_fp32": kept, "rule": half.RULE}
        if precision == "int8":
            calibration = [seen for i, seen in enumerate(inputs) if i % HELD_OUT]
            inputs = inputs[::HELD_OUT]
            network, kept = quantize.quantize(network, calibration)
            facts = {
                "kept_fp32": kept,
                "rule": quantize.RULE,
                "calibration": {"method": quantize.METHOD, "frames": len(calibration), "frames_from": origin},
            }
        with write_atomically(out) as temporary:
            graph.save_graph(network, temporary)
            exported = ONNXRuntimeBackend(temporary, compared_at, None, batch or 1)
            parity = compare(exported.run, reference.infer, name, inputs, batch or 1)
            excess = parity.excess(LIMITS[precision])
            if excess:
                raise UserError(
                    f"{out} was not written: its outputs differ from {name}'s: {'; '.join(excess)}"
                )
            card = _card(card, out.name, file_sha256(temporary), network, compared_at, precision)
    parity_facts = {
        **dataclasses.asdict(parity),
        "frames_from": origin or "synthetic pictures",
        "cameras": describe_cameras(frames),
    }
    card = dataclasses.replace(card, extra={**card.extra, **facts, "parity": parity_facts})
    card.write(card_path(out))
    return card, parity


def _check_options(
    model: Path,
    card: ModelCard,
    out: Path,
    size: tuple[int, int] | str | None,
    batch: int | None,
    precision: str,
    frames: list[Frame] | None,
    store_fp16: bool,
) -> None:
    """:raises UserError: if they do not suit the model or one another"""
    if batch is not None and batch < 1:
        raise UserError(f"batch is {batch}: must be at least 1")
    if out.suffix != ".onnx" or out.resolve() == model.resolve():
        raise UserError(f"{out}: the exported file must be an .onnx file other than the model")
    if card_path(out).resolve() == card_path(model).resolve():
        raise UserError(f"{out} would replace the card of {model}: give the exported file another name")
    if precision == "int8" and len(frames or ()) < 2:
        raise UserError("INT8 is calibrated on real frames: name at least two with --frames")
    if store_fp16 and precision != "fp32":
        raise UserError(f"FP16 storage is for weights computed with in FP32: precision is {precision}")
    if size != ANY_SIZE:
        return
    if precision != "fp32" or batch is not None:
        raise UserError("size any is for FP32 and an open batch: other exports are made for one input size")
    if fixed_network_size(card) is not None:
        raise UserError(
            f"{model} takes {card.input_height}x{card.input_width} images: name a student of any size"
        )


def _source_onnx(model: Path, card: ModelCard, folder: Path) -> Path:
    """The model as FP32 ONNX of any size; made from the weights where those were given."""
    if model.suffix == ".onnx":
        return model
    for module in ("torch", "timm", "onnx"):
        require(module, "train", "to export from .safetensors")
    from adu_depth_core.deploy.onnx_export import export_onnx
    from adu_depth_core.networks.student import load_student

    source = folder / "source.onnx"
    try:
        export_onnx(load_student(model, card), card, source)
    except ValueError as error:
        raise UserError(str(error)) from error
    return source


def _reference(model: Path, card: ModelCard, source: Path, size: tuple[int, int]) -> tuple[Backend, str]:
    """PyTorch in FP32 where its weights and torch are here, else ONNX Runtime in FP32."""
    weights = model.with_suffix(".safetensors")
    if weights.name in card.files and weights.is_file():
        from adu_depth_core.inference.backends.pytorch import PyTorchBackend

        try:
            backend = PyTorchBackend(weights, size, None)
            return backend, f"{backend.runtime} FP32"
        except UserError:
            if model == weights:
                raise
    backend = ONNXRuntimeBackend(source, size, None)
    return backend, f"{backend.runtime} FP32"


def _card(
    card: ModelCard, name: str, sha256: str, network: Any, size: tuple[int, int], precision: str
) -> ModelCard:
    shape = graph.input_shape(network)
    facts = {
        "precision": precision,
        "opset": graph.opset(network),
        "input_shape": shape,
        "weights": graph.weight_types(network),
        "source_files": card.files,
    }
    if isinstance(shape[2], int):
        facts["cost"] = network_cost(network).to_json()
    return dataclasses.replace(
        card,
        input_height=size[0],
        input_width=size[1],
        files={name: sha256},
        accuracy=[],  # measured on the original, not on this file
        extra={**{key: value for key, value in card.extra.items() if key != "storage"}, **facts},
    )
