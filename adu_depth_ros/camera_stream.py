"""The frames of one camera: from its messages to its published depth."""

from __future__ import annotations

import queue
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSPresetProfiles
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.image_decoding import announced_size, decode_compressed
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.typical import typical_values
from adu_depth_ros.depth_publishers import DepthPublishers
from adu_depth_ros.frame_statistics import FrameStatistics
from adu_depth_ros.image_conversion import image_from_message
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.parameters import Parameters, read_parameters

REPEAT_COMPLAINT_S = 10.0
"""The same complaint about frames is logged again after this time."""


class BadFrame(ValueError):
    """An image, its stamp or its calibration cannot be used. Any other exception is a fault of the node."""


@dataclass(frozen=True)
class ReceivedFrame:
    """An image message and the calibration of its camera."""

    message: Image | CompressedImage
    info: CameraInfo


@dataclass(frozen=True)
class PredictedFrame:
    """A frame and all that made its depth.

    :param stamp: the image's, by the node's clock
    :param image: uint8 ``(H, W)`` or ``(H, W, C)``, with its ``channels``
    :param predictor: what made the prediction
    :param inference: seconds that it took
    """

    header: Header
    info: CameraInfo
    stamp: Time
    image: np.ndarray
    channels: str
    camera: Camera
    prediction: Prediction
    predictor: Predictor
    parameters: Parameters
    inference: float


class CameraStream:
    """Takes a camera's messages from construction to ``close``. Each received frame gets one of the fates of
    ``FrameStatistics``.

    ``on_image`` and ``on_camera_info`` belong to the executor's thread and return at once; ``process``
    belongs to a worker thread, one frame at a time, the newest first.

    Calibration is kept by frame and not synchronised with the images. The first image of a frame waits
    for it, because a driver may publish an image before the ``camera_info`` that belongs to it.

    :param node: node whose clock, log and parameters are used
    :param mailbox: where frames that can be processed are left
    """

    def __init__(self, node: LifecycleNode, publishers: DepthPublishers, mailbox: Mailbox) -> None:
        self.statistics = FrameStatistics()
        self.frame_id = ""
        self.camera: Camera | None = None
        """Of the latest processed image."""
        self._node = node
        self._publishers = publishers
        self._mailbox = mailbox
        self._infos: dict[str, CameraInfo] = {}
        self._waiting: Image | CompressedImage | None = None
        self._watchers: list[queue.SimpleQueue[PredictedFrame]] = []
        self._complaint = ""
        self._complained_at = 0.0
        self._inputs: list[Subscription] = []

    def subscribe(self) -> None:
        """Listen to the camera."""
        compressed = read_parameters(self._node).image_transport == "compressed"
        self._subscribe(CameraInfo, "camera_info", self.on_camera_info)
        if compressed:
            self._subscribe(CompressedImage, "image/compressed", self.on_image)
        else:
            self._subscribe(Image, "image", self.on_image)

    def _subscribe(self, message_type, topic: str, callback: Callable) -> None:
        subscription = self._node.create_subscription(
            message_type,
            topic,
            callback,
            QoSPresetProfiles.get_from_short_key("sensor_data"),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._inputs.append(subscription)

    def close(self) -> None:
        """Listen no more."""
        while self._inputs:
            self._node.destroy_subscription(self._inputs.pop())

    def on_camera_info(self, info: CameraInfo) -> None:
        frame_id = info.header.frame_id
        self._infos[frame_id] = info
        if self._waiting is not None and self._waiting.header.frame_id == frame_id:
            waiting, self._waiting = self._waiting, None
            self._hand_over(waiting, info)

    def on_image(self, message: Image | CompressedImage) -> None:
        self.statistics.received()
        self.frame_id = message.header.frame_id
        if self._waiting is not None:
            self._reject(self._no_info(self._waiting.header.frame_id))
            self._waiting = None
        if not (self._watchers or self._publishers.have_listeners()):
            self.statistics.idle()
        elif info := self._infos.get(self.frame_id):
            self._hand_over(message, info)
        else:
            self._waiting = message

    def next_frame(self, timeout: float) -> PredictedFrame | None:
        """Wait for the next frame, which is processed even if nobody listens. Not for the worker's thread.

        :param timeout: seconds after which the answer is None
        """
        watcher: queue.SimpleQueue[PredictedFrame] = queue.SimpleQueue()
        self._watchers.append(watcher)
        try:
            return watcher.get(timeout=timeout)
        except queue.Empty:
            return None
        finally:
            self._watchers.remove(watcher)

    def process(self, received: ReceivedFrame, predictor: Predictor, claim: Callable[[], bool]) -> None:
        """Predict a frame and publish what is listened to. Whatever goes wrong, the next one can be tried.

        :param claim: asked before anything is said of the frame; False if somebody else did, because this
            took too long
        """
        try:
            frame = self._predict(received, predictor)
        except BadFrame as error:
            if claim():
                self._reject(str(error))
        except Exception as error:
            if claim():
                self.statistics.failed(self.log_fault(error))
        else:
            if claim():
                self._publish(frame)

    def log_fault(self, error: Exception) -> str:
        """Log an exception with its traceback; its type and text in one line."""
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        self._complain(f"a fault in the node: {fault}\n{''.join(traceback.format_exception(error)).rstrip()}")
        return fault

    def _hand_over(self, message: Image | CompressedImage, info: CameraInfo) -> None:
        if self._mailbox.put(self, ReceivedFrame(message, info)):
            self.statistics.dropped()

    def _predict(self, received: ReceivedFrame, predictor: Predictor) -> PredictedFrame:
        """:raises BadFrame: if the frame is not usable"""
        parameters = read_parameters(self._node)
        stamp, image, channels, camera = self._read(received, parameters.rectified)
        self.camera = camera
        start = time.monotonic()
        prediction = predictor.predict(image, camera, channels, parameters.output_size)
        inference = time.monotonic() - start
        header, info = received.message.header, received.info
        return PredictedFrame(
            header, info, stamp, image, channels, camera, prediction, predictor, parameters, inference
        )

    def _publish(self, frame: PredictedFrame) -> None:
        try:
            withheld = self._publishers.publish(
                frame.prediction,
                frame.image,
                frame.channels,
                frame.info,
                frame.header,
                frame.parameters,
                frame.predictor.card.depth_max,
            )
        except Exception as error:
            self.statistics.failed(self.log_fault(error))
            return
        latency = (self._node.get_clock().now() - frame.stamp).nanoseconds / 1e9
        prediction = frame.prediction
        self.statistics.published(
            latency, frame.inference, prediction.unfamiliar, withheld, typical_values(prediction)
        )
        for watcher in list(self._watchers):
            watcher.put(frame)

    def _read(self, frame: ReceivedFrame, rectified: bool) -> tuple[Time, np.ndarray, str, Camera]:
        """Stamp, pixels, their channels and camera.

        :raises BadFrame: if one of them is not usable
        """
        message = frame.message
        decode = decode_compressed if isinstance(message, CompressedImage) else image_from_message
        stamp = message.header.stamp
        if stamp.sec < 0:  # tf and message filters refuse it, too
            raise BadFrame(f"the image's stamp is {stamp.sec} s, before 1970: the driver's clock is wrong")
        try:
            time_ = Time.from_msg(stamp, clock_type=self._node.get_clock().clock_type)
            camera = camera_from_info(frame.info, *announced_size(message), rectified)
            return time_, *decode(message), camera
        except ValueError as error:
            raise BadFrame(str(error)) from error

    def _no_info(self, frame_id: str) -> str:
        known = ", ".join(map(repr, self._infos))
        topic = self._node.resolve_topic_name("camera_info")
        return f"no camera_info of frame {frame_id!r} on {topic}" + (f", only of {known}" if known else "")

    def _reject(self, reason: str) -> None:
        self.statistics.rejected(reason)
        self._complain(f"frame rejected: {reason}")

    def _complain(self, complaint: str) -> None:
        now = time.monotonic()
        if complaint != self._complaint or now - self._complained_at > REPEAT_COMPLAINT_S:
            self._complaint, self._complained_at = complaint, now
            self._node.get_logger().error(complaint)
