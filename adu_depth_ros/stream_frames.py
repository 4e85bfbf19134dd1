"""A frame on its path through the node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.parameters import Parameters


class BadFrame(ValueError):
    """An image, its stamp or its calibration cannot be used. Any other exception is an internal error of the
    node."""


@dataclass(frozen=True)
class ReceivedFrame:
    """An image message and the calibration of its camera."""

    message: Image | CompressedImage
    info: CameraInfo


@dataclass(frozen=True)
class PredictedFrame:
    """A frame and everything that produced its depth.

    :param info: calibration of ``image``, which is the region of interest of the camera's image
    :param stamp: the image's, by the node's clock
    :param image: uint8 ``(H, W)`` or ``(H, W, C)``, with its ``channels``
    :param hidden: bool of the prediction's size: pixels that show the vehicle itself; None without any
    :param predictor: predictor that made the prediction
    :param inference: seconds of inference, stabilisation included
    :param unfused: reason why the prediction is not stabilised; empty if it is, None if it was not to be
    """

    header: Header
    info: CameraInfo
    stamp: Time
    image: np.ndarray
    channels: str
    camera: Camera
    hidden: np.ndarray | None
    prediction: Prediction
    predictor: Predictor
    parameters: Parameters
    inference: float
    unfused: str | None = None
