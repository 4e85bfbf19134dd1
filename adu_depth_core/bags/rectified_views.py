"""Messages of a camera as rectified views, with depth mapped to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from adu_depth_core.bags.calibrations import Calibrations, header_stamp
from adu_depth_core.bags.messages import COMPRESSED_IMAGE
from adu_depth_core.bags.reader import BagMessage
from adu_depth_core.bags.skipped import Unusable
from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.image_decoding import announced_size, decode_compressed, decode_image
from adu_depth_core.rectification import Rectifier

DEPTH_MISFIT = 0.5
"""Pixels by which a depth image's own calibration may differ from that of the camera it is registered to."""

_TO_RGB = {
    "bgr": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
    "mono": cv2.COLOR_GRAY2RGB,
}


@dataclass(frozen=True)
class View:
    """A rectified image.

    :param image: RGB uint8 ``(H, W, 3)``
    :param camera: intrinsics
    :param rectifier: its rectifier; None if the image was already rectified
    """

    image: np.ndarray
    camera: Camera
    rectifier: Rectifier | None

    @property
    def from_camera(self) -> np.ndarray:
        """From the camera's frame, whose axes are those of the raw image, to the axes of the view, 4x4."""
        matrix = np.eye(4)
        if self.rectifier is not None:
            matrix[:3, :3] = self.rectifier.rotation
        return matrix


class Views:
    """Makes views of images.

    :param calibrations: the camera_info messages read so far
    :param camera: see ``ReadingOptions.calibration``
    """

    def __init__(
        self, calibrations: Calibrations, camera: Callable[[int, int], Camera] | None = None
    ) -> None:
        self._calibrations = calibrations
        self._camera = camera

    def of(self, message: BagMessage, topic: str, info_topic: str | None) -> View:
        """The view of an image message.

        :raises Unusable: if there is no calibration, or that of another frame
        :raises ValueError: if the image cannot be decoded, or its calibration is of another size or unusable
        """
        content = message.content
        width, height = announced_size(content)
        if self._camera is not None:
            return View(_rgb(message), self._camera(width, height), None)
        info = self._calibrations.at(info_topic, header_stamp(message))
        if info is None:
            raise Unusable(
                "calibration",
                f"no calibration for {topic}: no camera_info on {info_topic or 'any topic beside it'}; "
                "name its topic with --camera-info, or give the calibration with --calib FILE",
            )
        frame_id = content.header.frame_id
        if info.header.frame_id != frame_id:
            raise Unusable(
                f"frame of {topic}",
                f"{topic} is of frame {frame_id!r}, {info_topic} of frame {info.header.frame_id!r}: "
                "it is the calibration of another camera, or a driver names its frames wrongly",
            )
        rectifier = self._calibrations.rectifier(topic, info)
        # Refuses another size, before a damaged header makes OpenCV allocate gigabytes.
        camera = camera_from_info(info, width, height, rectified=rectifier is None)
        image = _rgb(message)
        if rectifier is None:
            return View(image, camera, None)
        return View(rectifier(image), rectifier.camera, rectifier)

    def depth(
        self,
        depth: np.ndarray,
        topic: str,
        stamp: int,
        view: View,
        info_topic: str | None,
        image_info_topic: str | None,
    ) -> np.ndarray:
        """Depth of a view from a depth image that is registered to its camera.

        :param depth: float32 ``(H, W)`` metres, of the view's size
        :param topic: of the depth image
        :param stamp: of the view's image, nanoseconds
        :param info_topic: of the depth image's own calibration; None where it has that of the image, and then
            is as raw as the image unless its name says that it is rectified
        :param image_info_topic: of the image's calibration
        :raises Unusable: if depth is of another camera by its own calibration
        """
        if self._camera is not None or (info_topic is None and view.rectifier is None):
            return depth
        info = self._calibrations.at(info_topic or image_info_topic, stamp)
        if info is None:
            raise Unusable("calibration of depth", f"no message on {info_topic} before the first of {topic}")
        rectifier = self._calibrations.rectifier(topic, info)
        height, width = depth.shape
        camera = camera_from_info(info, width, height) if rectifier is None else rectifier.camera
        if max(view.camera.disagreement(camera)) > DEPTH_MISFIT:
            raise Unusable(
                "camera of depth",
                f"{topic} has {camera} by {info_topic}, the image {view.camera}: register depth to the "
                "camera",
            )
        return depth if rectifier is None else rectifier.depth(depth)

    def baseline(self, left_info: str | None, right_info: str | None, stamp: int) -> float:
        """Metres between the cameras of a pair, from their projections ``P[0, 3]``.

        :param left_info: topic of the left calibration; a left camera without one is the origin
        :raises Unusable: if the right camera is not to the right
        """
        left, right = (
            float(info.p[3]) / float(info.p[0]) if info is not None and info.p[0] else 0.0
            for info in (self._calibrations.at(topic, stamp) for topic in (left_info, right_info))
        )
        if not left > right:
            raise Unusable(
                "baseline",
                f"{right_info} has P[0,3] / fx = {right:g} m, the left camera {left:g} m: that of a right "
                "camera is smaller, by the baseline",
            )
        return left - right


def _rgb(message: BagMessage) -> np.ndarray:
    compressed = message.type == COMPRESSED_IMAGE
    pixels, channels = (decode_compressed if compressed else decode_image)(message.content)
    return pixels if channels == "rgb" else cv2.cvtColor(pixels, _TO_RGB[channels])
