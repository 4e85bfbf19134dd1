"""Parity gate of an engine on the GPU it is for; the result is kept in its card."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from adu_depth_core.deploy.frames import network_inputs, synthetic_images
from adu_depth_core.deploy.parity import LIMITS, Parity, compare
from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.onnxruntime import ONNXRuntimeBackend
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend, engine_card
from adu_depth_core.model_card import ModelCardError, card_path, read_card


def verify_engine(engine: Path, reference: Path, frames: list[np.ndarray] | None, origin: str) -> Parity:
    """Compare an engine with ONNX Runtime's FP32, and write the result into the engine's card.

    :param reference: FP32 student as ONNX, of the same training
    :param frames: RGB images; None for synthetic ones
    :param origin: where the frames are from, for the card
    :return: the comparison, which passed
    :raises UserError: if the engine cannot run here, or its answers differ too much; its card says so then
    """
    card = engine_card(engine)
    try:
        reference_card = read_card(reference)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    if reference_card.extra.get("precision", "fp32") != "fp32":
        raise UserError(f"{reference} is {reference_card.extra['precision']}: the reference must be FP32")
    size = (card.input_height, card.input_width)
    expected = ONNXRuntimeBackend(reference, size, None)
    network = TensorRTBackend(engine, size, None)
    inputs = network_inputs(frames or synthetic_images(size), card, size)
    parity = compare(network.infer, expected.infer, f"{expected.runtime} FP32", inputs)
    excess = parity.excess(LIMITS[card.extra["precision"]])
    facts = {
        **dataclasses.asdict(parity),
        "frames_from": origin or "synthetic pictures",
        "passed": not excess,
    }
    dataclasses.replace(card, extra={**card.extra, "parity": facts}).write(card_path(engine))
    if excess:
        raise UserError(
            f"{engine} must not be used: its answers differ from {parity.reference}'s: {'; '.join(excess)}"
        )
    return parity
