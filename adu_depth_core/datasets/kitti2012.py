"""KITTI 2012 stereo benchmark, as published: ``training/{colored_0,colored_1,disp_noc,calib}``.

194 labelled pairs in ``training`` and 195 unlabelled in ``testing``; ``image_0`` and ``image_1`` hold them in
grey, and serve where the colour images are not there. ``calib/<scene>.txt`` has ``P0`` .. ``P3``. Sources:
the devkit's readme ("grayscale video images in the sub-folders image_0 (left image) and image_1 (right
image)") and the layout that OpenStereo's data/kitti12/README.md describes.

The truth belongs to ``image_0`` and ``image_1``, which ``P0`` and ``P1`` calibrate, so their baseline turns
disparity into depth. The published colour pairs are registered to them; the baseline of the colour cameras
(``P2``, ``P3``) would give depths 0.8 % smaller.
"""

from __future__ import annotations

from pathlib import Path

from adu_depth_core.datasets.kitti2015 import Kitti2015
from adu_depth_core.datasets.kitti_calibration import GREY_PAIR


class Kitti2012(Kitti2015):
    """The first frame (``_10``) of each scene; parameters and errors as of ``Kitti2015``."""

    title = "KITTI 2012"
    image_folders = (("colored_0", "colored_1"), ("image_0", "image_1"))
    truth_folder = "disp_noc"
    cameras = GREY_PAIR

    def _calibration_path(self, scene: str) -> Path:
        return self.folder / "calib" / f"{scene}.txt"
