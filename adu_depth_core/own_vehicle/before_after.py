"""Figure of a calibration: depth errors before and after."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.own_vehicle.drive import Shown
from adu_depth_core.own_vehicle.observation import FARTHEST, NEAREST, slope_of
from adu_depth_core.visualization import ColorScale, colorize_depth, depth_scale, labelled_panel

RATIO_SCALE = ColorScale(0.5, 2.0, (0.5, 0.7, 1.0, 1.4, 2.0), cv2.COLORMAP_TURBO)
"""Predicted over true depth: green is correct, blue too near, red too far."""

WIDTH = 640
"""Pixels of a panel."""

DOT = 5
"""Pixels across a point of sparse truth."""

SPARSE = 0.3
"""Share of pixels with truth below which single ones could not be seen."""


def before_after(shown: Sequence[Shown], camera: Camera, correction: DepthCorrection | None) -> np.ndarray:
    """A row for each frame: before on the left, after on the right.

    With truth the panels show predicted over true depth where that is known, without it predicted depth.

    :param correction: None where depth is kept
    :return: RGB uint8
    """
    rows = []
    slope = slope_of(np.arange(camera.height), camera)[:, None]
    for frame in shown:
        after = frame.depth
        if correction is not None:
            after = frame.depth * np.exp(correction.log_factor(frame.depth, slope))
        panels = [_panel(frame, depth, title) for depth, title in ((frame.depth, "before"), (after, "after"))]
        rows.append(np.hstack(panels))
    return np.vstack(rows)


def _panel(frame: Shown, depth: np.ndarray, title: str) -> np.ndarray:
    height, width = depth.shape
    size = WIDTH, round(height * WIDTH / width)
    if frame.truth is None:
        picture = cv2.resize(colorize_depth(depth), size, interpolation=cv2.INTER_AREA)
        return labelled_panel(picture, f"{title}: depth, metres", depth_scale())
    grey = cv2.cvtColor(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    picture = cv2.cvtColor(grey // 2, cv2.COLOR_GRAY2RGB)
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero((frame.truth > NEAREST) & (frame.truth < FARTHEST))
    ratios = depth[rows, columns] / frame.truth[rows, columns]
    dots = np.zeros(size[::-1], np.float32)
    dots[rows * size[1] // height, columns * size[0] // width] = ratios
    if np.count_nonzero(dots) < SPARSE * dots.size:
        dots = cv2.dilate(dots, np.ones((DOT, DOT), np.uint8))
    picture = np.where((dots > 0)[..., None], RATIO_SCALE.colors(dots), picture)
    return labelled_panel(picture, f"{title}: predicted / true", RATIO_SCALE)
