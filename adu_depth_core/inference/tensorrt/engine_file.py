"""Engine files: their cards, and the check that they may run on this machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card
from adu_depth_core.model_card_form import PARITY_NOT_RUN

logger = logging.getLogger(__name__)

LEAST_COMPATIBLE = "8.0"
"""Compute capability (Ampere) from which on engines built to be hardware-compatible run."""


def engine_card(engine: Path) -> ModelCard:
    """Card of an engine, checked against the file.

    :raises UserError: if either is missing, damaged, or they do not belong together
    """
    try:
        card = read_card(engine)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(str(error)) from error
    if "engine" not in card.extra:
        raise UserError(
            f"{engine} is not a TensorRT engine: make one with `adu_depth build-engine --onnx FILE.onnx "
            "--out FILE.engine`"
        )
    return card


def check_fits(engine: Path, facts: dict[str, Any], gpu: dict[str, str], version: str) -> None:
    """Refuse an engine of another GPU or TensorRT, before TensorRT does so less clearly.

    :param facts: the card's ``engine`` entry
    :param gpu: this machine's, see ``cuda.current_gpu``
    :param version: the installed TensorRT's
    :raises UserError: with what it is for, what is here, and how to build it again
    """
    remedy = "rebuild it here with `adu_depth build-engine`"
    flavour, options = facts["flavour"], facts["options"]
    if not _version_fits(facts["version"], version, options["version_compatible"]):
        raise UserError(f"{engine} is for {flavour} {facts['version']}, here is {version}: {remedy}")
    wanted, here = facts["gpu"]["compute_capability"], gpu["compute_capability"]
    if options["hardware_compatible"]:
        if _numbers(here) < _numbers(wanted):
            raise UserError(
                f"{engine} is for GPUs of compute capability {wanted} and later, here is {gpu['name']} of "
                f"{here}: {remedy}, without --hardware-compatible"
            )
        return
    # tensorrt tunes for one kind of board; tensorrt_rtx compiles its kernels where they run.
    name = facts["gpu"]["name"] if flavour == "tensorrt" else None
    if wanted != here or name not in (None, gpu["name"]):
        raise UserError(
            f"{engine} is for {name or 'GPUs'} of compute capability {wanted}, here is {gpu['name']} of "
            f"{here}: {remedy}"
        )


def check_verified(engine: Path, allow_unverified: bool, gpu: int = 0) -> None:
    """Refuse an engine whose outputs were not compared with the FP32 original.

    :param allow_unverified: let it pass with a warning; one that was compared and failed never passes
    :param gpu: number of the GPU that will run it, see ``cuda.use_gpu``
    :raises UserError: with the command that compares
    """
    card = engine_card(engine)
    parity = card.extra["parity"]
    if parity == PARITY_NOT_RUN:
        problem = "its outputs were never compared with the FP32 original's (its card says parity: not run)"
    elif not parity["passed"]:
        raise UserError(f"{engine} must not be used: its outputs differ from {parity['reference']}'s")
    elif problem := _verified_elsewhere(card.extra["engine"], parity, gpu):
        problem = f"its outputs were compared on {problem}"
    else:
        return
    if not allow_unverified:
        command = f"adu_depth verify-engine {engine}" + (f" --gpu {gpu}" if gpu else "")
        raise UserError(
            f"{engine} is refused: {problem}. Run `{command}` on this machine, or set "
            "allow_unverified_engine to true"
        )
    logger.warning("%s is used although %s", engine, problem)


def _verified_elsewhere(facts: dict[str, Any], parity: dict[str, Any], gpu: int) -> str:
    """Place of verification of a compatible engine, if the code verified there differs from the code that
    runs on this GPU."""
    options = facts["options"]
    if not (options["version_compatible"] or options["hardware_compatible"]):
        return ""  # tied to one TensorRT version and GPU model, so it ran there
    from adu_depth_core.inference.tensorrt.api import load_flavour
    from adu_depth_core.inference.tensorrt.cuda import current_gpu, use_gpu

    use_gpu(gpu)
    here = (load_flavour(facts["flavour"]).version, current_gpu()["compute_capability"])
    there = parity["ran_on"]
    same = here == (there["version"], there["gpu"]["compute_capability"])
    return "" if same else f"{there['gpu']['name']} with {facts['flavour']} {there['version']} only"


def _version_fits(built: str, here: str, compatible: bool) -> bool:
    """Version-compatible engines run on later versions of their major; those of 10 also on 11."""
    if not compatible:
        return built == here
    old, new = _numbers(built), _numbers(here)
    return old <= new and (old[0] == new[0] or (old[0], new[0]) == (10, 11))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
