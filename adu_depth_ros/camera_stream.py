"""The frames of one camera: from its messages to its published depth."""

from __future__ import annotations

import queue
import time
import traceback
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSPresetProfiles
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from adu_depth_core.camera import Camera
from adu_depth_core.inference.camera_profile import ProfileMismatch
from adu_depth_core.inference.postprocess import enlarge
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.typical import typical_values
from adu_depth_ros.camera_stabiliser import CameraStabiliser
from adu_depth_ros.depth_publishers import DepthPublishers, below
from adu_depth_ros.frame_statistics import FrameStatistics
from adu_depth_ros.image_reader import ImageReader
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.parameters import Parameters, read_parameters
from adu_depth_ros.rate_limit import RateLimit
from adu_depth_ros.silence import SilenceWarning
from adu_depth_ros.stream_frames import BadFrame, PredictedFrame, ReceivedFrame
from adu_depth_ros.vehicle_motion import VehicleMotion

LISTENERS_PERIOD_S = 0.1
"""Interval of polling for subscribers: rclpy of Humble has no event for them."""

REPEAT_COMPLAINT_S = 10.0
"""Interval after which the same warning about frames is logged again."""


class CameraStream:
    """Receives a camera's messages from construction to ``close``. Each received frame gets one of the
    outcomes of ``FrameStatistics``.

    ``on_image`` and ``on_camera_info`` belong to the executor's thread and return at once; ``process``
    belongs to a worker thread, one frame at a time, the newest first.

    Calibration is kept by frame and not synchronised with the images. The first image of a frame waits
    for it, because a driver may publish an image before the ``camera_info`` that belongs to it.

    :param node: node whose clock, log and parameters are used
    :param mailbox: mailbox for frames that can be processed
    :param motion: of the vehicle, for stabilisation
    :param name: the camera's, below which its topics are; empty for the only one
    """

    def __init__(
        self,
        node: LifecycleNode,
        publishers: DepthPublishers,
        mailbox: Mailbox[CameraStream, ReceivedFrame],
        motion: VehicleMotion,
        name: str = "",
    ) -> None:
        self.name = name
        self.statistics = FrameStatistics()
        self.frame_id = ""
        self.cameras: tuple[Camera, Camera] | None = None
        """Of the latest processed image, and of the whole image of which it may be a region."""
        self._node = node
        self._publishers = publishers
        self._mailbox = mailbox
        self._infos: dict[str, CameraInfo] = {}
        self._waiting: Image | CompressedImage | None = None
        self._watchers: list[queue.SimpleQueue[PredictedFrame]] = []
        self._complaint = ""
        self._complained_at = 0.0
        self._reader = ImageReader(node)
        self._motion = motion
        self._stabiliser = CameraStabiliser(motion)
        self._rate = RateLimit()
        self._silence = SilenceWarning(node)
        self._subscriptions: list[Subscription] = []
        self._images: Subscription | None = None
        self._timer: Timer | None = None

    def subscribe(self) -> None:
        """Subscribe to the camera: to its images only while depth has subscribers, unless parameters say
        otherwise."""
        self._subscriptions.append(
            self._subscribe(CameraInfo, below(self.name, "camera_info"), self.on_camera_info)
        )
        self._look_around()
        # Steady clock: keeps running with use_sim_time and no /clock.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self._node.create_timer(LISTENERS_PERIOD_S, self._look_around, clock=clock)
        lazy = ", images only while depth has a subscriber" if self._parameters().lazy_subscription else ""
        self._node.get_logger().info(f"subscribes to {self.image_topic()} and {self._info_topic()}{lazy}")

    def _look_around(self) -> None:
        self.update_subscription()
        silent_for = self.statistics.silent_for()
        self._silence.update(silent_for, self.image_topic(), self._info_topic(), bool(self._infos))

    def update_subscription(self) -> None:
        """Subscribe to the images if they are needed, and unsubscribe if they are not."""
        parameters = self._parameters()
        self._motion.need(self.name, parameters.stabilise)
        wanted = not parameters.lazy_subscription or self._is_wanted()
        if wanted and self._images is None:
            kind, topic = self._image_input(parameters)
            self._images = self._subscribe(kind, topic, self.on_image)
            self.statistics.subscribed()
        elif not wanted and self._images is not None:
            self._node.destroy_subscription(self._images)
            self._images = None
            self.statistics.unsubscribed()

    def image_topic(self) -> str:
        """Full name of the topic that images come from."""
        return self._node.resolve_topic_name(self._image_input(self._parameters())[1])

    def _info_topic(self) -> str:
        return self._node.resolve_topic_name(below(self.name, "camera_info"))

    def _image_input(self, parameters: Parameters) -> tuple[type, str]:
        if parameters.image_transport == "compressed":
            return CompressedImage, below(self.name, "image/compressed")
        return Image, below(self.name, "image")

    def _parameters(self) -> Parameters:
        return read_parameters(self._node, self.name)

    def _is_wanted(self) -> bool:
        return bool(self._watchers) or self._publishers.have_listeners()

    def _subscribe(self, message_type: type, topic: str, callback: Callable[[Any], None]) -> Subscription:
        return self._node.create_subscription(
            message_type,
            topic,
            callback,
            QoSPresetProfiles.get_from_short_key("sensor_data"),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def close(self) -> None:
        """Unsubscribe."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
        if self._images is not None:
            self._subscriptions.append(self._images)
        self._timer = self._images = None
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

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
        if not self._is_wanted():
            self.statistics.idle()
        elif not self._rate.passes(self._parameters().max_rate):
            self.statistics.limited()
        elif info := self._infos.get(self.frame_id):
            self._hand_over(message, info)
        else:
            self._waiting = message

    def next_frame(self, timeout: float) -> PredictedFrame | None:
        """Wait for the next frame, which is processed even without subscribers. Not for the worker's thread.

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
        """Predict a frame and publish the outputs that have subscribers. After any error the next frame can
        be processed.

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
        self._complain(f"internal error: {fault}\n{''.join(traceback.format_exception(error)).rstrip()}")
        return fault

    def _hand_over(self, message: Image | CompressedImage, info: CameraInfo) -> None:
        if self._mailbox.put(self, ReceivedFrame(message, info)):
            self.statistics.dropped()

    def _predict(self, received: ReceivedFrame, predictor: Predictor) -> PredictedFrame:
        """:raises BadFrame: if the frame is not usable"""
        parameters = self._parameters()
        seen = self._reader.read(received, parameters)
        self.cameras = seen.camera, seen.whole
        start = time.monotonic()
        size = "network" if parameters.stabilise else parameters.output_size
        try:
            prediction = predictor.predict(seen.image, seen.camera, seen.channels, size, whole=seen.whole)
        except ProfileMismatch as error:
            raise BadFrame(str(error)) from error
        unfused = None
        if parameters.stabilise:
            frame_id = received.message.header.frame_id
            prediction, unfused = self._stabiliser.update(prediction, seen, frame_id, predictor)
            if parameters.output_size == "image":
                prediction = enlarge(prediction, seen.camera)
        else:
            self._stabiliser.reset()
        inference = time.monotonic() - start
        hidden = seen.hidden
        if hidden is not None and hidden.shape != prediction.depth.shape:
            rows, columns = prediction.depth.shape
            hidden = cv2.resize(hidden.view(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST).view(
                bool
            )
        return PredictedFrame(
            header=received.message.header,
            info=seen.info,
            stamp=seen.stamp,
            image=seen.image,
            channels=seen.channels,
            camera=seen.camera,
            hidden=hidden,
            prediction=prediction,
            predictor=predictor,
            parameters=parameters,
            inference=inference,
            unfused=unfused,
        )

    def _publish(self, frame: PredictedFrame) -> None:
        try:
            withheld = self._publishers.publish(frame)
        except Exception as error:
            self.statistics.failed(self.log_fault(error))
            return
        latency = (self._node.get_clock().now() - frame.stamp).nanoseconds / 1e9
        prediction = frame.prediction
        typical = typical_values(prediction, frame.hidden)
        self.statistics.published(
            latency, frame.inference, prediction.unfamiliar, prediction.camera_doubt, withheld, typical
        )
        if frame.unfused is not None:
            self.statistics.stabilised(frame.unfused)
        for watcher in list(self._watchers):
            watcher.put(frame)

    def _no_info(self, frame_id: str) -> str:
        known = ", ".join(map(repr, self._infos))
        return f"no camera_info of frame {frame_id!r} on {self._info_topic()}" + (
            f", only of {known}" if known else ""
        )

    def _reject(self, reason: str) -> None:
        self.statistics.rejected(reason)
        self._complain(f"frame rejected: {reason}")

    def _complain(self, complaint: str) -> None:
        now = time.monotonic()
        if complaint != self._complaint or now - self._complained_at > REPEAT_COMPLAINT_S:
            self._complaint, self._complained_at = complaint, now
            self._node.get_logger().error(f"{self.name}: {complaint}" if self.name else complaint)
