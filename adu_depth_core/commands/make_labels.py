"""``adu_depth make-labels``: depth for stereo pairs without LiDAR, by stereo matching."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from adu_depth_core.commands.number_arguments import number
from adu_depth_core.datasets.folders import some
from adu_depth_core.datasets.labelling import Matching, file_name, write_label, write_labelled_pair
from adu_depth_core.datasets.registry import KINDS, Frames, open_dataset
from adu_depth_core.datasets.stereo_folder import label_path
from adu_depth_core.errors import UsageError
from adu_depth_core.files import check_folder_writable
from adu_depth_core.progress import progress_bar

FEW = 0.15
"""Share of labelled pixels below which a frame is named: its views hardly match."""

EPILOG = """\
Labels come from OpenCV's semi-global matching with a left-right check: about two thirds of the pixels.
Training uses them where there is no depth. They are pseudo-labels, not ground truth: evaluate uses them with
--split labelled only, and marks the result. Frames that have depth or a label are left
unchanged, so that an interrupted run resumes where it stopped.

For data sets other than a stereo_folder, pairs and labels are written as stereo_folders below --out, one for
each rig.

examples:
  adu_depth make-labels data/monday
  adu_depth make-labels data/training data/calibration data/validation
  adu_depth make-labels data/monday --nearest 1 --farthest 50
  adu_depth make-labels kitti2015 --dataset kitti2015 --subset testing --out data/kitti2015_testing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("root", type=Path, nargs="+", metavar="DIR", help="the data set's folders")
    parser.add_argument(
        "--dataset",
        choices=KINDS,
        default="stereo_folder",
        metavar="NAME",
        help=f"kind of DIR: {', '.join(KINDS)} (default: stereo_folder)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write, unless DIR is a stereo_folder"
    )
    parser.add_argument("--subset", help="the publisher's part, such as testing (default: the first)")
    parser.add_argument("--files", type=Path, metavar="FILE", help="list of frames, for kitti_eigen")
    parser.add_argument("--size", help="image size, for drivingstereo: half (default) or full")
    defaults = Matching()
    for name, unit, text in (
        ("nearest", "M", "metres; nearer surfaces are not searched for"),
        ("farthest", "M", "metres; farther labels are dropped"),
        ("tolerance", "PX", "left-right disagreement allowed, pixels"),
    ):
        default = getattr(defaults, name)
        parser.add_argument(
            f"--{name}",
            type=number(above=0),
            default=default,
            metavar=unit,
            help=f"{text} (default: {default:g})",
        )


def run(arguments: argparse.Namespace) -> int:
    in_place = arguments.dataset == "stereo_folder"
    if in_place == (arguments.out is not None):
        raise UsageError(
            f"{arguments.root[0]}: labels of a stereo_folder are written into it; omit --out"
            if in_place
            else f"--out is missing: labels of {arguments.dataset} go into a folder of their own"
        )
    matching = Matching(arguments.nearest, arguments.farthest, arguments.tolerance)
    opened = [
        open_dataset(arguments.dataset, root, None, arguments.subset, arguments.files, arguments.size)
        for root in arguments.root
    ]
    for root, frames in zip(arguments.root, opened, strict=True):
        _label(frames, root if in_place else arguments.out, in_place, matching)
    return 0


def _label(frames: Frames, out: Path, in_place: bool, matching: Matching) -> None:
    check_folder_writable(out)
    done = _done(frames, out, in_place)
    todo = [index for index, scene in enumerate(frames.scenes) if scene not in done]
    shares: dict[str, float] = {}
    with progress_bar("pairs") as bar:
        for index in bar.track(todo, description="Matching"):
            sample = frames[index]
            depth = matching.label(sample)
            if in_place:
                write_label(out, sample.name, depth)
            else:
                write_labelled_pair(out, sample, depth)
            shares[sample.name] = float(np.mean(depth > 0))
    _report(out, shares, len(done))


def _done(frames: Frames, out: Path, in_place: bool) -> set[str]:
    """Frames that have depth or a label."""
    if in_place:
        paths = {scene: (frames.truth_path(scene), label_path(out, scene)) for scene in frames.scenes}
        return {scene for scene, (truth, label) in paths.items() if truth.is_file() or label.is_file()}
    labelled = {path.stem for path in out.glob("*/labels/*.png")}
    return {scene for scene in frames.scenes if file_name(scene) in labelled}


def _report(out: Path, shares: dict[str, float], done: int) -> None:
    text = f"{out}: {len(shares)} pairs labelled"
    if shares:
        text += f", {100 * float(np.median(list(shares.values()))):.0f} % of the pixels (median)"
    print(text + (f"; {done} had depth or a label already" if done else ""))
    few = [scene for scene, share in shares.items() if share < FEW]
    if few:
        print(
            f"  less than {100 * FEW:.0f} % of {len(few)}: {some(few)}; are the views rectified and "
            f"synchronised?"
        )
