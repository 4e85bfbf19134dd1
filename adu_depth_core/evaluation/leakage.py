"""Refuse to measure a model on frames it was trained on.

A model card lists its training data as ``training["data"]``: for each data set ``{"name": "kitti2015",
"split": "training", "scenes": ["000000", ...], "licence": "..."}``, where ``split`` is the publisher's and
``scenes`` names the frames; large data sets have ``drives`` instead, the drives that the frames are from.
Drives are compared across all data sets of the same recordings, so that a neighbour of a training frame is
none to be judged on. What a student's teacher saw belongs there too. ``training["calibration"]`` is
what ``calibration.Calibration`` writes: on the frames in it, sigma is judged without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adu_depth_core.datasets.folders import some
from adu_depth_core.datasets.registry import KINDS
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.calibration import Calibration
from adu_depth_core.model_card import ModelCard

OVERLAPPING_SPLITS = {
    ("kitti_official", "training", "kitti_eigen", "test"): (
        "the drives of KITTI's official depth training part contain 491 of the 652 Eigen test frames"
    ),
}
"""Why a model trained on (data set, split) must not be judged on another (data set, split), even if its card
does not list its drives. Counted in the lists of monodepth2: 161 of the 652 frames are in drives of the
official validation part."""


@dataclass(frozen=True)
class Leakage:
    """What the card says of the evaluated frames.

    :param known: whether the card lists the frames of all its training data from this data set; if not,
        an overlap cannot be excluded
    :param trained: evaluated frames that the model was trained on, or on frames of the same drive
    :param calibrated: evaluated frames that its uncertainty scale was fitted on; their sigma is judged with
        a scale fitted without them
    :param warnings: what to tell with the result, one sentence each
    """

    known: bool
    trained: list[str]
    calibrated: list[str]
    warnings: list[str]


def check_leakage(
    card: ModelCard,
    dataset: str,
    split: str,
    frames: Sequence[str],
    allow: bool = False,
    drives: Mapping[str, str] | None = None,
) -> Leakage:
    """Look for the frames to evaluate among those that made the model.

    :param card: card of the model
    :param dataset: data set of the frames, as model cards name it
    :param split: the publisher's split that the frames are from
    :param frames: names of the frames
    :param allow: warn of training frames instead of refusing them
    :param drives: the drive of each frame, as far as it is known
    :raises UserError: unless allowed, if the model was trained on some of the frames or on a split that
        overlaps
    """
    entries = card.training.get("data") or []
    trained, reason = _trained_frames(entries, dataset, split, frames, drives or {})
    doubt = _doubt(entries, dataset, split, by_drive=len(drives or {}) == len(frames))
    calibration = Calibration.of(card)
    fitted = calibration.scales if calibration and calibration.dataset == dataset else {}
    calibrated = [frame for frame in frames if frame in fitted]
    if trained and not allow:
        raise UserError(
            f"model {card.name} was trained on {reason}. The result would say nothing about new frames; "
            "choose a split the model has not seen, or pass --allow-training-frames to evaluate nevertheless"
        )
    warnings = []
    if trained:
        warnings.append(f"model {card.name} was trained on {reason}")
    elif doubt:
        warnings.append(f"the card of model {card.name} {doubt}: it may be these frames")
    return Leakage(not doubt, trained, calibrated, warnings)


def _trained_frames(
    entries: Sequence[dict[str, Any]],
    dataset: str,
    split: str,
    frames: Sequence[str],
    drives: Mapping[str, str],
) -> tuple[list[str], str]:
    """The frames that the model was trained on, and what to say of them."""
    for entry in entries:
        overlap = OVERLAPPING_SPLITS.get((entry.get("name"), entry.get("split"), dataset, split))
        if overlap:
            return list(frames), f"{entry['name']} ({entry['split']}), and {overlap}"
    trained = {frame for entry in _of_split(entries, dataset, split) for frame in entry.get("scenes", ())}
    seen = [frame for frame in frames if frame in trained]
    if seen:
        return seen, f"{_share(seen, frames)} ({some(seen)})"
    driven = {
        drive
        for entry in _same_recordings(entries, dataset)
        # A data set that lists its scenes holds out scenes by itself, which may be of the same drives.
        if entry["name"] != dataset or "scenes" not in entry
        for drive in entry.get("drives", ())
    }
    seen = [frame for frame in frames if drives.get(frame) in driven]
    return seen, f"drives of {_share(seen, frames)} ({some(sorted({drives[frame] for frame in seen}))})"


def _doubt(entries: Sequence[dict[str, Any]], dataset: str, split: str, by_drive: bool) -> str:
    """Why it cannot be known which frames the model was trained on; empty if it can."""
    if not entries:
        return "does not say what it was trained on"
    if any(not {"scenes", "drives"} & entry.keys() for entry in _of_split(entries, dataset, split)):
        return f"says it was trained on {dataset} but not on which frames"
    for entry in _same_recordings(entries, dataset):
        if entry["name"] != dataset and not (by_drive and "drives" in entry):
            return (
                f"says it was trained on {entry['name']}, which is cut from the same recordings as {dataset}"
            )
    return ""


def _same_recordings(entries: Sequence[dict[str, Any]], dataset: str) -> list[dict[str, Any]]:
    """The entries of data sets that are cut from the same recordings as ``dataset``, itself among them."""
    recordings = KINDS[dataset].recordings if dataset in KINDS else ""
    return [
        entry
        for entry in entries
        if entry.get("name") == dataset
        or (recordings and entry.get("name") in KINDS and KINDS[entry["name"]].recordings == recordings)
    ]


def _of_split(entries: Sequence[dict[str, Any]], dataset: str, split: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if (entry.get("name"), entry.get("split", split)) == (dataset, split)]


def _share(seen: Sequence[str], frames: Sequence[str]) -> str:
    return f"{len(seen)} of the {len(frames)} frames to evaluate"
