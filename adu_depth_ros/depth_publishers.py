"""The node's output topics, each published only with subscribers."""

from __future__ import annotations

import cv2
import numpy as np
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from adu_depth_core.inference.depth_output import confidence, encode_depth, mark_depth
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.visualization import colorize_depth
from adu_depth_ros.compressed_depth import compressed_depth
from adu_depth_ros.derived_camera_info import resized_info
from adu_depth_ros.image_conversion import image_to_message
from adu_depth_ros.parameters import Parameters
from adu_depth_ros.point_cloud import Selection, point_cloud
from adu_depth_ros.rate_limit import RateLimit
from adu_depth_ros.stream_frames import PredictedFrame

OUTPUT_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
"""Reliable suits both kinds of subscriber; override it for best effort."""

TO_RGB = {
    "bgr": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
    "mono": cv2.COLOR_GRAY2RGB,
}


class DepthPublishers:
    """Publishers of depth and what is derived from it.

    :param node: node that owns them; their topic names are relative to its namespace
    :param camera: name below which the topics are; empty for the only camera
    """

    def __init__(self, node: LifecycleNode, camera: str = "") -> None:
        self._node = node
        self._camera = camera
        self._publishers: list[LifecyclePublisher] = []
        self.depth = self._create(Image, "depth/image")
        self.compressed_depth = self._create(CompressedImage, "depth/image/compressedDepth")
        self.camera_info = self._create(CameraInfo, "depth/camera_info")
        self.sigma = self._create(Image, "uncertainty/image")
        self.confidence = self._create(Image, "confidence/image")
        self.color = self._create(Image, "depth/color")
        self.points = self._create(PointCloud2, "depth/points")
        self._points_rate = RateLimit()

    def _create(self, message_type: type, topic: str) -> LifecyclePublisher:
        publisher: LifecyclePublisher = self._node.create_lifecycle_publisher(
            message_type,
            below(self._camera, topic),
            OUTPUT_QOS,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._publishers.append(publisher)
        return publisher

    def have_listeners(self) -> bool:
        return any(map(has_listeners, self._publishers))

    def publish(self, frame: PredictedFrame) -> float:
        """Publish the outputs that have subscribers, with the header of the image.

        :return: fraction of the visible (not ego-masked) pixels whose depth is withheld (NaN), 0 to 1
        """
        prediction, parameters, header = frame.prediction, frame.parameters, frame.header
        card = frame.predictor.card
        # Depth is unknown beyond the model's range.
        max_depth = min(parameters.max_depth, card.depth_max)
        depth = mark_depth(prediction.depth, prediction.sigma, max_depth, parameters.max_relative_sigma)
        visible = depth if frame.hidden is None else depth[~frame.hidden]
        withheld = np.count_nonzero(np.isnan(visible)) / visible.size if visible.size else 0.0
        sigma = prediction.sigma
        if frame.hidden is not None:
            depth[frame.hidden] = np.nan
            sigma = np.where(frame.hidden, np.float32(np.nan), sigma)
        self._publish_depth(depth, card.depth_min, max_depth, parameters, header)
        if has_listeners(self.camera_info):
            self.camera_info.publish(_info_of_depth(frame.info, prediction, frame.image, header))
        if has_listeners(self.sigma):
            self.sigma.publish(image_to_message(sigma, "32FC1", header))
        if has_listeners(self.confidence):
            sure = confidence(depth, sigma, parameters.confidence_tolerance)
            self.confidence.publish(image_to_message(sure, "mono8", header))
        if has_listeners(self.color):
            self.color.publish(image_to_message(colorize_depth(depth), "rgb8", header))
        if has_listeners(self.points) and self._points_rate.passes(parameters.points_rate):
            rgb = _rgb_of_size(frame.image, frame.channels, prediction.camera.size)
            selection = _selection(parameters)
            self.points.publish(point_cloud(depth, sigma, rgb, prediction.camera, header, selection))
        return withheld

    def _publish_depth(
        self, depth: np.ndarray, near: float, far: float, parameters: Parameters, header: Header
    ) -> None:
        raw, compressed = has_listeners(self.depth), has_listeners(self.compressed_depth)
        if not (raw or compressed):
            return
        encoding = parameters.depth_encoding
        pixels = encode_depth(depth, encoding)
        if raw:
            self.depth.publish(image_to_message(pixels, encoding, header))
        if compressed:
            near = min(near, 0.5 * far)
            message = compressed_depth(pixels, encoding, header, near, far, parameters.png_level)
            self.compressed_depth.publish(message)

    def destroy(self) -> None:
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()


def below(camera: str, topic: str) -> str:
    """A topic's name below that of its camera; a single camera has no name."""
    return f"{camera}/{topic}" if camera else topic


def has_listeners(publisher: LifecyclePublisher) -> bool:
    count: int = publisher.get_subscription_count()
    return count > 0


def _selection(parameters: Parameters) -> Selection:
    return Selection(
        stride=parameters.points_stride,
        near=parameters.points_near,
        far=parameters.points_far,
        left=parameters.points_left,
        right=parameters.points_right,
        above=parameters.points_above,
        below=parameters.points_below,
        max_sigma=parameters.points_max_sigma,
        voxel=parameters.points_voxel,
        voxel_sigmas=parameters.points_voxel_sigmas,
    )


def _info_of_depth(info: CameraInfo, prediction: Prediction, image: np.ndarray, header: Header) -> CameraInfo:
    """The image's own calibration, or the scaled one if depth has another size."""
    height, width = prediction.depth.shape
    same_size = (height, width) == image.shape[:2]
    ours = info if same_size else resized_info(info, width, height)
    return CameraInfo(
        header=header,
        **{name: getattr(ours, name) for name in CameraInfo.get_fields_and_field_types() if name != "header"},
    )


def _rgb_of_size(image: np.ndarray, channels: str, size: tuple[int, int]) -> np.ndarray:
    """RGB uint8 ``(H, W, 3)`` of ``(height, width)``."""
    if image.shape[:2] != size:
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return rgb_of(image, channels)


def rgb_of(image: np.ndarray, channels: str) -> np.ndarray:
    """RGB uint8 ``(H, W, 3)`` of an image with other channels, see ``Predictor.predict``."""
    return image if channels == "rgb" else cv2.cvtColor(image, TO_RGB[channels])
