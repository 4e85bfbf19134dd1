"""Camera frames of a bag with calibration, ground truth, right image and pose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.bags.calibrations import Calibrations, header_stamp
from adu_depth_core.bags.lidar_depth import lidar_depth
from adu_depth_core.bags.messages import image_array, point_cloud_array
from adu_depth_core.bags.reader import BagMessage, BagReader
from adu_depth_core.bags.rectified_views import View, Views
from adu_depth_core.bags.skipped import SkippedFrames, Unusable
from adu_depth_core.bags.synchronizer import Synchronizer
from adu_depth_core.bags.topic_choice import Topics
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.stereo_matching import match_stereo
from adu_depth_core.errors import UserError
from adu_depth_core.stereo_pair import disparity_to_depth, right_with_left_camera
from adu_depth_core.transforms import Track, TransformTree


@dataclass(frozen=True)
class BagFrame:
    """One camera image, rectified.

    :param index: number of the image in the bags, from 0
    :param stamp_ns: header stamp in nanoseconds (time of the bag where the header has none)
    :param frame_id: frame of the image
    :param image: RGB uint8 ``(H, W, 3)``
    :param camera: intrinsics
    :param truth: float32 ``(H, W)`` metres; 0, NaN or infinite where unknown; None where there is none
    :param right: RGB uint8 of the right camera of the pair, as one with the same intrinsics sees it; or None
    :param baseline: metres between the pair, or None
    :param world_from_camera: pose of the rectified view 4x4, or None where it is not known
    :param bag: number of the bag, from 0
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
    bag: int = 0


@dataclass(frozen=True)
class ReadingOptions:
    """Options for matching messages.

    :param tolerance_ns: greatest time between an image and its ground truth or right image
    :param beam_gap: see ``lidar_depth``
    :param rectify: ``yes``, ``no``, or ``auto``: images, and depth, with distortion whose topic does not say
        ``rect``
    :param calibration: camera of images of a width and height, instead of camera_info
    :param poses: of the rectified view in the world, instead of those from transforms and odometry
    """

    tolerance_ns: int = 50_000_000
    beam_gap: float = 1.0
    rectify: str = "auto"
    calibration: Callable[[int, int], Camera] | None = None
    poses: Track | None = None


class FrameReader:
    """Reads the frames of one bag in order of time.

    :param path: the bag
    :param topics: the topics
    :param options: rectification, matching of messages and the like
    :param skipped: receives the unusable frames
    :param first_index: number of the first image
    :param bag: number of the bag
    """

    def __init__(
        self,
        path: Path,
        topics: Topics,
        options: ReadingOptions,
        skipped: SkippedFrames,
        first_index: int = 0,
        bag: int = 0,
    ) -> None:
        self.path = path
        self.topics = topics
        self.skipped = skipped
        self.images_read = 0
        """Image messages seen so far, the skipped ones too."""
        self.damage: str | None = None
        """Reason why reading ended early, or the losses."""
        self._options = options
        self._first_index = first_index
        self._bag = bag
        self._tree = TransformTree()
        self._calibrations = Calibrations(options.rectify)
        self._views = Views(self._calibrations, options.calibration)
        self._last_stamp: int | None = None

    def __iter__(self) -> Iterator[BagFrame]:
        """Frames with calibration and, if requested, ground truth; the others are skipped."""
        synchronizer = Synchronizer(self.topics.image, self._partners())
        with BagReader(self.path, salvage=True) as reader:
            wanted = {self.topics.image, *self._partners(), *self._infos(), *self.topics.poses}
            messages = reader.messages(wanted & reader.topics.keys())
            while True:
                try:
                    message = next(messages, None)
                except UserError as error:
                    self.damage, message = str(error), None
                else:
                    self.damage = reader.damage
                if message is not None and message.topic in (*self._infos(), *self.topics.poses):
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

    def _infos(self) -> tuple[str, ...]:
        topics = (self.topics.camera_info, self.topics.right_info, self.topics.depth_info)
        return tuple(topic for topic in topics if topic is not None)

    def _take_small(self, message: BagMessage) -> None:
        if message.topic in self.topics.poses:
            self._tree.add(message.type, message.content, message.topic.endswith("tf_static"))
        else:
            self._calibrations.add(message)

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
        stamp = header_stamp(message)
        if self._last_stamp is not None and stamp <= self._last_stamp:
            raise Unusable(
                "time", f"time goes backwards on {self.topics.image}: {stamp} ns after {self._last_stamp} ns"
            )
        frame_id = content.header.frame_id
        view = self._views.of(message, self.topics.image, self.topics.camera_info)
        image, camera = view.image, view.camera
        right = baseline = truth = None
        if self.topics.right_image is not None:
            right, baseline = self._right(stamp, camera, partners[self.topics.right_image])
        if self.topics.truth == "stereo":
            disparity = match_stereo(image, right)[0]
            truth = disparity_to_depth(disparity, camera.fx * baseline)
        elif self.topics.truth_topic is not None:
            truth = self._measured(
                self.topics.truth, self.topics.truth_topic, stamp, frame_id, view, partners
            )
        if self.topics.where is not None:
            other = self._measured(
                self.topics.where, self.topics.where_topic, stamp, frame_id, view, partners
            )
            truth = np.where((other > 0) & np.isfinite(other), truth, np.float32(0))
        self._last_stamp = stamp
        pose = self._pose(frame_id, stamp, view)
        return BagFrame(index, stamp, frame_id, image, camera, truth, right, baseline, pose, self._bag)

    def _nearest(self, topic: str, stamp: int, candidates: list[BagMessage]) -> BagMessage:
        nearest = min(candidates, key=lambda message: abs(header_stamp(message) - stamp), default=None)
        if nearest is None or abs(header_stamp(nearest) - stamp) > self._options.tolerance_ns:
            raise Unusable(
                f"partner {topic}",
                f"nothing on {topic} within {self._options.tolerance_ns / 1e6:g} ms of the image",
            )
        return nearest

    def _right(self, stamp: int, camera: Camera, candidates: list[BagMessage]) -> tuple[np.ndarray, float]:
        topic, info_topic = self.topics.right_image, self.topics.right_info
        view = self._views.of(self._nearest(topic, stamp, candidates), topic, info_topic)
        try:
            right = right_with_left_camera(view.image, camera, view.camera)
        except ValueError as error:
            raise Unusable("pair", f"{topic}: {error}, or use --rectify yes for raw images") from error
        return right, self._views.baseline(self.topics.camera_info, info_topic, stamp)

    def _measured(
        self,
        kind: str,
        topic: str,
        stamp: int,
        frame_id: str,
        view: View,
        partners: dict[str, list[BagMessage]],
    ) -> np.ndarray:
        """Depth of the view from a topic of depth images or point clouds."""
        message = self._nearest(topic, stamp, partners[topic])
        content = message.content
        if kind == "lidar":
            source = content.header.frame_id
            matrix = view.from_camera @ self._tree.between(frame_id, stamp, source, header_stamp(message))
            return lidar_depth(point_cloud_array(content), matrix, view.camera, self._options.beam_gap)
        if content.header.frame_id != frame_id:
            raise Unusable(
                "frame of depth",
                f"{topic} is of frame {content.header.frame_id!r}, the image of {frame_id!r}: depth must be "
                "registered to the camera",
            )
        depth = image_array(content)
        if depth.shape != view.camera.size or depth.dtype == np.uint8:
            raise Unusable(
                "depth image",
                f"{topic} is {content.encoding} {depth.shape}, must be 32FC1 (metres) or 16UC1 "
                f"(millimetres) of the image's size {view.camera.size}",
            )
        metres = depth.astype(np.float32, copy=False)  # either byte order
        if depth.dtype.kind == "u":
            metres = metres * np.float32(1e-3)
        infos = self.topics.depth_info, self.topics.camera_info
        return self._views.depth(metres, topic, stamp, view, *infos)

    def _pose(self, frame_id: str, stamp: int, view: View) -> np.ndarray | None:
        try:
            if self._options.poses is not None:
                return self._options.poses.at(stamp, frame_id)
            _, pose, moving = self._tree.to_root(frame_id, stamp)
        except LookupError:
            return None
        return pose @ view.from_camera.T if moving else None
