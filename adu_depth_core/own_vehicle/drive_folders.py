"""A drive as folders for training, early stopping and evaluation: parts of it in order of time, with gaps "
"between."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.bags.extraction import MotionFilter
from adu_depth_core.bags.frames import BagFrame, FrameReader, ReadingOptions
from adu_depth_core.bags.provenance import frame_name
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, Topics, choose_topics
from adu_depth_core.camera import Camera
from adu_depth_core.datasets.labelling import Matching, write_label
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.stereo_folder import (
    CALIBRATION,
    StereoFolder,
    write_calibration,
    write_sample,
)
from adu_depth_core.errors import UserError
from adu_depth_core.model_card import ModelCard
from adu_depth_core.prefetch import Prefetch
from adu_depth_core.replay.bag_leakage import BagLeakage

PARTS = {"drive": (0.0, 0.66), "stopping": (0.7, 0.85), "judging": (0.85, 1.0)}
"""Shares of all images, in order of time. Frames between training and the rest are left out."""

MOST_FRAMES = {"drive": 150, "stopping": 20, "judging": 40}

LEAST_MOTION, LEAST_TURN = 0.5, 5.0
"""Metres or degrees between training frames where poses are known; elsewhere the picture must change."""

FEWEST_FRAMES = 3
"""Of each part; a scale of sigma takes two."""


@dataclass(frozen=True)
class DriveFolders:
    """Result of the extraction.

    :param root: holds a stereo folder for each of ``PARTS``
    :param truth: what depth comes from: ``depth``, ``lidar``, or ``stereo`` for pairs without either
    :param pairs: whether there are right views
    :param camera: of all frames
    :param frames: number of frames of each part
    """

    root: Path
    truth: str
    pairs: bool
    camera: Camera
    frames: dict[str, int]


class DriveExtraction:
    """Opens bags and writes their frames to folders.

    :param bags: in order of time
    :param topic_options: topics named by the user
    :param reading: how messages are brought together
    :param card: of the model that is to be trained on
    :raises UserError: if a bag cannot be opened or has neither truth nor a pair, or the model was trained on
        it
    """

    def __init__(
        self, bags: Sequence[Path], topic_options: TopicOptions, reading: ReadingOptions, card: ModelCard
    ) -> None:
        self.bags = list(bags)
        self._reading = reading
        self._leakage = BagLeakage(card.name, card)
        self.topics: list[Topics] = []
        self.images = 0
        for path in self.bags:
            with BagReader(path, salvage=True) as reader:
                self._leakage.open_bag(reader.custom_data)
                topics = _topics(reader, path, topic_options)
                self.images += reader.message_counts[topics.image]
            self.topics.append(topics)
        kinds = {(topics.truth, topics.right_image is None) for topics in self.topics}
        if len(kinds) > 1:
            raise UserError(
                "the bags have different truth, or only some have a right image: choose with --truth"
            )
        self.truth, single = kinds.pop()
        self.pairs = not single
        if self.truth == "none":
            if not self.pairs:
                raise UserError(
                    f"{', '.join(p.name for p in self.bags)}: neither depth nor LiDAR nor a stereo pair to "
                    "learn from. A camera's height gives one factor of depth, which needs no training: "
                    "adu_depth calibrate BAG --camera-height M --out DIR"
                )
            self.truth = "stereo"

    def write(self, root: Path, on_frame: Callable[[int], None]) -> DriveFolders:
        """Write ``PARTS`` below ``root``.

        :param on_frame: called with the number of images that are done
        :return: what was written
        :raises UserError: if the camera changes, or a part has fewer than ``FEWEST_FRAMES``
        """
        skipped, index = SkippedFrames(), 0
        counts = dict.fromkeys(PARTS, 0)
        known: tuple[Camera, float | None] | None = None
        motion = MotionFilter(LEAST_MOTION, LEAST_TURN)
        for number, (path, topics) in enumerate(zip(self.bags, self.topics, strict=True)):
            reader = FrameReader(path, topics, self._reading, skipped, index, number)
            with Prefetch(reader) as frames:
                for frame in frames:
                    self._leakage.see(path, frame.stamp_ns)
                    on_frame(frame.index + 1)
                    if known is None:
                        known = frame.camera, frame.baseline
                        for part in PARTS:
                            write_calibration(root / part / CALIBRATION, *known)
                    elif frame.camera != known[0]:
                        raise UserError(
                            f"the camera changes at image {frame.index} from {known[0]} to {frame.camera}: "
                            "adapt to "
                            "one camera at a time"
                        )
                    part = self._part(frame.index)
                    if part is not None and (part != "drive" or motion.passes(frame)):
                        self._write_frame(root / part, frame, path, labelled=part != "drive")
                        counts[part] += 1
            index += reader.images_read
        few = [part for part, count in counts.items() if count < FEWEST_FRAMES]
        if few or known is None:
            reasons = "; ".join(f"{entry.frames} skipped: {entry.reason}" for entry in skipped.summary())
            raise UserError(
                f"{self.images} images are too few to train on and to judge by: {counts}"
                + (f" ({reasons})" if reasons else "")
                + "; record a minute or more of driving"
            )
        return self.found(root)

    def found(self, root: Path) -> DriveFolders:
        """The folders that ``write`` wrote.

        :raises UserError: if they are not all there
        """
        parts = {part: StereoFolder(root / part) for part in PARTS}
        counts = {part: len(folder) for part, folder in parts.items()}
        return DriveFolders(root, self.truth, self.pairs, parts["drive"].camera, counts)

    def _part(self, index: int) -> str | None:
        """The part that an image belongs to, if it is one of those that are taken of it."""
        for part, (begin, end) in PARTS.items():
            first, last = round(begin * self.images), round(end * self.images)
            if first <= index < last:
                count = last - first
                wanted = min(count, MOST_FRAMES[part])
                # Evenly spaced: taken where the running count increases.
                place = index - first
                return (
                    part if place * wanted // count != (place - 1) * wanted // count or place == 0 else None
                )
        return None

    def _write_frame(self, folder: Path, frame: BagFrame, path: Path, labelled: bool) -> None:
        """Without truth, a frame to judge by gets a pseudo-label; what is trained on the teacher labels."""
        name = frame_name(path, frame.index, frame.stamp_ns)
        truth = frame.truth
        if truth is not None:
            truth = np.where(np.isfinite(truth), truth, 0).astype(np.float32)
        sample = Sample(name, frame.image, frame.right, truth, frame.camera, frame.baseline)
        if truth is None and labelled:
            write_label(folder, name, Matching().label(sample))
        write_sample(folder, sample)


def _topics(reader: BagReader, path: Path, options: TopicOptions) -> Topics:
    """With the right image, if there is one."""
    try:
        return choose_topics(reader.topics, path.name, options, pair=True)
    except UserError:
        if options.right_image is not None:
            raise
        return choose_topics(reader.topics, path.name, options)


def description(bags: Sequence[Path], options: TopicOptions) -> str:
    """Origin of the folders, to recognise them later."""
    return json.dumps([[path.name for path in bags], vars(options)], sort_keys=True)
