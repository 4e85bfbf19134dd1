"""Ground truth from a known camera height, compared with the height in the prediction.

A height alone does not give the depth of a road: that depends on the camera's pitch as well, which is read
from the prediction and may be wrong there by degrees. Where an image has enough vertical edges they give the
pitch too (``vertical_lines``); the two are averaged by their precision. What stays unknown of it is the
frame's ``doubt``.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from adu_depth_core.evaluation.road_plane import FAR, NEAR, Road, fit_road
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.observation import Observation, observe
from adu_depth_core.own_vehicle.vertical_lines import Vertical, vertical_by_lines

TRIED = (1.0, 1.5, 0.67, 2.2, 0.45)
"""Factors of the predicted depth at which a road is looked for: it must lie at a height that cameras have."""

ON_ROAD = 0.06
"""Share of the camera's height within which a pixel's surface is the road."""

PREDICTED_TILT, LINES_TILT = 0.03, 0.015
"""Standard deviations of the tangent of a camera's pitch to the road: by the prediction on cameras that the
model was not trained on (DDAD), and by vertical lines, a part of which is the road's own slope. Measured by
``benchmarks/road_truth.py``."""

ROAD_APART = 0.06
"""Standard deviation of the logarithm of the factor that a road of known height and pitch needs, against that
which the image needs. Measured by the same script: 0.005 to 0.03 on the training rig, 0.09 (0.03 to 0.17) on
the cameras of DDAD; this is midway."""

CONTRADICTS = 3.0
"""Standard deviations between the two pitches from which the surface found is not the road."""


def predicted_road(prediction: Prediction, seed: int) -> Road | None:
    """The road as predicted, its height in the prediction's metres; None if it has none."""
    for factor in TRIED:
        road = fit_road(prediction.depth * np.float32(factor), prediction.camera, seed)
        if road is not None:
            return dataclasses.replace(road, camera_height=road.camera_height / factor)
    return None


def road_observation(
    prediction: Prediction,
    image: np.ndarray,
    height: float,
    card: ModelCard,
    seconds: float,
    drive: int,
    seed: int,
    lines_required: bool = False,
) -> Observation | None:
    """The road of a frame: the plane at the known height, at the pitch that prediction and lines tell.

    The uncertainty of the prediction elsewhere is unknown, so there is no sigma.

    :param prediction: at the size of its image
    :param image: RGB uint8 ``(H, W, 3)``
    :param height: metres of the camera above the road
    :param lines_required: without vertical lines there is no observation
    :return: None if the prediction has no road, or one at odds with the vertical lines
    """
    camera = prediction.camera
    road = predicted_road(prediction, seed)
    if road is None:
        return None
    place = np.arange(camera.height * camera.width)
    depth = prediction.depth.ravel()
    below_camera = road.camera_height - road.heights(place, depth, camera)
    near = (depth > NEAR) & (depth < FAR) & (place // camera.width > camera.cy)
    on_road = near & (np.abs(below_camera / road.camera_height - 1) < ON_ROAD)
    vertical = vertical_by_lines(image, camera)
    levelled = _levelled(road, vertical)
    if levelled is None or (lines_required and vertical is None) or not on_road.any():
        return None
    road, tilt_sigma = levelled
    below_camera = np.where(on_road, road.camera_height - road.heights(place, depth, camera), 0.0)
    on_road &= below_camera > 0.2 * road.camera_height  # with another pitch, far pixels may be at the horizon
    truth = np.where(on_road, depth * height / np.where(on_road, below_camera, 1.0), 0.0)
    found = observe(prediction, truth.reshape(camera.size), card, seconds, drive, seed)
    if found is None:
        return None
    # d ln(depth) = d pitch / (height / depth along the ray)
    sensitivity = float(np.median(depth[on_road] / below_camera[on_road]))
    doubt = float(np.hypot(ROAD_APART, tilt_sigma * sensitivity))
    return dataclasses.replace(found, relative_sigma=None, doubt=doubt)


def _levelled(road: Road, vertical: Vertical | None) -> tuple[Road, float] | None:
    """The road at the pitch by prediction and lines, and the standard deviation of that pitch's tangent; None
    if they contradict each other."""
    if vertical is None:
        return road, PREDICTED_TILT
    x, y, z = road.up
    predicted = -z / y
    variances = np.array([PREDICTED_TILT**2, LINES_TILT**2 + vertical.forward_sigma**2])
    if abs(predicted - vertical.forward) > CONTRADICTS * np.sqrt(variances.sum()):
        return None
    precision = float((1 / variances).sum())
    pitch = float(np.array([predicted, vertical.forward]) @ (1 / variances)) / precision
    up = np.array([-x / y, -1.0, pitch])
    up /= np.linalg.norm(up)
    return dataclasses.replace(road, up=tuple(map(float, up))), float(precision**-0.5)
