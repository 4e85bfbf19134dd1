"""The reference without a network: OpenCV's semi-global matching, its gaps filled, as depth."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.disparity_filling import fill_background
from adu_depth_core.datasets.stereo_matching import disparity_range, match_stereo
from adu_depth_core.errors import UserError
from adu_depth_core.stereo_pair import disparity_to_depth


class SgbmPredictor:
    """Dense depth from a pair; it says nothing about its uncertainty.

    :param nearest: metres; nearer objects are beyond the disparities that are searched
    """

    name = "OpenCV SGBM, left-right check, gaps filled"
    stereo = True

    def __init__(self, nearest: float = 2.0) -> None:
        self.nearest = nearest
        self.runtime = f"OpenCV {cv2.__version__}"

    def predict(
        self, left: np.ndarray, camera: Camera, right: np.ndarray | None, baseline: float | None
    ) -> np.ndarray:
        """Depth of the left view, float32 ``(H, W)`` metres.

        :param left: RGB uint8 ``(H, W, 3)``
        :param camera: its intrinsics
        :param right: rectified right view
        :param baseline: metres between the cameras
        :raises UserError: if there is no right view, or nothing in it matches
        """
        if right is None or baseline is None:
            raise UserError("stereo matching needs frames with a right view")
        focal_times_baseline = camera.fx * baseline
        disparity, _ = match_stereo(left, right, disparity_range(focal_times_baseline, self.nearest))
        disparity = fill_background(disparity)
        if not disparity.any():
            raise UserError(
                "stereo matching found no match in a pair: are left and right of the same moment?"
            )
        return disparity_to_depth(disparity, focal_times_baseline)
