"""Synthetic drives in KITTI 2015 layout, as ``adu_depth synth-drive`` writes them."""

from __future__ import annotations

import dataclasses

import numpy as np

from adu_depth_core.datasets.classes import PixelClass, read_classes
from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.datasets.sample import Sample, check_same_size


class SyntheticFolder(Kitti2015):
    """KITTI 2015 layout whose ``disp_occ_0`` is complete: a pixel without disparity shows the sky (+inf).

    Beside it ``class`` says what each pixel shows; where that is there, a pixel without disparity that is not
    sky is nearer than the file's disparities reach, and unknown. Frames without right view have no baseline.
    """

    title = "a synthetic drive"
    truth_folder = "disp_occ_0"

    def __getitem__(self, index: int) -> Sample:
        sample = super().__getitem__(index)
        path = self.folder / "class" / f"{sample.name}_10.png"
        classes = read_classes(path) if path.is_file() else None
        if classes is not None:
            check_same_size(path, classes, sample.left)
        depth = sample.depth
        if depth is not None:
            sky = depth == 0 if classes is None else classes == PixelClass.SKY
            depth = np.where(sky, np.float32(np.inf), depth)
        baseline = None if sample.right is None else sample.baseline
        return dataclasses.replace(sample, depth=depth, baseline=baseline, classes=classes)
