"""Check that a checkpoint belongs to the training that resumes from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard

KEY = "adu_depth"
"""Of a checkpoint's entry."""

NO_EFFECT = ("cache", "checkpoint_every", "log_every", "pictures_every", "validate_every")
"""Entries of a recipe that the weights do not depend on."""

FREE = (*NO_EFFECT, "max_hours")
"""Entries of a recipe that may change in mid-run: those, and the time that there is."""


def origin(card: ModelCard) -> dict[str, Any]:
    """Origin of a checkpoint: network, recipe, data, teacher and initial weights, without paths."""
    return {"role": card.role, **card.training}


def check_same_training(checkpoint: dict[str, Any], card: ModelCard, folder: str) -> None:
    """Refuse to resume from a checkpoint of another training.

    :param checkpoint: as loaded
    :param card: card of the network before it is trained
    :param folder: folder of the checkpoint
    :raises UserError: if it is another network, recipe, data set, teacher or start; it names what differs
    """
    differing = differences(checkpoint.get(KEY, {}), origin(card), FREE)
    if differing:
        raise UserError(
            f"{folder}/last.ckpt is of another training ({'; '.join(differing)}): "
            "choose another out=, or delete the folder to start over"
        )


def differences(before: dict[str, Any], now: dict[str, Any], free: Sequence[str]) -> list[str]:
    """Differences between two trainings, given by ``origin``, in words.

    :param free: entries of the recipe that may differ
    """

    def compared(one: dict[str, Any], other: dict[str, Any], names: list[str]) -> list[str]:
        return [
            f"{name} {_short(one.get(name))}, now {_short(other.get(name))}"
            for name in names
            if one.get(name) != other.get(name)
        ]

    recipes = before.get("recipe", {}), now["recipe"]
    found = compared(before, now, ["role", "start", "teacher"])
    found += compared(*recipes, sorted({*recipes[0], *recipes[1]} - set(free)))
    return found + ["other data"] * (before.get("data") != now["data"])


def _short(value: Any) -> Any:
    """A network's name and file for what a card says of it: names alone may be the same."""
    if not (isinstance(value, dict) and "files" in value):
        return value
    return f"{value['name']} ({', '.join(sha256[:12] for sha256 in value['files'].values())})"
