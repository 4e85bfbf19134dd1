"""Parity gate of an engine on its target GPU; the result is stored in its card."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adu_depth_core.deploy.input_frames import Frame, describe_cameras, network_inputs, synthetic_frames
from adu_depth_core.deploy.parity import LIMITS, Parity, compare
from adu_depth_core.errors import UserError, require
from adu_depth_core.inference.backends.onnxruntime import ONNXRuntimeBackend
from adu_depth_core.inference.backends.tensorrt import TensorRTBackend
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.network_size import fixed_network_size
from adu_depth_core.inference.tensorrt.api import load_flavour
from adu_depth_core.inference.tensorrt.cuda import current_gpu, use_gpu
from adu_depth_core.inference.tensorrt.engine_file import check_fits, engine_card
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, read_card

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gate:
    """Reference and frames of an engine comparison.

    :param reference: FP32 student as ONNX; None for the installed one
    :param frames: images with their cameras; None for synthetic ones
    :param origin: source of the frames, for the card
    :param gpu: number of the GPU to run the engine on
    """

    reference: Path | None = None
    frames: list[Frame] | None = None
    origin: str = ""
    gpu: int = 0


def verify_engine(engine: Path, gate: Gate) -> Parity:
    """Compare an engine with ONNX Runtime's FP32, and write the result into the engine's card.

    :return: the comparison, which passed
    :raises UserError: if the engine cannot run here, the reference is not its original, or its outputs
        differ too much; the card then records that
    """
    card = engine_card(engine)
    parity, card = _compare(engine, card, find_reference(card, gate.reference), gate)
    card.write(card_path(engine))
    _refuse_excess(engine, parity, card)
    return parity


def parity_of_new(engine: Path, card: ModelCard, gate: Gate) -> ModelCard:
    """The gate for an engine that is not installed yet.

    :param engine: the file, with the name it will have
    :param card: its card, with ``parity`` "not run"
    :return: the card with the comparison, or as it was where this machine cannot make it
    :raises UserError: if its outputs differ too much
    """
    try:
        use_gpu(gate.gpu)
        check_fits(
            engine, card.extra["engine"], current_gpu(), load_flavour(card.extra["engine"]["flavour"]).version
        )
    except UserError:
        return card  # built for another machine
    try:
        require("onnxruntime", "onnxruntime", "to compare the engine with")
        reference = find_reference(card, gate.reference)
    except UserError as error:
        logger.warning("the engine's outputs were not compared with the original's: %s", error)
        return card
    card.write(card_path(engine))
    parity, card = _compare(engine, card, reference, gate)
    _refuse_excess(engine, parity, card)
    return card


def find_reference(card: ModelCard, given: Path | None) -> Path:
    """The FP32 original of an engine.

    :param given: the file to take; None for the installed student
    :raises UserError: if it is missing or damaged, not FP32, or another model
    """
    reference = given or default_model()
    try:
        reference_card = read_card(reference)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    precision = reference_card.extra.get("precision", "fp32")
    if precision != "fp32":
        raise UserError(f"{reference} is {precision}: the reference must be FP32")
    known = set(card.extra["source_files"].values())
    ours = {*reference_card.files.values(), *reference_card.extra.get("source_files", {}).values()}
    if not known & ours:
        raise UserError(
            f"{reference} is not the model that the engine was built from ({card.name}): name its "
            "FP32 original with --reference"
        )
    return reference


def _compare(engine: Path, card: ModelCard, reference: Path, gate: Gate) -> tuple[Parity, ModelCard]:
    """The worst comparison of all optimisation profiles, each with its smallest and largest batch, and the
    card that tells it.
    """
    facts, limits = card.extra["engine"], LIMITS[card.extra["precision"]]
    results = []
    for low, best, high in facts["profiles"]:
        size = (best[2], best[3])
        fixed = fixed_network_size(read_card(reference))
        if fixed not in (None, size):
            raise UserError(
                f"{reference} takes {fixed[0]}x{fixed[1]} images, the engine {size[0]}x{size[1]}: name an "
                "FP32 original of any size, or of that one, with --reference"
            )
        expected = ONNXRuntimeBackend(reference, size, None)
        frames = gate.frames or synthetic_frames(size)
        inputs = network_inputs(frames, card, size)
        for batch in sorted({low[0], high[0]}):
            network = TensorRTBackend(engine, size, None, batch, gpu=gate.gpu)
            results.append(compare(network.run, expected.infer, f"{expected.runtime} FP32", inputs, batch))
    parity = max(results, key=lambda result: (len(result.excess(limits)), result.depth_p99))
    parity_facts: dict[str, Any] = {
        **dataclasses.asdict(parity),
        "frames_from": gate.origin or "synthetic pictures",
        "cameras": describe_cameras(frames),
        "passed": not parity.excess(limits),
        "ran_on": {"gpu": current_gpu(), "version": load_flavour(facts["flavour"]).version},
    }
    return parity, dataclasses.replace(card, extra={**card.extra, "parity": parity_facts})


def _refuse_excess(engine: Path, parity: Parity, card: ModelCard) -> None:
    if not card.extra["parity"]["passed"]:
        excess = "; ".join(parity.excess(LIMITS[card.extra["precision"]]))
        raise UserError(
            f"{engine.name} must not be used: its outputs differ from {parity.reference}'s: {excess}"
        )
