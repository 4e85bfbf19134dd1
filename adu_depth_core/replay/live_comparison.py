"""Comparison of a live node with the offline predictor: the node's recorded bag, and its source bag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.bags import topics
from adu_depth_core.bags.frames import BagFrame, FrameReader, ReadingOptions
from adu_depth_core.bags.messages import COMPRESSED_IMAGE, IMAGE, image_array, stamp_of
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics
from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.errors import UserError
from adu_depth_core.image_decoding import ENCODINGS
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.replay.depth_comparison import Difference, Expectation, compare_depth, compare_sigma

Predict = Callable[[np.ndarray, Camera, str, str], Prediction]
"""``Predictor.predict``: image, camera, channels, output size."""


@dataclass(frozen=True)
class FrameComparison:
    """One image with depth from the live node.

    :param stamp_ns: the image's stamp in the source, nanoseconds
    :param depth: difference of its depth
    :param sigma: difference of its uncertainty; None if the live bag has none
    """

    stamp_ns: int
    depth: Difference
    sigma: Difference | None

    @property
    def equal(self) -> bool:
        return self.depth.none and (self.sigma is None or self.sigma.none)


class LiveComparison:
    """Joins the two bags by stamp.

    :param live: open bag with the node's depth and, perhaps, uncertainty
    :param source: bag with the images that the node was fed
    :param image: image topic of the source; None for the one with the frame of the live depth
    :param camera_info: calibration topic of the source; None for the one beside the image
    :param depth: depth topic of the live bag
    :param sigma: uncertainty topic of the live bag, which it may lack
    :param offset_ns: live stamp minus source stamp; None to find it
    :param rectified: the node's parameter: the camera's P holds, else K
    :raises UserError: if a bag, topic or calibration is missing, a stamp was answered twice, or no live
        frame has an image
    """

    def __init__(
        self,
        live: BagReader,
        source: Path,
        *,
        image: str | None = None,
        camera_info: str | None = None,
        depth: str = topics.DEPTH,
        sigma: str = topics.SIGMA,
        offset_ns: int | None = None,
        rectified: bool = True,
    ) -> None:
        live.require_topics([depth])
        self._live, self._source = live, source
        self.depth_topic, self.sigma_topic = depth, sigma
        self.live_stamps = _stamps(live, depth)
        if not self.live_stamps:
            raise UserError(f"{live.path} has no message on {depth}: the node published none")
        self._sigma_stamps = set(_stamps(live, sigma)) if sigma in live.topics else set()
        with BagReader(source) as bag:
            options = TopicOptions(image or self._image_topic(bag), camera_info, truth="none")
            self.topics = choose_topics(bag.topics, str(source), options)
            if self.topics.camera_info is None:
                raise UserError(
                    f"bag {source} has no camera_info beside {self.topics.image}; name it with --camera-info"
                )
            self.source_stamps = _stamps(bag, self.topics.image)
            self._reading = ReadingOptions(
                rectify="no", calibration=None if rectified else _raw_camera(bag, self.topics.camera_info)
            )
        offsets = possible_offsets(self.live_stamps, self.source_stamps)
        self._offsets = offsets if offset_ns is None else [offset_ns]
        if not self.answered:
            raise UserError(
                f"no stamp on {depth} of {live.path} minus {self._offsets[0]} ns is that of an image on "
                f"{self.topics.image} of {source}: is it the bag that was played?"
            )

    def _image_topic(self, bag: BagReader) -> str | None:
        """The camera image with the frame of the live depth; None if there is no such."""
        frame_id = next(self._live.messages([self.depth_topic])).content.header.frame_id
        for wanted in (IMAGE, COMPRESSED_IMAGE):
            for topic in sorted(name for name, kind in bag.topics.items() if kind == wanted):
                message = next(bag.messages([topic]), None)
                if message is None or message.content.header.frame_id != frame_id:
                    continue
                if wanted == COMPRESSED_IMAGE or message.content.encoding in ENCODINGS:  # not depth
                    return topic
        return None

    def settle_offset(self, predict: Predict, expectation: Expectation) -> int:
        """Live minus source stamp; where even spacing leaves a choice, the first live frame decides."""
        if len(self._offsets) > 1:
            depth = image_array(next(self._live.messages([self.depth_topic])).content)
            offsets = {self.live_stamps[0] - offset: offset for offset in self._offsets}
            misfits: dict[int, int] = {}
            for frame in self._frames(SkippedFrames()):
                if (stamp := frame.stamp_ns) in offsets:
                    prediction = _predict(frame, predict, depth.shape)
                    misfits[offsets[stamp]] = compare_depth(depth, prediction, expectation).beyond
                    if not misfits[offsets[stamp]]:
                        break
            if misfits:
                self._offsets = [min(misfits, key=lambda offset: misfits[offset])]
        return self._offsets[0]

    @property
    def stray_stamps(self) -> list[int]:
        """Live stamps, in the source's time, that no image of the source has."""
        known, offset = set(self.source_stamps), self._offsets[0]
        return [stamp - offset for stamp in self.live_stamps if stamp - offset not in known]

    @property
    def answered(self) -> int:
        """Number of images of the source that the node answered."""
        return len(self.live_stamps) - len(self.stray_stamps)

    def frames(
        self, predict: Predict, expectation: Expectation, skipped: SkippedFrames
    ) -> Iterator[FrameComparison]:
        """Compare the frames in the source's order; memory holds few at a time.

        :param skipped: takes the images that cannot be read
        :raises UserError: if maps cannot be read or are of a size that the prediction has not
        """
        offset = self.settle_offset(predict, expectation)
        depths = _Maps(self._live, self.depth_topic)
        sigmas = _Maps(self._live, self.sigma_topic) if self._sigma_stamps else None
        answered = set(self.live_stamps)
        for frame in self._frames(skipped):
            stamp = frame.stamp_ns + offset
            if stamp not in answered:
                continue
            depth = depths.of(stamp)
            prediction = _predict(frame, predict, depth.shape)
            sigma = None
            if sigmas is not None and stamp in self._sigma_stamps:
                sigma = compare_sigma(sigmas.of(stamp), prediction, expectation)
            yield FrameComparison(frame.stamp_ns, compare_depth(depth, prediction, expectation), sigma)

    def _frames(self, skipped: SkippedFrames) -> FrameReader:
        return FrameReader(self._source, self.topics, self._reading, skipped)


class _Maps:
    """Images of a topic by stamp, read on demand in the bag's order; those of other stamps are let go."""

    def __init__(self, bag: BagReader, topic: str) -> None:
        self._messages = bag.messages([topic])
        self._name = f"{topic} of {bag.path}"

    def of(self, stamp: int) -> np.ndarray:
        for message in self._messages:
            content = message.content
            if stamp_of(content) != stamp:
                continue
            try:
                return image_array(content)
            except ValueError as error:
                raise UserError(f"{self._name}, stamped {stamp} ns: {error}") from error
        raise UserError(
            f"{self._name} has its messages in another order than the images: {stamp} ns was passed"
        )


def _predict(frame: BagFrame, predict: Predict, size: tuple[int, ...]) -> Prediction:
    """Predict at the size of the live depth: the image's or the network's.

    :raises UserError: if it is neither
    """
    output_size = "image" if size == frame.camera.size else "network"
    prediction = predict(frame.image, frame.camera, "rgb", output_size)
    if prediction.depth.shape != size:
        sizes = (size, frame.camera.size, prediction.depth.shape)
        live, image, network = (f"{rows}x{columns}" for rows, columns in sizes)
        raise UserError(
            f"live depth of the image stamped {frame.stamp_ns} ns is {live}; the image is {image} and the "
            f"network answers {network} (height x width): give the node's --network-size"
        )
    return prediction


def _raw_camera(bag: BagReader, info_topic: str) -> Callable[[int, int], Camera]:
    """The camera of images that are not rectified, by their width and height."""
    first = next(bag.messages([info_topic]), None)
    if first is None:
        raise UserError(f"bag {bag.path} has no message on {info_topic}: its image has no calibration")
    info = first.content

    def camera(width: int, height: int) -> Camera:
        return camera_from_info(info, width, height, rectified=False)

    return camera


def _stamps(bag: BagReader, topic: str) -> list[int]:
    """Stamps of a topic in the bag's order.

    :raises UserError: if one comes twice
    """
    stamps: dict[int, None] = {}
    for message in bag.messages([topic]):
        stamp = stamp_of(message.content)
        if stamp in stamps:
            raise UserError(f"{bag.path}: more than one message on {topic} is stamped {stamp} ns")
        stamps[stamp] = None
    return list(stamps)


def possible_offsets(live: list[int], source: list[int]) -> list[int]:
    """The constants ``live - source`` under which most live stamps have an image, at least one of each.

    0 if all have one under it: nothing was restamped. Else several where the stamps are evenly spaced.
    """
    known = set(source)
    found = {
        offset: sum(stamp - offset in known for stamp in live) for offset in (live[0] - s for s in source)
    }
    if not found or found.get(0) == len(live):
        return [0]
    best = max(found.values())
    return [offset for offset, count in found.items() if count == best]
