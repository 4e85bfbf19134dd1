"""Does a live node say what the offline predictor says? The node's recorded bag, and the bag it was fed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.bags import topics
from adu_depth_core.bags.depth_comparison import Difference, Expectation, compare_depth, compare_sigma
from adu_depth_core.bags.messages import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, image_array, stamp_of
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.errors import UserError
from adu_depth_core.image_decoding import ENCODINGS, decode_compressed, decode_image
from adu_depth_core.inference.prediction import Prediction

Predict = Callable[[np.ndarray, Camera, str, str], Prediction]
"""``Predictor.predict``: image, camera, channels, output size."""


@dataclass(frozen=True)
class FrameComparison:
    """One image that the live node answered.

    :param stamp_ns: the image's stamp in the source, nanoseconds
    :param depth: how its depth differs
    :param sigma: how its uncertainty differs; None if the live bag has none of it
    """

    stamp_ns: int
    depth: Difference
    sigma: Difference | None

    @property
    def equal(self) -> bool:
        return self.depth.none and (self.sigma is None or self.sigma.none)


class LiveComparison:
    """Context manager that joins the two bags by stamp.

    :param live: bag with the node's depth and, perhaps, uncertainty
    :param source: bag with the images that the node was fed
    :param image: image topic of the source; None for the one with the frame of the live depth
    :param camera_info: calibration topic of the source; None for the one with that frame
    :param depth: depth topic of the live bag
    :param sigma: uncertainty topic of the live bag; left out where the bag has none
    :param offset_ns: live stamp minus source stamp; None to find it
    :param rectified: the node's parameter: the camera's P holds, else K
    :raises UserError: on entering, if a bag, topic or calibration is missing, a stamp was answered twice, or
        no live frame has an image
    """

    def __init__(
        self,
        live: Path,
        source: Path,
        *,
        image: str | None = None,
        camera_info: str | None = None,
        depth: str = topics.DEPTH,
        sigma: str = topics.SIGMA,
        offset_ns: int | None = None,
        rectified: bool = True,
    ) -> None:
        self.live, self.source = BagReader(live), BagReader(source)
        self.image_topic, self.info_topic = image or "", camera_info or ""
        self.depth_topic, self.sigma_topic = depth, sigma
        self.offsets = [] if offset_ns is None else [offset_ns]
        self._rectified = rectified

    def __enter__(self) -> LiveComparison:
        self.live.__enter__()
        try:
            self.source.__enter__()
        except BaseException:
            self.live.__exit__()
            raise
        try:
            self._join()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: Any) -> None:
        self.source.__exit__(*error)
        self.live.__exit__(*error)

    def _join(self) -> None:
        self.live.require_topics([self.depth_topic])
        if self.sigma_topic not in self.live.topics:
            self.sigma_topic = ""
        first = next(self.live.messages([self.depth_topic]), None)
        if first is None:
            raise UserError(f"{self.live.path} has no message on {self.depth_topic}: the node published none")
        frame_id = first.content.header.frame_id
        self.image_topic = self.image_topic or self._topic_of_frame((IMAGE, COMPRESSED_IMAGE), frame_id)
        self.info_topic = self.info_topic or self._topic_of_frame((CAMERA_INFO,), frame_id)
        self.source.require_topics([self.image_topic, self.info_topic])
        self.live_stamps = _stamps(self.live, self.depth_topic)
        self.source_stamps = _stamps(self.source, self.image_topic)
        if not self.offsets:
            self.offsets = possible_offsets(self.live_stamps, self.source_stamps)
        if not set(self.source_stamps) & {stamp - self.offsets[0] for stamp in self.live_stamps}:
            raise UserError(
                f"no stamp on {self.depth_topic} of {self.live.path} minus {self.offsets[0]} ns is that of "
                f"an image on {self.image_topic} of {self.source.path}: is it the bag that was played?"
            )

    def _topic_of_frame(self, types: tuple[str, ...], frame_id: str) -> str:
        """The first topic of the source of these types, the first type first, whose messages have a frame."""
        for wanted in types:
            for topic, kind in sorted(self.source.topics.items()):
                message = next(self.source.messages([topic]), None) if kind == wanted else None
                if message is None or message.content.header.frame_id != frame_id:
                    continue
                if wanted != IMAGE or message.content.encoding in ENCODINGS:  # depth is no camera image
                    return topic
        kinds = " or ".join(kind.rpartition("/")[2] for kind in types)
        raise UserError(
            f"{self.source.path} has no {kinds} topic of frame {frame_id!r}, which {self.depth_topic} of "
            f"{self.live.path} has; name the topic with an option"
        )

    def settle_offset(self, predict: Predict, expectation: Expectation) -> int:
        """The offset; where evenly spaced stamps leave a choice, that which fits the first live frame."""
        if len(self.offsets) > 1:
            first = next(self.live.messages([self.depth_topic])).content
            depth, stamp = image_array(first), self.live_stamps[0]
            wanted = {stamp - offset: offset for offset in self.offsets}
            misfits: dict[int, float] = {}
            for source_stamp, image in self._images(set(wanted)):
                misfits[source_stamp] = compare_depth(depth, image(predict, depth.shape), expectation).beyond
                if not misfits[source_stamp]:
                    break
            self.offsets = [wanted[min(misfits, key=lambda stamp: misfits[stamp])]]
        return self.offsets[0]

    @property
    def stray_stamps(self) -> list[int]:
        """Live stamps, in the source's time, that no image of the source has."""
        known = set(self.source_stamps)
        return [stamp - self.offsets[0] for stamp in self.live_stamps if stamp - self.offsets[0] not in known]

    @property
    def answered(self) -> int:
        """Number of images of the source that the node answered."""
        return len(self.live_stamps) - len(self.stray_stamps)

    def frames(self, predict: Predict, expectation: Expectation) -> Iterator[FrameComparison]:
        """Compare the frames in the source's order; memory holds one at a time.

        :raises UserError: if a message cannot be used
        """
        offset = self.settle_offset(predict, expectation)
        published = _Published(self.live, self.depth_topic, self.sigma_topic)
        answered = {stamp - offset for stamp in self.live_stamps}
        for stamp, image in self._images(answered):
            depth, sigma = published.take(stamp + offset)
            prediction = image(predict, depth.shape)
            yield FrameComparison(
                stamp,
                compare_depth(depth, prediction, expectation),
                None if sigma is None else compare_sigma(sigma, prediction, expectation),
            )

    def _images(self, stamps: set[int]) -> Iterator[tuple[int, _Image]]:
        """The source's images of these stamps, with the calibration that held."""
        infos: dict[str, Any] = {}
        for message in self.source.messages([self.info_topic]):
            infos.setdefault(message.content.header.frame_id, message.content)
        for message in self.source.messages([self.info_topic, self.image_topic]):
            content = message.content
            if message.topic == self.info_topic:
                infos[content.header.frame_id] = content
            elif (stamp := stamp_of(content)) in stamps:
                if content.header.frame_id not in infos:
                    raise UserError(
                        f"{self.source.path}: no calibration of frame {content.header.frame_id!r} on "
                        f"{self.info_topic}, only of {', '.join(map(repr, infos)) or 'none'}"
                    )
                yield stamp, _Image(content, infos[content.header.frame_id], self._rectified)


@dataclass(frozen=True)
class _Image:
    """An image message of the source and its calibration."""

    message: Any
    info: Any
    rectified: bool

    def __call__(self, predict: Predict, size: tuple[int, int]) -> Prediction:
        """Predict at the size of the live depth: the image's or the network's.

        :raises UserError: if the image cannot be used, or neither size is that
        """
        stamp = stamp_of(self.message)
        decode = decode_compressed if self.message.__msgtype__ == COMPRESSED_IMAGE else decode_image
        try:
            pixels, channels = decode(self.message)
            height, width = pixels.shape[:2]
            camera = camera_from_info(self.info, width, height, self.rectified)
        except ValueError as error:
            raise UserError(f"image stamped {stamp} ns: {error}") from error
        output_size = "image" if size == (height, width) else "network"
        prediction = predict(pixels, camera, channels, output_size)
        if prediction.depth.shape != size:
            rows, columns = prediction.depth.shape
            raise UserError(
                f"live depth of the image stamped {stamp} ns is {size[0]}x{size[1]}; the image is "
                f"{height}x{width} and the network answers {rows}x{columns} (height x width): give the "
                "node's --network-size"
            )
        return prediction


class _Published:
    """Depth and sigma of the live bag, by stamp, read on demand in the bag's order."""

    def __init__(self, bag: BagReader, depth_topic: str, sigma_topic: str) -> None:
        self._names = [depth_topic, *([sigma_topic] if sigma_topic else [])]
        self._messages = bag.messages(self._names)
        self._bag = bag
        self._waiting: dict[tuple[str, int], Any] = {}

    def take(self, stamp: int) -> tuple[np.ndarray, np.ndarray | None]:
        maps = [self._take(name, stamp) for name in self._names]
        return maps[0], maps[1] if len(maps) > 1 else None

    def _take(self, name: str, stamp: int) -> np.ndarray:
        while (name, stamp) not in self._waiting:
            message = next(self._messages, None)
            if message is None:
                raise UserError(
                    f"{self._bag.path}: no message stamped {stamp} ns on {name}, as on the others"
                )
            self._waiting[message.topic, stamp_of(message.content)] = message.content
        try:
            return image_array(self._waiting.pop((name, stamp)))
        except ValueError as error:
            raise UserError(f"{self._bag.path}: {name} stamped {stamp} ns: {error}") from error


def _stamps(bag: BagReader, topic: str) -> list[int]:
    """Stamps of a topic in the bag's order.

    :raises UserError: if one comes twice
    """
    stamps = [stamp_of(message.content) for message in bag.messages([topic])]
    if len(set(stamps)) < len(stamps):
        twice = next(stamp for stamp in stamps if stamps.count(stamp) > 1)
        raise UserError(f"{bag.path}: more than one message on {topic} is stamped {twice} ns")
    return stamps


def possible_offsets(live: list[int], source: list[int]) -> list[int]:
    """The constants ``live - source`` under which most live stamps have an image, at least one of each.

    0 if all have one under it: nothing was restamped. Else several where the stamps are evenly spaced.
    """
    known = set(source)
    found = {
        offset: sum(stamp - offset in known for stamp in live) for offset in (live[0] - s for s in source)
    }
    if not found:
        return [0]
    if found.get(0) == len(live):
        return [0]
    best = max(found.values())
    return [offset for offset, count in found.items() if count == best]
