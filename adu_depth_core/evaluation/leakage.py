"""Refuse to evaluate a model on its training frames.

A model card lists its training data as ``training["data"]``: for each data set ``{"name": "kitti2015",
"split": "training", "scenes": ["000000", ...], "licence": "..."}``, where ``split`` is the publisher's and
``scenes`` names the frames; large data sets have ``drives`` instead, the drives that the frames are from.
Places (``datasets.recordings``: drives, and groups of scenes of KITTI 2015) are compared across all data sets
of the same recordings, so that neighbours of training frames are refused too. If places are unknown, the
check reports that it cannot tell. What a student's teacher saw belongs there too.
``training["calibration"]`` is what ``sigma_calibration.Calibration`` writes: on the frames in it, sigma is
judged without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adu_depth_core.datasets.folders import some
from adu_depth_core.datasets.recordings import DRIVES, SCENES, UNKNOWN, Origin, Places
from adu_depth_core.datasets.registry import origin
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.sigma_calibration import Calibration
from adu_depth_core.model_card import ModelCard

OVERLAPPING_SPLITS = {
    ("kitti_official", "training", "kitti_eigen", "test"): (
        "the drives of KITTI's official depth training part contain 491 of the 652 Eigen test frames"
    ),
}
"""Reasons not to evaluate a model trained on (data set, split) on another (data set, split), even if its
card does not list its drives. Counted in the lists of monodepth2: 161 of the 652 frames are in drives of the
official validation part."""


@dataclass(frozen=True)
class Leakage:
    """Overlap of the evaluated frames with the card's training data.

    :param known: False where an overlap cannot be excluded: the card does not list the frames, or not where
        they were recorded
    :param trained: evaluated frames that the model was trained on, or on frames of the same place
    :param calibrated: evaluated frames that its uncertainty scale was fitted on; their sigma is judged with
        a scale fitted without them
    :param warnings: warnings for the report, one sentence each
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
    kind: str = "",
) -> Leakage:
    """Search for the frames to evaluate in the model's training data.

    :param card: card of the model
    :param dataset: data set of the frames, as model cards name it
    :param split: the publisher's split that the frames are from
    :param frames: names of the frames
    :param allow: warn of training frames instead of refusing them
    :param drives: the drive of each frame, as far as it is known
    :param kind: key of ``datasets.registry.KINDS``: what a folder with a name of its own holds
    :raises UserError: unless allowed, if the model was trained on some of the frames, on their places or on a
        split that overlaps
    """
    entries = card.training.get("data") or []
    source = origin(dataset, split, kind)
    places = {frame: _places(source, frame, (drives or {}).get(frame)) for frame in frames}
    trained, reason = _trained_frames(entries, dataset, split, places)
    doubt = _doubt(
        entries, dataset, split, source, _systems(source, by_drive=len(drives or {}) == len(frames))
    )
    calibration = Calibration.of(card)
    calibrated = [frame for frame in frames if calibration and calibration.covers(dataset, frame)]
    if trained and not allow:
        raise UserError(
            f"model {card.name} was trained on {reason}. The result would say nothing about new frames; "
            "choose a split the model has not seen, or pass --allow-training-frames to evaluate anyway"
        )
    warnings = []
    if trained:
        warnings.append(f"model {card.name} was trained on {reason}")
    elif doubt:
        warnings.append(f"the card of model {card.name} {doubt}: it may be these frames")
    return Leakage(not doubt, trained, calibrated, warnings)


def _trained_frames(
    entries: Sequence[dict[str, Any]], dataset: str, split: str, places: Mapping[str, Places]
) -> tuple[list[str], str]:
    """The frames that the model was trained on, and what to say of them.

    :param places: those of each frame to evaluate
    """
    frames = list(places)
    for entry in entries:
        overlap = OVERLAPPING_SPLITS.get((entry.get("name", ""), entry.get("split", ""), dataset, split))
        if overlap:
            return frames, f"{entry['name']} ({entry['split']}), and {overlap}"
    listed = {frame for entry in _of_split(entries, dataset, split) for frame in entry.get("scenes", ())}
    seen = [frame for frame in frames if frame in listed]
    reason = f"{_share(seen, frames)} ({some(seen)})" if seen else ""
    neighbours: dict[str, str] = {}
    for entry in entries:
        trained = _places_of_entry(entry)
        for frame in frames:
            place = _common_place(places[frame], trained)
            if place and frame not in listed:
                neighbours.setdefault(frame, place)
    if neighbours:
        shown = some(sorted(set(neighbours.values())))
        near = f"places of {_share(list(neighbours), frames)} ({shown})"
        reason = f"{reason} and on {near}" if reason else near
    return [frame for frame in frames if frame in listed or frame in neighbours], reason


def _common_place(frame: Places, trained: Places) -> str:
    """A place that both show, in the finest system that both are known in; empty if there is none."""
    for system in (SCENES, DRIVES):
        if system in frame and system in trained:
            return min(frame[system] & trained[system], default="")
    return ""


def _places(source: Origin | None, frame: str, drive: str | None = None) -> Places:
    places = source.places(frame) if source is not None else {}
    return {**places, DRIVES: frozenset({drive})} if drive else places


def _places_of_entry(entry: dict[str, Any]) -> Places:
    """All places that a card's entry shows. Of a folder of one place its scenes need not be listed."""
    source = _origin_of_entry(entry)
    shown: dict[str, frozenset[str]] = {}
    if "drives" in entry:
        shown[DRIVES] = frozenset(entry["drives"])
    for frame in entry.get("scenes", () if "drives" in entry else ("",)):
        for system, places in _places(source, frame).items():
            shown[system] = shown.get(system, frozenset()) | places
    return shown


def _origin_of_entry(entry: dict[str, Any]) -> Origin | None:
    return origin(
        entry.get("name", ""), entry.get("split", ""), entry.get("kind", ""), entry.get("licence", "")
    )


def _systems(source: Origin | None, by_drive: bool) -> frozenset[str]:
    """The systems in which the places of all frames are known."""
    return (source.systems if source is not None else frozenset()) | ({DRIVES} if by_drive else set())


def _doubt(
    entries: Sequence[dict[str, Any]],
    dataset: str,
    split: str,
    source: Origin | None,
    systems: frozenset[str],
) -> str:
    """Reason why the training frames cannot be determined; empty if they can.

    :param systems: those in which the places of all frames to evaluate are known
    """
    if not entries:
        return "does not say what it was trained on"
    if any(not {"scenes", "drives"} & entry.keys() for entry in _of_split(entries, dataset, split)):
        return f"says it was trained on {dataset} but not on which frames"
    for entry in entries:
        other = _origin_of_entry(entry)
        if entry.get("name") == dataset or source is None or other is None:
            continue
        if not source.may_share_frames(other) or systems & _systems(other, "drives" in entry):
            continue
        return f"says it was trained on {entry.get('name')}, " + (
            f"whose recordings are not known, nor whether {dataset} is of them"
            if UNKNOWN in (source.recordings, other.recordings)
            else f"which is cut from the same recordings as {dataset}"
        )
    return ""


def _of_split(entries: Sequence[dict[str, Any]], dataset: str, split: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if (entry.get("name"), entry.get("split", split)) == (dataset, split)]


def _share(seen: Sequence[str], frames: Sequence[str]) -> str:
    return f"{len(seen)} of the {len(frames)} frames to evaluate"
