"""Training on all labelled frames: its accuracy is that of a twin trained without the held-out ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard, ModelCardError, read_card
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.resume import NO_EFFECT, differences, origin


def with_held_out(config: TrainingConfig) -> TrainingConfig:
    """The recipe of a twin for all frames: sources hold none out, so there are none to validate on."""
    sources = tuple(dataclasses.replace(source, scenes="all") for source in config.sources)
    return dataclasses.replace(config, sources=sources, validate_every=0, keep="last")


def read_twin(path: Path, card: ModelCard, sources: int) -> ModelCard:
    """The card of the twin.

    :param path: its model
    :param card: card of the network that is to be trained
    :param sources: number of its sources
    :raises UserError: if the twin is missing or damaged, has no accuracy, or comes from another recipe, other
        sources, another teacher or another start
    """
    try:
        twin = read_card(path)
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(f"twin: {error}") from error
    if not twin.accuracy or "twin" in twin.training:
        raise UserError(f"twin {path}: it must be a network whose own accuracy was measured")
    differing = differences(_comparable(twin, sources), _comparable(card, sources), NO_EFFECT)
    if differing:
        raise UserError(
            f"twin {path} was trained differently ({'; '.join(differing)}): train both by the same recipe"
        )
    return twin


def judged_by(card: ModelCard, twin: ModelCard) -> ModelCard:
    """The card with the uncertainty scale, novelty and typical entries, and accuracy of the twin, which it
    names."""
    named = {"name": twin.name, "files": twin.files}
    return dataclasses.replace(
        card,
        sigma_scale=twin.sigma_scale,
        novelty=twin.novelty,
        typical=twin.typical,
        accuracy=[{**entry, "twin": named} for entry in twin.accuracy],
        training={**card.training, "twin": named},
    )


def _comparable(card: ModelCard, sources: int) -> dict[str, Any]:
    """Common properties of twins: all but the frames. The first entries of the data are their own sources."""
    own = card.training["data"][:sources]
    data = [(entry["name"], entry.get("split"), entry["weight"]) for entry in own]
    recipe = {name: value for name, value in card.training["recipe"].items() if name != "keep"}
    return {**origin(card), "data": data, "recipe": recipe}
