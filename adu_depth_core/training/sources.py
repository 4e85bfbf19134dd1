"""Sources of training views and validation frames, and their entries in model cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adu_depth_core.datasets.registry import (
    KINDS,
    OWN_LICENCE,
    SYNTHETIC_LICENCE,
    Frames,
    dataset_name,
    drives_of,
    held_out_of,
    licence_of,
    open_dataset,
)
from adu_depth_core.datasets.views import LABELS
from adu_depth_core.errors import UserError
from adu_depth_core.model_card import NON_COMMERCIAL, PERMISSIVE

SCENES = ("all", "training", "not_held_out")


@dataclass(frozen=True)
class SourceConfig:
    """One source of training views.

    :param kind: a data set of ``datasets.registry.KINDS``, which says what ``path`` holds
    :param path: the data set's folder
    :param weight: share of the training views, relative to the other sources
    :param subset: the publisher's part, such as ``testing`` of KITTI 2015; empty for the first, ``training``
    :param scenes: ``all``; ``training``: none that shows a place of the frames held out for validation and
        calibration; or ``not_held_out``: their neighbours too, for networks that are judged on other places
    :param files: list of frames, for kinds that take one; empty for the list in ``path``
    :param size: image size, for kinds that are published in several; empty for the first
    :param labels: of pairs without ground truth: ``auto`` (semi-global matching) or ``none`` (the teacher's
        alone)
    """

    kind: str
    path: str
    weight: float
    subset: str = ""
    scenes: str = "all"
    files: str = ""
    size: str = ""
    labels: str = "auto"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"source kind {self.kind!r} is unknown; choose from {', '.join(KINDS)}")
        if self.scenes not in SCENES:
            raise UserError(f"source scenes {self.scenes!r} is unknown; choose from {', '.join(SCENES)}")
        if self.scenes != "all" and held_out_of(self.kind, Path(self.path)) is None:
            raise UserError(
                f"source {self.path}: {self.kind} holds no frames out"
                + (" but of folders that it knows by name" if self.kind == "kitti_folder" else "")
                + "; leave scenes: {self.scenes} out"
            )
        if self.labels not in LABELS:
            raise UserError(f"source labels {self.labels!r} is unknown; choose from {', '.join(LABELS)}")
        if not self.weight > 0:
            raise UserError(f"source {self.path}: weight is {self.weight}, must be positive")


@dataclass(frozen=True)
class BenchmarkConfig:
    """Labelled frames that training does not see.

    :param dataset: a data set of ``adu_depth evaluate``
    :param path: its folder
    :param split: one of its splits, or a file that lists frames
    """

    dataset: str
    path: str
    split: str


def open_source(source: SourceConfig) -> Frames:
    """The frames of a configured source.

    :raises UserError: if its subset, list or size does not suit its kind, or its folder has another layout
    """
    dataset = _open(source)
    if source.scenes == "all":
        return dataset
    held_out = held_out_of(source.kind, Path(source.path))
    return _open(source, held_out.part(source.scenes, dataset.scenes))


def describe_source(source: SourceConfig) -> dict[str, Any]:
    """Card entry of a source: names, not paths, and the drives or scenes for the leakage check."""
    frames = open_source(source)
    kind = KINDS[source.kind]
    description: dict[str, Any] = {
        "name": dataset_name(source.kind, Path(source.path)),
        "kind": source.kind,
        "weight": source.weight,
        "licence": licence_of(source.kind, Path(source.path)),
    }
    if kind.subsets:
        description["split"] = source.subset or kind.subsets[0]
    drives = drives_of(source.kind, frames)
    if len(drives) == len(frames):
        description["drives"] = sorted(set(drives.values()))
    # Where names tell the drive there are tens of thousands of frames; their drives say more.
    if kind.drive_of is None:
        description["scenes"] = list(frames.scenes)
    return {**description, "frames": len(frames)}


def weights_licence(sources: Sequence[SourceConfig]) -> str:
    """The licence of weights trained on these sources, in one line."""
    licences = {licence_of(source.kind, Path(source.path)) for source in sources}
    if restricted := sorted(licence for licence in licences if "non-commercial" in licence):
        return (
            f"{NON_COMMERCIAL} research use only: trained on images under {', '.join(restricted)}. "
            "The code's licence (Apache-2.0) does not cover these weights."
        )
    if OWN_LICENCE in licences:
        return "As the owner of the recordings decides that they were trained on."
    others = sorted(licences - {SYNTHETIC_LICENCE})
    return PERMISSIVE + (f"; trained on images under {', '.join(others)}" if others else "")


def _open(source: SourceConfig, scenes: Sequence[str] | None = None) -> Frames:
    return open_dataset(
        source.kind,
        Path(source.path),
        scenes,
        source.subset or None,
        Path(source.files) if source.files else None,
        source.size or None,
    )
