"""Camera frames of a bag with what is known of them: calibration, ground truth, right image, pose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from adu_depth_core.bags.lidar_depth import lidar_depth
from adu_depth_core.bags.messages import COMPRESSED_IMAGE, image_array, point_cloud_array
from adu_depth_core.bags.reader import BagMessage, BagReader
from adu_depth_core.bags.rectification import Rectifier
from adu_depth_core.bags.skipped import SkippedFrames, Unusable
from adu_depth_core.bags.synchronizer import Synchronizer
from adu_depth_core.bags.topic_choice import Topics
from adu_depth_core.bags.transforms import TransformTree
from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.datasets.kitti2015 import disparity_to_depth
from adu_depth_core.datasets.stereo_matching import match_stereo
from adu_depth_core.errors import UserError
from adu_depth_core.image_decoding import announced_size, decode_compressed, decode_image

_TO_RGB = {
    "bgr": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
    "mono": cv2.COLOR_GRAY2RGB,
}


_AFTER_STAMP = 12
"""Bytes of CDR encapsulation and stamp before the rest of a message that begins with its header."""


@dataclass(frozen=True)
class BagFrame:
    """One camera image, rectified.

    :param index: number of the image in the bags, from 0
    :param stamp_ns: header stamp in nanoseconds (time of the bag where the header has none)
    :param frame_id: frame of the image
    :param image: RGB uint8 ``(H, W, 3)``
    :param camera: intrinsics
    :param truth: float32 ``(H, W)`` metres; 0, NaN or infinite where unknown; None where there is none
    :param right: RGB uint8 of the right camera of the pair, or None
    :param baseline: metres between the pair, or None
    :param world_from_camera: pose 4x4, or None where it is not known
    """

    index: int
    stamp_ns: int
    frame_id: str
    image: np.ndarray
    camera: Camera
    truth: np.ndarray | None
    right: np.ndarray | None
    baseline: float | None
    world_from_camera: np.ndarray | None


@dataclass(frozen=True)
class ReadingOptions:
    """How messages are brought together.

    :param tolerance_ns: greatest time between an image and its ground truth or right image
    :param beam_gap: see ``lidar_depth``
    :param rectify: ``yes``, ``no``, or ``auto``: images with distortion whose topic does not say ``rect``
    :param calibration: camera of images of a width and height, instead of camera_info
    """

    tolerance_ns: int = 50_000_000
    beam_gap: float = 1.0
    rectify: str = "auto"
    calibration: Callable[[int, int], Camera] | None = None


class FrameReader:
    """Reads the frames of one bag in order of time.

    :param path: the bag
    :param topics: what to read
    :param options: how
    :param skipped: takes the frames that cannot be used
    :param first_index: number of the first image
    """

    def __init__(
        self,
        path: Path,
        topics: Topics,
        options: ReadingOptions,
        skipped: SkippedFrames,
        first_index: int = 0,
    ) -> None:
        self.path = path
        self.topics = topics
        self.skipped = skipped
        self.images_read = 0
        """Image messages seen so far, the skipped ones too."""
        self.damage: str | None = None
        """Why reading ended early, or what was lost."""
        self._options = options
        self._first_index = first_index
        self._tree = TransformTree()
        self._infos: dict[str, list[BagMessage]] = {}
        self._rectifiers: dict[bytes, Rectifier] = {}
        self._last_stamp: int | None = None

    def __iter__(self) -> Iterator[BagFrame]:
        """Frames with calibration and, where ground truth is wanted, with it; the others are skipped."""
        synchronizer = Synchronizer(self.topics.image, self._partners())
        with BagReader(self.path, salvage=True) as reader:
            wanted = {self.topics.image, *self._partners(), *self._calibrations(), *self.topics.poses}
            messages = reader.messages(wanted & reader.topics.keys())
            while True:
                try:
                    message = next(messages, None)
                except UserError as error:
                    self.damage, message = str(error), None
                else:
                    self.damage = reader.damage
                if message is not None and message.topic in (*self._calibrations(), *self.topics.poses):
                    self._take_small(message)
                    continue
                for image, partners in synchronizer.add(message):
                    frame = self._frame(image, partners)
                    if frame is not None:
                        yield frame
                if message is None:
                    return

    def _partners(self) -> tuple[str, ...]:
        topics = (self.topics.truth_topic, self.topics.right_image, self.topics.where_topic)
        return tuple(topic for topic in topics if topic is not None)

    def _calibrations(self) -> tuple[str, ...]:
        return tuple(t for t in (self.topics.camera_info, self.topics.right_info) if t is not None)

    def _take_small(self, message: BagMessage) -> None:
        if message.topic in self.topics.poses:
            self._tree.add(message.type, message.content, message.topic.endswith("tf_static"))
            return
        kept = self._infos.setdefault(message.topic, [])
        if not kept or kept[-1].data[_AFTER_STAMP:] != message.data[_AFTER_STAMP:]:
            kept.append(message)

    def _info(self, topic: str | None, stamp: int) -> Any:
        """The calibration that held at a time: the last before it, or the first; None where there is none."""
        kept = self._infos.get(topic or "", [])
        return next(
            (m.content for m in reversed(kept) if _stamp(m) <= stamp), kept[0].content if kept else None
        )

    def _frame(self, image: BagMessage, partners: dict[str, list[BagMessage]]) -> BagFrame | None:
        index = self._first_index + self.images_read
        self.images_read += 1
        try:
            return self._decoded(index, image, partners)
        except Unusable as unusable:
            self.skipped.add(*unusable.args, index)
        except (UserError, ValueError) as error:
            self.skipped.add(" ".join(str(error).split()[:3]), str(error), index)
        return None

    def _decoded(self, index: int, message: BagMessage, partners: dict[str, list[BagMessage]]) -> BagFrame:
        content = message.content
        stamp = _stamp(message)
        if self._last_stamp is not None and stamp <= self._last_stamp:
            raise Unusable(
                "time", f"time goes backwards on {self.topics.image}: {stamp} ns after {self._last_stamp} ns"
            )
        frame_id = content.header.frame_id
        image, camera = self._rectified(message, self.topics.image, self.topics.camera_info)
        right = baseline = truth = None
        if self.topics.right_image is not None:
            right, baseline = self._right(stamp, camera, partners[self.topics.right_image])
        if self.topics.truth == "stereo":
            disparity = match_stereo(image, right)[0]
            truth = disparity_to_depth(disparity, camera.fx * baseline)
        elif self.topics.truth_topic is not None:
            truth = self._measured(
                self.topics.truth, self.topics.truth_topic, stamp, frame_id, camera, partners
            )
        if self.topics.where is not None:
            other = self._measured(
                self.topics.where, self.topics.where_topic, stamp, frame_id, camera, partners
            )
            truth = np.where((other > 0) & np.isfinite(other), truth, np.float32(0))
        self._last_stamp = stamp
        pose = self._pose(frame_id, stamp)
        return BagFrame(index, stamp, frame_id, image, camera, truth, right, baseline, pose)

    def _rectified(
        self, message: BagMessage, topic: str, info_topic: str | None
    ) -> tuple[np.ndarray, Camera]:
        content = message.content
        width, height = announced_size(content)
        if self._options.calibration is not None:
            return self._rgb(message), self._options.calibration(width, height)
        info = self._info(info_topic, _stamp(message))
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
        raw = self._is_raw(topic, info)
        # Refuses another size, before a damaged header makes OpenCV ask for gigabytes.
        camera = camera_from_info(info, width, height, rectified=not raw)
        image = self._rgb(message)
        if not raw:
            return image, camera
        key = b"".join(np.asarray(v).tobytes() for v in (info.k, info.d, info.r, info.p))
        if key not in self._rectifiers:
            self._rectifiers[key] = Rectifier(info)
        rectifier = self._rectifiers[key]
        return rectifier(image), rectifier.camera

    @staticmethod
    def _rgb(message: BagMessage) -> np.ndarray:
        compressed = message.type == COMPRESSED_IMAGE
        pixels, channels = (decode_compressed if compressed else decode_image)(message.content)
        return pixels if channels == "rgb" else cv2.cvtColor(pixels, _TO_RGB[channels])

    def _is_raw(self, topic: str, info: Any) -> bool:
        if self._options.rectify == "auto":
            return "rect" not in topic and bool(np.any(info.d))
        return self._options.rectify == "yes"

    def _nearest(self, topic: str, stamp: int, candidates: list[BagMessage]) -> BagMessage:
        nearest = min(candidates, key=lambda message: abs(_stamp(message) - stamp), default=None)
        if nearest is None or abs(_stamp(nearest) - stamp) > self._options.tolerance_ns:
            raise Unusable(
                f"partner {topic}",
                f"nothing on {topic} within {self._options.tolerance_ns / 1e6:g} ms of the image",
            )
        return nearest

    def _right(self, stamp: int, camera: Camera, candidates: list[BagMessage]) -> tuple[np.ndarray, float]:
        topic, info_topic = self.topics.right_image, self.topics.right_info
        message = self._nearest(topic, stamp, candidates)
        right, right_camera = self._rectified(message, topic, info_topic)
        if right_camera.size != camera.size:
            raise Unusable("right size", f"{topic} is {right_camera.size}, the left image {camera.size}")
        if abs(right_camera.fx - camera.fx) > 1e-3 * camera.fx:
            raise Unusable(
                "pair",
                f"{topic} has focal length {right_camera.fx:g}, the left image {camera.fx:g}: they are no "
                "rectified pair; rectify with --rectify yes, or calibrate the cameras as a pair",
            )
        info = self._info(info_topic, stamp)
        baseline = -float(info.p[3]) / float(info.p[0]) if info.p[0] else 0.0
        if not baseline > 0:
            raise Unusable(
                "baseline",
                f"{info_topic} has P[0,3] = {info.p[3]:g}: that of a right camera is -fx * baseline",
            )
        return right, baseline

    def _measured(
        self,
        kind: str,
        topic: str,
        stamp: int,
        frame_id: str,
        camera: Camera,
        partners: dict[str, list[BagMessage]],
    ) -> np.ndarray:
        """Depth from a topic of depth images or point clouds."""
        message = self._nearest(topic, stamp, partners[topic])
        content = message.content
        if kind == "lidar":
            source = content.header.frame_id
            matrix = self._tree.between(frame_id, stamp, source, _stamp(message))
            return lidar_depth(point_cloud_array(content), matrix, camera, self._options.beam_gap)
        if content.header.frame_id != frame_id:
            raise Unusable(
                "frame of depth",
                f"{topic} is of frame {content.header.frame_id!r}, the image of {frame_id!r}: depth must be "
                "registered to the camera",
            )
        depth = image_array(content)
        if depth.shape != camera.size or depth.dtype == np.uint8:
            raise Unusable(
                "depth image",
                f"{topic} is {content.encoding} {depth.shape}, must be 32FC1 (metres) or 16UC1 "
                f"(millimetres) of the image's size {camera.size}",
            )
        return depth.astype(np.float32) * np.float32(1e-3) if depth.dtype.kind == "u" else depth

    def _pose(self, frame_id: str, stamp: int) -> np.ndarray | None:
        try:
            _, pose, moving = self._tree.to_root(frame_id, stamp)
        except LookupError:
            return None
        return pose if moving else None


def _stamp(message: BagMessage) -> int:
    """Header stamp, from the bytes: decoding a point cloud or an image for it takes long."""
    order = "little" if message.data[1] & 1 else "big"
    sec, nanosec = (int.from_bytes(message.data[i : i + 4], order) for i in (4, 8))
    return sec * 1_000_000_000 + nanosec or message.time_ns
