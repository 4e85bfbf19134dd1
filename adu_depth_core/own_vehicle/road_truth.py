"""Ground truth from a known camera height, compared with the height in the prediction."""

from __future__ import annotations

import dataclasses

import numpy as np

from adu_depth_core.evaluation.road_plane import FAR, NEAR, Road, fit_road
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.observation import Observation, observe

TRIED = (1.0, 1.5, 0.67, 2.2, 0.45)
"""Factors of the predicted depth at which a road is looked for: it must lie at a height that cameras have."""

ON_ROAD = 0.06
"""Share of the camera's height within which a pixel's surface is the road."""


def predicted_road(prediction: Prediction, seed: int) -> Road | None:
    """The road as predicted, its height in the prediction's metres; None if it has none."""
    for factor in TRIED:
        road = fit_road(prediction.depth * np.float32(factor), prediction.camera, seed)
        if road is not None:
            return dataclasses.replace(road, camera_height=road.camera_height / factor)
    return None


def road_observation(
    prediction: Prediction, height: float, card: ModelCard, seconds: float, drive: int, seed: int
) -> Observation | None:
    """The road of a frame: by a known camera height, its true depth is ``height / predicted height`` times
    the predicted one.

    How unsure the prediction is elsewhere cannot be told, so there is no sigma.

    :param prediction: at the size of its image
    :param height: metres of the camera above the road
    :return: None if the prediction has no road
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
    truth = np.where(on_road, depth * height / np.where(on_road, below_camera, 1.0), 0.0)
    found = observe(prediction, truth.reshape(camera.size), card, seconds, drive, seed)
    return None if found is None else dataclasses.replace(found, relative_sigma=None)
