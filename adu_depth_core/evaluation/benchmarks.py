"""The data sets that ``adu_depth evaluate`` knows, and their splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adu_depth_core.datasets.kitti2015 import CALIBRATION_SCENES, VALIDATION_SCENES, Kitti2015
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import StereoFolder
from adu_depth_core.datasets.synthetic_folder import SyntheticFolder
from adu_depth_core.errors import UserError

SPLITS = {
    "kitti2015": ("validation", "calibration", "training", "all"),
    "synthetic": ("all",),
    "stereo_folder": ("all",),
}
"""Data sets and their named splits, the default first. ``synthetic``: a folder by `adu_depth synth-drive`,
``stereo_folder``: one by `adu_depth extract`."""

READERS = {"kitti2015": Kitti2015, "synthetic": SyntheticFolder, "stereo_folder": StereoFolder}


@dataclass(frozen=True)
class Benchmark:
    """Labelled frames to evaluate on.

    :param dataset: name of the data set as model cards have it; that of a drive is its folder's
    :param split: named split, or the file that lists the frames
    :param subset: the publisher's split that the frames are from, as model cards name it
    :param frames: names of the frames
    :param samples: the frames, read one by one as they are asked for
    """

    dataset: str
    split: str
    subset: str
    frames: Sequence[str]
    samples: Sequence[Sample]


def open_benchmark(dataset: str, root: Path, split: str | None = None) -> Benchmark:
    """Find the frames of a split and check that each has ground truth.

    :param dataset: key of ``SPLITS``
    :param root: the data set's folder
    :param split: one of the data set's splits, or a text file with one scene per line (``#`` starts a
        comment); None for the data set's default
    :raises UserError: if the folder has another layout, or the split is unknown or not all there
    """
    split = split or SPLITS[dataset][0]
    reader = READERS[dataset]
    present = reader(root).scenes
    scenes = _scenes_of_split(dataset, split, present)
    missing = [scene for scene in scenes if scene not in set(present)]
    if missing:
        raise UserError(
            f"{root} lacks {len(missing)} of the {len(scenes)} scenes of split {split!r}: "
            f"{', '.join(missing)}; use --split all for the {len(present)} scenes that are there, or "
            "--split FILE for a list of your own"
        )
    samples = reader(root, scenes)
    unlabelled = [path for path in map(samples.truth_path, scenes) if not path.is_file()]
    if unlabelled:
        raise UserError(f"{len(unlabelled)} of {len(scenes)} scenes have no ground truth: no {unlabelled[0]}")
    name = dataset if dataset == "kitti2015" else root.resolve().name
    return Benchmark(name, split, "training", scenes, samples)


def _scenes_of_split(dataset: str, split: str, present: Sequence[str]) -> list[str]:
    if split not in SPLITS[dataset]:
        return _read_scene_list(Path(split), SPLITS[dataset])
    held_out = {"validation": VALIDATION_SCENES, "calibration": CALIBRATION_SCENES}
    if split in held_out:
        return list(held_out[split])
    if split == "training":
        return [scene for scene in present if not any(scene in scenes for scenes in held_out.values())]
    return list(present)


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
