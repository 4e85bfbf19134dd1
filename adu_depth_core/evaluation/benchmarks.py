"""The splits that ``adu_depth evaluate`` knows of the data sets in ``datasets.registry``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adu_depth_core.datasets.folders import some
from adu_depth_core.datasets.registry import (
    FOLDERS_HELD_OUT,
    Frames,
    dataset_name,
    drives_of,
    held_out_of,
    open_dataset,
)
from adu_depth_core.datasets.stereo_folder import label_path
from adu_depth_core.errors import UserError


@dataclass(frozen=True)
class Split:
    """A named split.

    :param subset: the publisher's part that it is from; None where there are none
    :param part: ``all``, ``training``, or the held-out ``validation`` or ``calibration`` frames
    :param pseudo: a frame without measured depth may be judged by a pseudo-label of ``adu_depth make-labels``
    """

    subset: str | None = None
    part: str = "all"
    pseudo: bool = False


HELD_OUT = {part: Split("training", part) for part in ("validation", "calibration", "training")}

SPLITS = {
    "kitti2015": {**HELD_OUT, "all": Split("training")},
    "kitti2012": {"all": Split("training")},
    "kitti_eigen": {"test": Split("test"), **HELD_OUT, "all": Split("training")},
    "kitti_official": {
        "selection": Split("selection"),
        "validation": Split("validation"),
        "calibration": Split("training", "calibration"),
        "training": Split("training", "training"),
    },
    "drivingstereo": {
        "test": Split("test"),
        **HELD_OUT,
        **{weather: Split(weather) for weather in ("sunny", "cloudy", "foggy", "rainy")},
    },
    "kitti_folder": {"all": Split(), **{part: Split(None, part) for part in HELD_OUT}},
    "stereo_folder": {"all": Split(), "labelled": Split(pseudo=True)},
    "synthetic": {"all": Split()},
}
"""Data sets and their named splits, the default first."""

SOME_UNLABELLED = {"kitti_eigen", "kitti_folder"}
"""Data sets some of whose frames have no depth: named splits leave those out, your own list may not
hold any."""

DEFAULT_CROPS = {"kitti_eigen": "garg-kitti"}
"""Crop under which results on a data set are usually compared, where it is not ``none``."""


@dataclass(frozen=True)
class Benchmark:
    """Labelled frames to evaluate on.

    :param kind: key of ``SPLITS``
    :param dataset: name of the data set as model cards have it; that of a drive is its folder's
    :param split: named split, or the file that lists the frames
    :param subset: the publisher's split that the frames are from, as model cards name it
    :param frames: names of the frames
    :param samples: the frames, read on access
    :param drives: the drive of each frame, if known
    :param unlabelled: listed frames without ground truth, left out
    :param pseudo: frames whose truth is a pseudo-label: stereo matching, not a measurement
    """

    kind: str
    dataset: str
    split: str
    subset: str
    frames: Sequence[str]
    samples: Frames
    drives: Mapping[str, str] = field(default_factory=dict)
    unlabelled: Sequence[str] = ()
    pseudo: Sequence[str] = ()

    @property
    def frame_counts(self) -> str:
        """The number of frames, and of those that only have pseudo-labels, for people."""
        text = f"{len(self.frames)} frames"
        if self.pseudo:
            text += f", {len(self.pseudo)} of them against pseudo-labels (stereo matching, not measured)"
        return text


def open_benchmark(
    dataset: str, root: Path, split: str | None = None, files: Path | None = None, size: str | None = None
) -> Benchmark:
    """Find the frames of a split and check that each has ground truth.

    :param dataset: key of ``SPLITS``
    :param root: the data set's folder
    :param split: one of the data set's splits, or a text file with one scene per line (``#`` starts a
        comment); None for the data set's default
    :param files: list of frames that the split is of, for data sets that take one
    :param size: image size, for data sets that are published in several
    :raises UserError: if the folder has another layout, or the split is unknown or not all there
    """
    split = split or next(iter(SPLITS[dataset]))
    named = SPLITS[dataset].get(split)
    subset = (named or next(iter(SPLITS[dataset].values()))).subset
    present = open_dataset(dataset, root, None, subset, files, size).scenes
    scenes = _read_scene_list(Path(split), list(SPLITS[dataset])) if named is None else list(present)
    if named is not None and named.part != "all":
        scenes = _part(dataset, named.part, split, present, root)
    missing = sorted(set(scenes) - set(present))
    if missing:
        raise _incomplete(dataset, root, split, missing, len(scenes), present)
    samples = open_dataset(dataset, root, scenes, subset, files, size)
    unlabelled = [scene for scene in scenes if not samples.truth_path(scene).is_file()]
    pseudo: list[str] = []
    if named is not None and named.pseudo:
        _check_labels(root, unlabelled, len(scenes))
        pseudo, unlabelled = unlabelled, []
    if unlabelled:
        if dataset == "stereo_folder" and all(label_path(root, scene).is_file() for scene in unlabelled):
            raise UserError(
                f"{len(unlabelled)} of {len(scenes)} scenes have no ground truth: no "
                f"{samples.truth_path(unlabelled[0])}; to judge by their pseudo-labels, and have the "
                "result say so: --split labelled"
            )
        some_may = named is not None and dataset in SOME_UNLABELLED
        _check_truth(some_may, samples, unlabelled, len(scenes))
        left_out = set(unlabelled)
        scenes = [scene for scene in scenes if scene not in left_out]
        samples = open_dataset(dataset, root, scenes, subset, files, size)
    name, drives = dataset_name(dataset, root), drives_of(dataset, samples)
    return Benchmark(dataset, name, split, subset or "training", scenes, samples, drives, unlabelled, pseudo)


def _check_labels(root: Path, unlabelled: Sequence[str], count: int) -> None:
    """:raises UserError: if frames of a stereo folder have neither depth nor a label"""
    missing = [scene for scene in unlabelled if not label_path(root, scene).is_file()]
    if missing:
        raise UserError(
            f"{root}: {len(missing)} of {count} scenes have neither depth nor a label ({some(missing)}); "
            f"make labels: adu_depth make-labels {root}"
        )


def _part(dataset: str, part: str, split: str, present: Sequence[str], root: Path) -> list[str]:
    held_out = held_out_of(dataset, root)
    if held_out is None or not (part == "training" or held_out.groups(part)):
        raise UserError(
            f"split {split!r}: {root} holds no frames out; folders that do: {', '.join(FOLDERS_HELD_OUT)}"
        )
    scenes = held_out.part(part, present)
    if part != "training":
        groups = held_out.groups(part)
        missing = sorted(set(groups) - {held_out.group_of(scene) for scene in present})
        if missing:
            raise _incomplete(dataset, root, split, missing, len(groups), present)
    return scenes


def _incomplete(
    dataset: str, root: Path, split: str, missing: Sequence[str], expected: int, present: Sequence[str]
) -> UserError:
    there = (
        f"--split all for the {len(present)} scenes that are there, or " if "all" in SPLITS[dataset] else ""
    )
    return UserError(
        f"{root} lacks {len(missing)} of the {expected} scenes of split {split!r}: {some(missing)} (there is "
        f"{some(present)}); use {there}--split FILE for a list of your own"
    )


def _check_truth(some_may: bool, samples: Frames, unlabelled: Sequence[str], count: int) -> None:
    """:raises UserError: unless some frames may have no truth, and it is not all that is missing"""
    paths = [samples.truth_path(scene) for scene in unlabelled]
    folders_missing = [path for path in paths if not path.parent.is_dir()]
    if not some_may or folders_missing or len(unlabelled) == count:
        path = (folders_missing or paths)[0]
        raise UserError(f"{len(unlabelled)} of {count} scenes have no ground truth: no {path}")


def _read_scene_list(path: Path, splits: Sequence[str]) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"split {str(path)!r} is neither one of {', '.join(splits)} nor a readable file with one scene "
            f"per line ({error})"
        ) from error
    scenes = [name for line in lines if (name := line.partition("#")[0].strip())]
    repeated = sorted({scene for scene in scenes if scenes.count(scene) > 1})
    if repeated or not scenes:
        raise UserError(f"{path} " + (f"lists {', '.join(repeated)} twice" if repeated else "lists no scene"))
    return scenes
