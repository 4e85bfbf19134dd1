"""Semi-dense depth labels for stereo pairs without ground truth, and the files they go to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import CALIBRATION, label_path, write_calibration, write_sample
from adu_depth_core.datasets.stereo_matching import disparity_range, match_stereo
from adu_depth_core.errors import UsageError, UserError
from adu_depth_core.images import write_png16
from adu_depth_core.stereo_pair import disparity_to_depth


@dataclass(frozen=True)
class Matching:
    """Options for the labels.

    :param nearest: metres; nearer objects are beyond the disparities that are searched
    :param farthest: metres; farther labels are dropped: their error grows with the square of the distance
    :param tolerance: left-right disagreement allowed, pixels
    """

    nearest: float = 2.0
    farthest: float = 80.0
    tolerance: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.nearest < self.farthest:
            raise UsageError(
                f"nearest is {self.nearest:g} and farthest {self.farthest:g} m: "
                "must be above 0 and in that order"
            )
        if not self.tolerance > 0:
            raise UsageError(f"tolerance is {self.tolerance:g} pixels: must be above 0")

    def label(self, sample: Sample) -> np.ndarray:
        """Depth of the left view of a pair, float32 ``(H, W)`` metres, 0 where it is not known.

        :raises UserError: if the sample has no right view
        """
        if sample.right is None or sample.baseline is None:
            raise UserError(f"frame {sample.name} has no right view: labels are made from stereo pairs")
        focal_times_baseline = sample.camera.fx * sample.baseline
        searched = disparity_range(focal_times_baseline, self.nearest)
        disparity, _ = match_stereo(sample.left, sample.right, searched, self.tolerance)
        depth = disparity_to_depth(disparity, focal_times_baseline)
        return np.where((depth >= self.nearest) & (depth <= self.farthest), depth, 0.0).astype(np.float32)


def write_label(folder: Path, scene: str, depth: np.ndarray) -> None:
    """Write the label of a frame that is in ``folder``, a stereo folder."""
    write_png16(label_path(folder, scene), depth)


def write_labelled_pair(out: Path, sample: Sample, depth: np.ndarray) -> Path:
    """Write a pair of any data set and its label into the stereo folder of its rig below ``out``.

    The label is written last: a pair that has one is complete.

    :return: that folder
    :raises UserError: if a file cannot be written
    """
    folder = out / rig_name(sample)
    if not (folder / CALIBRATION).is_file():
        write_calibration(folder / CALIBRATION, sample.camera, sample.baseline)
    name = file_name(sample.name)
    pair = Sample(name, sample.left, sample.right, None, sample.camera, sample.baseline)
    write_sample(folder, pair)
    write_label(folder, name, depth)
    return folder


def rig_name(sample: Sample) -> str:
    """Folder of a rig: a stereo folder has one calibration, a data set may have several."""
    camera = sample.camera
    numbers = (camera.fx, camera.fy, camera.cx, camera.cy, sample.baseline)
    return f"{camera.width}x{camera.height}_" + "_".join(f"{number:.5g}" for number in numbers)


def file_name(scene: str) -> str:
    """A frame's name as a file name: the frames of some data sets are in folders."""
    return scene.replace("/", "_")
