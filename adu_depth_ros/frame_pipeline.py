"""From image messages to published depth, on a thread of its own."""

from __future__ import annotations

import threading
import time
import traceback

import numpy as np
from rclpy.lifecycle import LifecycleNode
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.image_decoding import announced_size, decode_compressed
from adu_depth_core.inference.camera_profile import ProfileMismatch
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.depth_publishers import DepthPublishers
from adu_depth_ros.frame_statistics import FrameStatistics
from adu_depth_ros.image_conversion import image_from_message
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.parameters import read_parameters

REPEAT_COMPLAINT_S = 10.0
"""The same complaint about frames is logged again after this time."""


class BadFrame(ValueError):
    """An image, its stamp or its calibration cannot be used. Any other exception is a fault of the node."""


class FramePipeline:
    """Works from construction to ``stop``. Each received frame gets one of the fates of ``FrameStatistics``.

    ``on_image`` and ``on_camera_info`` belong to the executor's thread and return at once; the rest
    happens on the worker thread, one frame at a time, the newest first.

    Calibration is kept by frame and not synchronised with the images. The first image of a frame waits
    for it, because a driver may publish an image before the ``camera_info`` that belongs to it.

    :param node: node whose clock, log and parameters are used
    """

    def __init__(self, node: LifecycleNode, predictor: Predictor, publishers: DepthPublishers) -> None:
        self.statistics = FrameStatistics()
        self.frame_id = ""
        self._node = node
        self._predictor = predictor
        self._publishers = publishers
        self._infos: dict[str, CameraInfo] = {}
        self._waiting: Image | CompressedImage | None = None
        self._complaint = ""
        self._complained_at = 0.0
        self._mailbox: Mailbox[tuple[Image | CompressedImage, CameraInfo]] = Mailbox()
        self._worker = threading.Thread(target=self._work, name="inference", daemon=True)
        self._worker.start()

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
        if not self._publishers.have_listeners():
            self.statistics.idle()
        elif info := self._infos.get(self.frame_id):
            self._hand_over(message, info)
        else:
            self._waiting = message

    def stop(self) -> None:
        """Let the frame in work end, and forget the others."""
        self._mailbox.close()
        self._worker.join()

    def _hand_over(self, message: Image | CompressedImage, info: CameraInfo) -> None:
        if self._mailbox.put((message, info)):
            self.statistics.dropped()

    def _work(self) -> None:
        try:
            # The first run on a thread is slow enough to lose a frame of a 10 Hz camera.
            self._predictor.warm_up()
        except Exception as error:  # the frames will tell whether it was for good
            self.statistics.fault(self._log_fault(error))
        while (item := self._mailbox.take()) is not None:
            try:
                self._process(*item)
            except BadFrame as error:
                self._reject(str(error))
            except Exception as error:  # whatever it is, the next frame is tried
                self.statistics.failed(self._log_fault(error))

    def _process(self, message: Image | CompressedImage, info: CameraInfo) -> None:
        parameters = read_parameters(self._node)
        stamp, image, channels, camera = self._read(message, info, parameters.rectified)
        start = time.monotonic()
        try:
            prediction = self._predictor.predict(image, camera, channels, parameters.output_size)
        except ProfileMismatch as error:
            raise BadFrame(str(error)) from error
        inference = time.monotonic() - start
        self._publishers.publish(
            prediction, image, channels, info, message.header, parameters, self._predictor.card.depth_max
        )
        age = self._node.get_clock().now() - stamp
        self.statistics.published(
            age.nanoseconds / 1e9, inference, prediction.unfamiliar, prediction.camera_doubt
        )

    def _read(
        self, message: Image | CompressedImage, info: CameraInfo, rectified: bool
    ) -> tuple[Time, np.ndarray, str, Camera]:
        """Stamp, pixels, their channels and camera.

        :raises BadFrame: if one of them is not usable
        """
        decode = decode_compressed if isinstance(message, CompressedImage) else image_from_message
        stamp = message.header.stamp
        if stamp.sec < 0:  # tf and message filters refuse it, too
            raise BadFrame(f"the image's stamp is {stamp.sec} s, before 1970: the driver's clock is wrong")
        try:
            time_ = Time.from_msg(stamp, clock_type=self._node.get_clock().clock_type)
            camera = camera_from_info(info, *announced_size(message), rectified)
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

    def _log_fault(self, error: Exception) -> str:
        """Log an exception with its traceback; its type and text in one line."""
        fault = " ".join(f"{type(error).__name__}: {error}".split())
        self._complain(f"a fault in the node: {fault}\n{''.join(traceback.format_exception(error)).rstrip()}")
        return fault

    def _complain(self, complaint: str) -> None:
        now = time.monotonic()
        if complaint != self._complaint or now - self._complained_at > REPEAT_COMPLAINT_S:
            self._complaint, self._complained_at = complaint, now
            self._node.get_logger().error(complaint)
