"""Refuse to measure a model on frames it was trained on.

A model card lists its training data as ``training["data"]``: for each data set ``{"name": "kitti2015",
"split": "training", "scenes": ["000000", ...], "licence": "..."}``, where ``split`` is the publisher's and
``scenes`` names the frames. What a student's teacher saw belongs there too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard

OVERLAPPING_SPLITS = {
    ("kitti_official", "training", "kitti_eigen", "test"): (
        "KITTI's official depth training list contains 451 of the 652 Eigen test frames"
    ),
}
"""Why a model trained on (data set, split) must not be judged on another (data set, split)."""


@dataclass(frozen=True)
class Leakage:
    """What the card says of the evaluated frames.

    :param known: whether the card lists the frames of all its training data from this data set; if not,
        an overlap cannot be excluded
    :param frames: evaluated frames that the model was trained on
    :param text: the finding in one sentence; empty if there is nothing to warn of
    """

    known: bool
    frames: list[str]
    text: str


def check_leakage(
    card: ModelCard, dataset: str, split: str, frames: Sequence[str], allow: bool = False
) -> Leakage:
    """Look for the frames to evaluate among the model's training data.

    :param card: card of the model
    :param dataset: data set of the frames, as model cards name it
    :param split: the publisher's split that the frames are from
    :param frames: names of the frames
    :param allow: report an overlap in the result's ``text`` instead of refusing
    :raises UserError: unless allowed, if the model was trained on some of the frames or on a split that
        overlaps
    """
    leakage = _find_leakage(card, dataset, split, frames)
    if leakage.frames and not allow:
        raise UserError(
            f"{leakage.text}. The result would say nothing about new frames; choose a split the model has "
            "not seen, or pass --allow-training-frames to evaluate nevertheless"
        )
    return leakage


def _find_leakage(card: ModelCard, dataset: str, split: str, frames: Sequence[str]) -> Leakage:
    entries = card.training.get("data")
    if not entries:
        text = f"the card of model {card.name} does not say what it was trained on: it may be these frames"
        return Leakage(False, [], text)
    for entry in entries:
        reason = OVERLAPPING_SPLITS.get((entry.get("name"), entry.get("split"), dataset, split))
        if reason:
            trained_on = f"model {card.name} was trained on {entry['name']} ({entry['split']})"
            return Leakage(True, list(frames), f"{trained_on}: {reason}")
    same = [entry for entry in entries if (entry.get("name"), entry.get("split", split)) == (dataset, split)]
    trained = {frame for entry in same for frame in entry.get("scenes", ())}
    seen = [frame for frame in frames if frame in trained]
    if seen:
        share = f"{len(seen)} of the {len(frames)} frames of {dataset} to evaluate"
        return Leakage(True, seen, f"model {card.name} was trained on {share}: {', '.join(seen)}")
    if any("scenes" not in entry for entry in same):
        text = f"the card of model {card.name} says it was trained on {dataset} but not on which frames"
        return Leakage(False, [], f"{text}: it may be these")
    return Leakage(True, [], "")
