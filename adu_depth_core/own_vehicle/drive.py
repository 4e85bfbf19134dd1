"""Observations of a model on a drive, the input of calibration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adu_depth_core.bags.frames import BagFrame, FrameReader, ReadingOptions
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, Topics, choose_topics
from adu_depth_core.bags.travel import read_travel, travel_topic
from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.own_vehicle.alignment import shift_errors
from adu_depth_core.own_vehicle.held_out import FEWEST_FRAMES_OF_TIME
from adu_depth_core.own_vehicle.observation import Observation, observe
from adu_depth_core.own_vehicle.road_truth import predicted_road, road_observation
from adu_depth_core.own_vehicle.speed_truth import LEAST_METRES, SpeedTruth
from adu_depth_core.prefetch import Prefetch
from adu_depth_core.replay.bag_leakage import BagLeakage

MOST_FRAMES = 2000
"""Of longer drives every n-th frame is looked at."""

MOST_ROADS = 300
"""Likewise of a drive by the camera's height: what it leaves in doubt, more frames leave too."""

MOST_ALIGNED = 200
"""Frames whose truth is compared at other places."""

PICTURES = 3
"""Frames shown before and after, evenly over the drive."""

NEEDED = {
    "height": "a road in its prediction that agrees with the vertical edges in the image",
    "speed": f"an image {LEAST_METRES:g} m on within a second, with points to track and no turn, and looks "
    "ahead or back",
}
"""Of a frame, for its truth; enough truth, of other kinds."""

TRUTHS = {
    "depth": "depth images",
    "lidar": "LiDAR points",
    "stereo": "stereo matching of the pair",
    "height": "the camera's height above the road",
    "speed": "points tracked over the vehicle's motion",
    "distances": "measured distances",
}
"""Kinds of ground truth, best first."""


@dataclass(frozen=True)
class Shown:
    """A frame to show before and after.

    :param image: RGB uint8 ``(H, W, 3)``
    :param depth: predicted, metres ``(H, W)``
    :param truth: metres ``(H, W)``, 0 where unknown; None without
    """

    image: np.ndarray
    depth: np.ndarray
    truth: np.ndarray | None


@dataclass
class Drive:
    """Observations of a drive.

    :ivar truth: key of ``TRUTHS``
    :ivar camera: of all frames; None before the first
    :ivar observations: frames with truth, in order of time
    :ivar alignments: ``alignment.shift_errors`` of some of them
    :ivar heights: by the vehicle's motion, metres of the camera above the road in each frame that shows it
    :ivar shown: frames for pictures
    :ivar without_truth: frames without enough truth, or a road
    :ivar warnings: what to tell with the result
    """

    truth: str
    camera: Camera | None = None
    observations: list[Observation] = field(default_factory=list)
    alignments: list[np.ndarray] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    without_truth: int = 0
    warnings: list[str] = field(default_factory=list)


class DriveReader:
    """Opens bags and looks at their frames with a model.

    :param bags: in order; each is a drive of its own
    :param predictor: the model, without a profile
    :param topic_options: topics named by the user
    :param reading: how messages are brought together
    :param camera_height: metres above the road; it is then the truth, unless ``speed`` is. None: depth, LiDAR
        or stereo are, else the vehicle's motion
    :param speed: the vehicle's motion is the truth
    :param speed_topic: tells that motion; None chooses: the poses of the images, else ``bags.travel``
    :param allow_training_frames: warn of frames that the model was trained on instead of refusing them
    :raises UserError: if a bag cannot be opened or lacks topics, the bags have different truth or none, or
        the model was trained on one
    """

    def __init__(
        self,
        bags: Sequence[Path],
        predictor: Predictor,
        topic_options: TopicOptions,
        reading: ReadingOptions,
        camera_height: float | None = None,
        allow_training_frames: bool = False,
        speed: bool = False,
        speed_topic: str | None = None,
    ) -> None:
        self.bags = list(bags)
        self.topics: list[Topics] = []
        self.frames_in_bags = 0
        self._predictor = predictor
        self._reading = reading
        self.travel_topics: list[str | None] = []
        """Of each bag, where the images have no poses or it was named; None without any."""
        self._height = None if speed else camera_height
        self._leakage = BagLeakage(predictor.card.name, predictor.card, allow_training_frames)
        for path in self.bags:
            with BagReader(path, salvage=True) as reader:
                self._leakage.open_bag(reader.custom_data)
                topics = choose_topics(reader.topics, path.name, topic_options)
                self.frames_in_bags += reader.message_counts[topics.image]
                self.travel_topics.append(travel_topic(reader.topics, path.name, speed_topic))
            self.topics.append(topics)
        kinds = {topics.truth for topics in self.topics}
        self._by_poses = speed_topic is None
        moving = all(
            topic is not None or any(not name.endswith("tf_static") for name in topics.poses)
            for topic, topics in zip(self.travel_topics, self.topics, strict=True)
        )
        speed = speed or (camera_height is None and kinds == {"none"} and moving)
        if not moving and (speed or (camera_height is None and kinds == {"none"})):
            without = "neither depth nor LiDAR, stereo pair, odometry, /tf or speed"
            raise UserError(
                f"{', '.join(path.name for path in self.bags)}: "
                f"{'no odometry, /tf or speed' if speed else without} to calibrate with; give "
                "--camera-height, metres of the camera above the road"
            )
        if len(kinds) > 1:
            raise UserError(
                f"the bags have different truth ({', '.join(sorted(kinds))}): choose with --truth"
            )
        self.truth = "speed" if speed else "height" if camera_height is not None else kinds.pop()

    def read(self, on_frame: Callable[[int], None]) -> Drive:
        """Predict and observe every frame.

        :param on_frame: called with the number of images that are done
        :raises UserError: if the camera changes, or no frame can be used; the text says why
        """
        drive = Drive(self.truth)
        skipped = SkippedFrames()
        every = -(-self.frames_in_bags // (MOST_FRAMES if self._height is None else MOST_ROADS))
        align_every = -(-self.frames_in_bags // MOST_ALIGNED)
        show_at = {
            round((i + 0.5) * self.frames_in_bags / PICTURES) // every * every for i in range(PICTURES)
        }
        start_ns: int | None = None
        index = 0
        for number, (path, topics) in enumerate(zip(self.bags, self.topics, strict=True)):
            reader = FrameReader(path, topics, self._reading, skipped, index, number)
            pairs = self._pairs(number)
            with Prefetch(reader) as frames:
                for frame in frames:
                    self._leakage.see(path, frame.stamp_ns)
                    on_frame(frame.index + 1)
                    start_ns = frame.stamp_ns if start_ns is None else start_ns
                    looked_at = frame.index % every == 0
                    if self.truth == "speed":
                        if (pair := pairs.add(frame, looked_at)) is None:
                            continue
                        frame = dataclasses.replace(pair[0], truth=pair[1])
                    elif not looked_at:
                        continue
                    seconds = (frame.stamp_ns - start_ns) / 1e9
                    self._see(drive, frame, seconds, frame.index % align_every == 0, frame.index in show_at)
            index += reader.images_read
            drive.warnings += [reader.damage] if reader.damage else []
        drive.warnings += [f"{entry.frames} frames skipped: {entry.reason}" for entry in skipped.summary()]
        drive.warnings += self._leakage.warnings()
        if not drive.observations:
            what = NEEDED.get(self.truth, "enough truth")
            reasons = "; ".join([f"none of {index} images has {what}{self._remedy()}", *drive.warnings])
            raise UserError(f"nothing to calibrate with in {', '.join(p.name for p in self.bags)}: {reasons}")
        return drive

    def _remedy(self) -> str:
        if self._height is None or self.frames_in_bags >= FEWEST_FRAMES_OF_TIME:
            return ""
        return (
            f". Fewer than {FEWEST_FRAMES_OF_TIME} images need such edges: record a minute of driving, or "
            "walls, poles and fences; or measure distances (--distance)"
        )

    def _pairs(self, number: int) -> SpeedTruth:
        """Of a bag's frames."""
        topic = self.travel_topics[number] if self.truth == "speed" else None
        travel = None if topic is None else read_travel(self.bags[number], topic)
        return SpeedTruth(travel, self._by_poses)

    def _see(self, drive: Drive, frame: BagFrame, seconds: float, align: bool, show: bool) -> None:
        if drive.camera is None:
            drive.camera = frame.camera
        elif drive.camera != frame.camera:
            raise UserError(
                f"the camera changes at image {frame.index} from {drive.camera} to {frame.camera}: a "
                "profile is of "
                "one camera; calibrate them one by one"
            )
        prediction = self._predictor.predict(frame.image, frame.camera)
        place = (self._predictor.card, seconds, frame.bag, frame.index)
        if self._height is not None:
            few = self.frames_in_bags < FEWEST_FRAMES_OF_TIME
            found = road_observation(prediction, frame.image, self._height, *place, lines_required=few)
        elif frame.truth is None:
            found = None
        else:
            found = observe(prediction, frame.truth, *place)
        if found is None:
            drive.without_truth += 1
            return
        if self.truth == "speed":
            # Corners are no sample of all pixels, and tracking adds errors of its own: no judge of sigma.
            found = dataclasses.replace(found, relative_sigma=None)
            if (road := predicted_road(prediction, frame.index)) is not None:
                drive.heights.append(road.camera_height * float(np.median(found.truth / found.depth)))
        drive.observations.append(found)
        if align and self.truth in ("depth", "lidar"):
            drive.alignments.append(shift_errors(prediction, frame.truth, frame.index))
        if show:
            truth = None if self._height is not None else frame.truth
            drive.shown.append(Shown(frame.image, prediction.depth, truth))
