"""Conversion of a camera's messages to the network's image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.image_decoding import announced_size, decode_compressed
from adu_depth_core.rectification import Rectifier
from adu_depth_ros.derived_camera_info import cropped_info, with_projection
from adu_depth_ros.image_conversion import image_from_message
from adu_depth_ros.image_region import check_inside, hidden_pixels, parse_region
from adu_depth_ros.parameters import Parameters
from adu_depth_ros.stream_frames import BadFrame, ReceivedFrame


@dataclass(frozen=True)
class SeenImage:
    """A frame before prediction: see ``PredictedFrame``.

    :param whole: camera of the whole image, of which ``image`` may be a region
    :param rotation: from the axes of the message's frame to those of the image, 3x3; None for the same axes
    """

    stamp: Time
    image: np.ndarray
    channels: str
    camera: Camera
    whole: Camera
    info: CameraInfo
    hidden: np.ndarray | None
    rotation: np.ndarray | None = None


class ImageReader:
    """Reads the images of one camera; caches their rectification maps.

    :param node: whose clock stamps are of
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rectifier: tuple[tuple[Any, ...], Rectifier] | None = None

    def read(self, frame: ReceivedFrame, parameters: Parameters) -> SeenImage:
        """:raises BadFrame: if stamp, pixels or calibration are unusable, or contradict the parameters"""
        stamp = frame.message.header.stamp
        if stamp.sec < 0:  # tf and message filters refuse it too
            raise BadFrame(f"the image's stamp is {stamp.sec} s, before 1970: the driver's clock is wrong")
        try:
            time = Time.from_msg(stamp, clock_type=self._node.get_clock().clock_type)
            seen = self._whole(time, frame, parameters)
            region = parse_region(parameters.region_of_interest)
            if region is None:
                return seen
            check_inside(region, seen.camera.width, seen.camera.height)
        except ValueError as error:
            raise BadFrame(str(error)) from error
        part = (
            slice(region.top, region.top + region.height),
            slice(region.left, region.left + region.width),
        )
        return SeenImage(
            time,
            seen.image[part],
            seen.channels,
            seen.camera.crop(*region),
            seen.whole,
            cropped_info(seen.info, region),
            None if seen.hidden is None else seen.hidden[part],
            seen.rotation,
        )

    def _whole(self, time: Time, frame: ReceivedFrame, parameters: Parameters) -> SeenImage:
        message, info = frame.message, frame.info
        decode = decode_compressed if isinstance(message, CompressedImage) else image_from_message
        width, height = announced_size(message)
        hidden = hidden_pixels(parameters.ego_mask, width, height)
        if not parameters.rectify:
            camera = camera_from_info(info, width, height, parameters.rectified)
            return SeenImage(time, *decode(message), camera, camera, info, hidden)
        rectifier = self._rectifier_of(info, width, height)
        image, channels = decode(message)
        unseen = rectifier.unseen if rectifier.unseen.any() else None
        if hidden is not None:
            hidden = rectifier.mask(hidden)
            unseen = hidden if unseen is None else unseen | hidden
        image = rectifier(np.ascontiguousarray(image))
        info, camera = with_projection(info), rectifier.camera
        return SeenImage(time, image, channels, camera, camera, info, unseen, rectifier.rotation)

    def _rectifier_of(self, info: CameraInfo, width: int, height: int) -> Rectifier:
        """Recomputed only when the calibration changes: its maps take longer than an inference."""
        roi = info.roi
        key = (
            (width, height, info.width, info.height, info.distortion_model, info.binning_x, info.binning_y),
            (roi.x_offset, roi.y_offset, roi.width, roi.height),
            *(np.asarray(values, float).tobytes() for values in (info.d, info.k, info.r, info.p)),
        )
        if self._rectifier is None or self._rectifier[0] != key:
            self._rectifier = key, Rectifier(info, (width, height))
        return self._rectifier[1]
