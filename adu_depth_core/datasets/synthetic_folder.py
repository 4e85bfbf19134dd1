"""Synthetic drives in KITTI 2015 layout, as ``adu_depth synth-drive`` writes them."""

from __future__ import annotations

import dataclasses

import numpy as np

from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.datasets.sample import Sample


class SyntheticFolder(Kitti2015):
    """KITTI 2015 layout whose ``disp_occ_0`` is complete: a pixel without disparity shows the sky (+inf)."""

    title = "a synthetic drive"
    truth_folder = "disp_occ_0"

    def __getitem__(self, index: int) -> Sample:
        sample = super().__getitem__(index)
        depth = np.where(sample.depth == 0, np.float32(np.inf), sample.depth)
        return dataclasses.replace(sample, depth=depth)
